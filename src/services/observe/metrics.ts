/** What services count, for Prometheus. */
import type { Counter, Gauge, Histogram, Registry } from "prom-client";

/** What a server counts about its requests. */
export interface RequestMetrics {
  readonly registry: Registry;
  /** @param seconds from the request's arrival to the end of its answer */
  answered(route: string, method: string, status: number, seconds: number): void;
}

/** Figures that are looked up when Prometheus asks: names and help, and how each is found. */
export type Gauges = Readonly<Record<string, { help: string; value: () => number }>>;

/** Seconds: from an answer out of memory to an operator that is recomputed. */
const SECONDS = [0.005, 0.025, 0.1, 0.5, 2, 10, 60, 600];

async function registryWith(gauges: Gauges): Promise<{ registry: Registry; prom: typeof import("prom-client") }> {
  const { default: prom } = await import("prom-client");
  const registry = new prom.Registry();
  prom.collectDefaultMetrics({ register: registry });
  for (const [name, { help, value }] of Object.entries(gauges))
    registry.registerMetric(
      new prom.Gauge({
        name,
        help,
        registers: [],
        collect() {
          this.set(value());
        },
      }),
    );
  return { registry, prom };
}

/** The figures of a server: its requests, its process, and what `gauges` adds. */
export async function requestMetrics(gauges: Gauges = {}): Promise<RequestMetrics> {
  const { registry, prom } = await registryWith(gauges);
  const registers = [registry];
  const labelNames = ["route", "method", "status"] as const;
  const requests: Counter<"route" | "method" | "status"> = new prom.Counter({ name: "verde_requests_total", help: "Requests that were answered", labelNames, registers }); // prettier-ignore
  const seconds: Histogram<"route"> = new prom.Histogram({ name: "verde_request_seconds", help: "Seconds until an answer has ended", labelNames: ["route"], buckets: SECONDS, registers }); // prettier-ignore
  return {
    registry,
    answered: (route, method, status, time) => {
      requests.inc({ route, method, status: `${status}` });
      seconds.observe({ route }, time);
    },
  };
}

/** What a provider counts. */
export interface ProviderMetrics {
  readonly registry: Registry;
  /** How many tasks are at each stage, and how many have ended in each way. */
  tasks(list: readonly { stage: string; outcome?: string; trouble?: string }[]): void;
  /** A transaction is in a block. */
  sent(functionName: string): void;
  /** The chain was read, or could not be. */
  looked(ok: boolean): void;
}

export async function providerMetrics(): Promise<ProviderMetrics> {
  const { registry, prom } = await registryWith({});
  const registers = [registry];
  const stages: Gauge<"stage"> = new prom.Gauge({ name: "verde_tasks", help: "Tasks by what is done for them now", labelNames: ["stage"], registers }); // prettier-ignore
  const outcomes: Gauge<"outcome"> = new prom.Gauge({ name: "verde_tasks_over", help: "Tasks of this process that are over, by how they ended", labelNames: ["outcome"], registers }); // prettier-ignore
  const troubled = new prom.Gauge({ name: "verde_tasks_in_trouble", help: "Tasks for which something does not work at the moment", registers }); // prettier-ignore
  const transactions: Counter<"function"> = new prom.Counter({ name: "verde_transactions_total", help: "Transactions that are in a block", labelNames: ["function"], registers }); // prettier-ignore
  const looks: Counter<"result"> = new prom.Counter({ name: "verde_looks_total", help: "Looks at the chain", labelNames: ["result"], registers }); // prettier-ignore
  const last = new prom.Gauge({ name: "verde_last_look_seconds", help: "The time of the last look at the chain that worked, in seconds since 1970", registers }); // prettier-ignore
  return {
    registry,
    tasks: (list) => {
      stages.reset();
      outcomes.reset();
      for (const { stage, outcome } of list) {
        stages.inc({ stage });
        if (outcome !== undefined) outcomes.inc({ outcome });
      }
      troubled.set(list.filter(({ trouble }) => trouble !== undefined).length);
    },
    sent: (name) => transactions.inc({ function: name }),
    looked: (ok) => {
      looks.inc({ result: ok ? "ok" : "failed" });
      if (ok) last.set(Date.now() / 1000);
    },
  };
}
