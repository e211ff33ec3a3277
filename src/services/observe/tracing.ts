/**
 * Spans of OpenTelemetry. Without an address to send them to they cost next to nothing, and none of the
 * packages that send them is loaded.
 */
import { context, propagation, type Span, SpanStatusCode, trace } from "@opentelemetry/api";
import type { IncomingHttpHeaders } from "node:http";
import { BackendError, messageOf } from "../../errors/index.ts";

const PACKAGES = "@opentelemetry/sdk-trace @opentelemetry/exporter-trace-otlp-http @opentelemetry/context-async-hooks @opentelemetry/core @opentelemetry/resources"; // prettier-ignore
const ADDRESSES = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] as const;

/** Ends the sending of spans, when what is left has been sent. */
export type StopTracing = () => Promise<void>;

/**
 * Sends spans to where `OTEL_EXPORTER_OTLP_ENDPOINT` or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` says, if one of
 * them does.
 * @param service the name of this process, unless `OTEL_SERVICE_NAME` gives it another one
 * @throws {BackendError} when the packages that send spans are not installed
 */
export async function startTracing(service: string): Promise<StopTracing> {
  if (!ADDRESSES.some((name) => process.env[name])) return async () => undefined;
  const load =
    (): Promise<readonly [typeof import("@opentelemetry/sdk-trace"), typeof import("@opentelemetry/exporter-trace-otlp-http"), typeof import("@opentelemetry/context-async-hooks"), typeof import("@opentelemetry/core"), typeof import("@opentelemetry/resources")]> => // prettier-ignore
      Promise.all([
        import("@opentelemetry/sdk-trace"),
        import("@opentelemetry/exporter-trace-otlp-http"),
        import("@opentelemetry/context-async-hooks"),
        import("@opentelemetry/core"),
        import("@opentelemetry/resources"),
      ]);
  const [sdk, exporter, hooks, core, resources] = await load().catch((cause: unknown) => {
    throw new BackendError("PACKAGE_MISSING", `spans are to be sent, and a package for that is missing; install them with \`npm install ${PACKAGES}\` (${messageOf(cause)})`); // prettier-ignore
  });
  const provider = new sdk.TracerProvider({
    resource: resources.resourceFromAttributes({ "service.name": process.env["OTEL_SERVICE_NAME"] || service }),
    spanProcessors: [new sdk.BatchSpanProcessor({ exporter: new exporter.OTLPTraceExporter() })],
  });
  trace.setGlobalTracerProvider(provider);
  context.setGlobalContextManager(new hooks.AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new core.W3CTraceContextPropagator());
  return async () => {
    // A collector that is away does not keep the process from ending well.
    await provider.shutdown().catch(() => undefined);
    trace.disable();
    context.disable();
    propagation.disable();
  };
}

/**
 * Does a piece of work within a span. A failure ends the span with its message, and is thrown on.
 * @param headers of a request that the work answers: the span is then a part of the caller's trace
 */
export function traced<T>(
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  work: (span: Span) => Promise<T>,
  headers?: IncomingHttpHeaders,
): Promise<T> {
  const parent = headers ? propagation.extract(context.active(), headers) : context.active();
  return trace.getTracer("verde").startActiveSpan(name, { attributes }, parent, async (span) => {
    try {
      return await work(span);
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR, message: messageOf(error) });
      throw error;
    } finally {
      span.end();
    }
  });
}
