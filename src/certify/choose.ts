/**
 * The choice that `auto` makes. The bits are the same on every backend, so only time depends on it: short
 * jobs run on WASM, which starts at once, and long ones on native code, or on a GPU where it is faster.
 */
import { BackendError, DeviceError, messageOf } from "../errors/index.ts";
import { isOwn } from "../repops/backends/index.ts";
import type { Backend, DeviceDescription } from "../repops/backends/backend.ts";
import type { KernelList } from "../repops/kernels/kernel.ts";
import { countInstructions } from "../repops/schedule/work.ts";
import { ensureCertified, type GateOptions, onStderr } from "./gate.ts";
import { keptCertificate } from "./kept.ts";
import { defaultStore } from "./store.ts";

/** The backend that a job runs on. */
export interface OpenBackend {
  backend: Backend;
  /** Absent for backends without a device of their own: they compute where this code runs. */
  device?: DeviceDescription;
  /** The backends that `auto` did not take. */
  passedOver: { backend: string; reason: string }[];
  /** Why `auto` took this one; absent where the backend was named. */
  why?: string;
}

/** What a backend will execute: a list of kernels, several times. */
export interface Load {
  list: KernelList;
  times: number;
}

/** What `auto` chooses from. */
export interface Choice {
  /** The best first. Each has a device, and is certified before its first job. */
  candidates: readonly Backend[];
  /** The backend that every machine has. */
  last: Backend;
}

export interface ChoiceOptions extends GateOptions {
  /** Absent: something long. */
  load?: Load;
  /** Says what was taken, and each backend that was passed over, because the user asked for the choice. */
  asked?: boolean;
}

/**
 * Below this many scalar instructions nothing but WASM is considered: it takes some seconds for them, and
 * others would have to compile the job's kernels first.
 */
const SHORT = 2e11;
/** Below this many, a backend without a certificate is not certified for this job. */
const WORTH_A_CERTIFICATE = 1e12;

/**
 * Takes the fastest backend that has the right bits.
 * @throws {DeviceError} when the last one has other bits
 */
export async function chooseBackend({ candidates, last }: Choice, options: ChoiceOptions): Promise<OpenBackend> {
  const { load, asked = false, say = onStderr } = options;
  const passedOver: OpenBackend["passedOver"] = [];
  const pass = (backend: Backend, reason: string, isSurprise: boolean): void => {
    passedOver.push({ backend: backend.name, reason });
    if (asked || isSurprise) say(`not ${backend.name}: ${reason}`);
  };
  const work = load ? countInstructions(load.list) * load.times : Number.POSITIVE_INFINITY;
  const found: Candidate[] = [];
  for (const backend of work < SHORT ? [] : candidates)
    try {
      const device = await backend.describe?.();
      const obstacle = await obstacleOf(backend, device, work, last, options);
      if (obstacle !== undefined) pass(backend, obstacle, false);
      else {
        await ensureCertified(backend, options);
        found.push({ backend, ...(device && { device }) });
      }
    } catch (error) {
      if (!(error instanceof BackendError || error instanceof DeviceError)) throw error;
      pass(backend, messageOf(error), SURPRISES.has(error.code));
    }
  const [best, ...slower] = load && found.length > 1 ? await bySpeed(found, load.list, pass) : found;
  if (!best) await ensureCertified(last, options);
  for (const other of slower)
    pass(other.backend, best.seconds === undefined ? `${best.backend.name} is there too` : paceOf(other), false);
  const { backend, device } = best ?? { backend: last };
  if (asked) say(`auto takes ${backend.name}${device ? ` on ${device.name}` : ""}`);
  const why =
    best?.seconds !== undefined
      ? paceOf(best)
      : best
        ? "it has a good certificate"
        : work < SHORT
          ? "the job is short"
          : "no other backend can run it here";
  return { backend, ...(device && { device }), passedOver, why };
}

interface Candidate {
  backend: Backend;
  device?: DeviceDescription;
  /** Of one execution; absent where there was no other. */
  seconds?: number;
}

const paceOf = ({ backend, seconds = 0 }: Candidate): string =>
  `${backend.name} takes ${seconds.toPrecision(2)} s for a training step`;

/** A machine without a GPU is no surprise. One without a compiler, or with wrong bits, is. */
const SURPRISES: ReadonlySet<string> = new Set([
  "VERDE_BACKEND_COMPILER_MISSING",
  "VERDE_BACKEND_COMPILE",
  "VERDE_DEVICE_BITS",
]);

/** Why a backend that is there is not taken, if there is a reason. */
async function obstacleOf(
  backend: Backend,
  device: DeviceDescription | undefined,
  work: number,
  last: Backend,
  { store = defaultStore(), own = isOwn(backend) }: ChoiceOptions,
): Promise<string | undefined> {
  if (device?.software)
    return `${device.name} is a software device, and ${last.name} is faster; use it, or choose another device`;
  if (work >= WORTH_A_CERTIFICATE || (await keptCertificate(backend, own, device, store))) return undefined;
  return `it has no certificate on this machine yet, and the job is short (\`verde certify --backend ${backend.name}\` makes one)`;
}

/** The candidates that can run the list, the fastest first. */
async function bySpeed(
  found: readonly Candidate[],
  list: KernelList,
  pass: (backend: Backend, reason: string, isSurprise: boolean) => void,
): Promise<Candidate[]> {
  const timed: (Candidate & { seconds: number })[] = [];
  for (const candidate of found)
    try {
      timed.push({ ...candidate, seconds: await secondsOf(candidate.backend, list) });
    } catch (error) {
      if (!(error instanceof BackendError)) throw error;
      pass(candidate.backend, messageOf(error), true);
    }
  return timed.sort((a, b) => a.seconds - b.seconds);
}

/** How long one execution takes, with its results: of zeros, because time does not depend on the numbers. */
async function secondsOf(backend: Backend, list: KernelList): Promise<number> {
  const output = list.inputs.length + list.kernels.length - 1;
  const session = await backend.prepare(list, { keep: [output] });
  try {
    const timed = async (): Promise<number> => {
      const began = performance.now();
      await session.execute();
      await session.read(output);
      return (performance.now() - began) / 1000;
    };
    // The first execution also does what is done once.
    const first = await timed();
    return first < 1 ? await timed() : first;
  } finally {
    await session.close();
  }
}
