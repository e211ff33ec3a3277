/**
 * How fast are matrix products on this process's GPU, what does their guard cost, and how long is a step of a
 * GPT?
 *
 *     node bench/webgpu.ts [SIZE…]
 *
 * The guarded product and the same shader without its guard take turns, so that both see the same machine. If
 * the device is a program, their times are compared in seconds of the CPU, which other processes do not
 * lengthen. VK_ICD_FILENAMES names the driver if there are several.
 */
import { fileURLToPath } from "node:url";
import { loadJob } from "../src/job/load.ts";
import type { Session } from "../src/repops/backends/backend.ts";
import { webgpu } from "../src/repops/backends/webgpu/backend.ts";
import { type OpenDevice, openDevice } from "../src/repops/backends/webgpu/device.ts";
import { prepareWebGpu } from "../src/repops/backends/webgpu/session.ts";
import { Execution } from "../src/trace/execution.ts";
import { machine, median, medianMillis, type Sample } from "./measure.ts";
import { productInputs, productList } from "./product.ts";

const JOB = fileURLToPath(new URL("../examples/char-gpt.ts", import.meta.url));
/** What is compared: the guards that the backend knows, and none. */
const GUARDS = ["bits", "fma", "none"] as const;
type Guard = (typeof GUARDS)[number];

export const SOFTWARE_SIZES = [256, 384, 512];
export const DEVICE_SIZES = [512, 1024, 2048, 4096];
const ROUNDS = 9;
/** One turn repeats a product for this long, so that the time of the submission does not matter. */
const TURN_MILLIS = 60;

/** Shapes of a GPT's step. bench/step.ts has the small one too, bench/torch-gpt.py has both. */
export const GPT_SHAPES = {
  small: { layers: 4, heads: 8, dim: 256, context: 128, batch: 8 },
  medium: { layers: 12, heads: 12, dim: 768, context: 512, batch: 8 },
} as const;

async function prepareProduct(size: number, guard: Guard): Promise<Session> {
  const session = await prepareWebGpu(productList(size, size, size), [2], { guard });
  for (const [i, operand] of productInputs(size, size, size).entries()) await session.write(i, operand);
  return session;
}

/** Milliseconds of one product, by the clock and of the CPU on all threads. */
interface Turn {
  elapsed: number;
  busy: number;
}

async function turn({ device }: OpenDevice, session: Session, calls: number): Promise<Turn> {
  const before = process.cpuUsage();
  const began = performance.now();
  for (let i = 0; i < calls; i++) await session.execute();
  await device.queue.onSubmittedWorkDone();
  const elapsed = performance.now() - began;
  const { user, system } = process.cpuUsage(before);
  return { elapsed: elapsed / calls, busy: (user + system) / 1000 / calls };
}

async function benchProduct(open: OpenDevice, size: number): Promise<Sample[]> {
  const sessions: [Guard, Session][] = [];
  for (const guard of GUARDS) sessions.push([guard, await prepareProduct(size, guard)]);
  let longest = 0;
  for (const [, session] of sessions) {
    await turn(open, session, 1);
    longest = Math.max(longest, (await turn(open, session, 1)).elapsed);
  }
  const calls = Math.min(100, Math.max(1, Math.round(TURN_MILLIS / longest)));
  const turns: Record<Guard, Turn[]> = { bits: [], fma: [], none: [] };
  for (let round = 0; round < ROUNDS; round++)
    for (const [guard, session] of sessions) turns[guard].push(await turn(open, session, calls));
  for (const [, session] of sessions) await session.close();
  const name = `matmul ${size}x${size}x${size}`;
  const cost = ({ elapsed, busy }: Turn): number => (open.software ? busy : elapsed);
  const ratio = (guard: Guard): number => median(turns[guard].map((one, round) => cost(one) / cost(turns.none[round])));
  return [
    ...GUARDS.map((guard) => ({
      name: `${name}, guard ${guard}`,
      value: (2 * size ** 3) / median(turns[guard].map(({ elapsed }) => elapsed)) / 1e6,
      unit: "GFLOP/s",
    })),
    { name: `${name}, time of guard bits over none`, value: ratio("bits"), unit: "×" },
    { name: `${name}, time of guard fma over none`, value: ratio("fma"), unit: "×" },
  ];
}

async function benchStep(name: keyof typeof GPT_SHAPES): Promise<Sample[]> {
  const shape = GPT_SHAPES[name];
  const job = await loadJob(JOB, { ...shape, steps: 30 });
  const execution = await Execution.open(job, webgpu);
  await execution.initialise();
  const step = await medianMillis(() => execution.advance(), { samples: 7, warmup: 2 });
  const hashing = await medianMillis(() => execution.stateRoot(), { samples: 7, warmup: 1 });
  await execution.close();
  const tokens = shape.batch * shape.context;
  const title = `GPT step, ${name} (${shape.layers} layers, width ${shape.dim}, ${tokens} tokens)`;
  return [
    { name: title, value: step, unit: "ms" },
    { name: `${title}, state root`, value: hashing, unit: "ms" },
  ];
}

/**
 * @param sizes of square products; without them, what suits the device; the GPT is for devices that are no
 * programs
 */
async function benchWebGpu(sizes: readonly number[], show: (sample: Sample) => void): Promise<void> {
  const open = await openDevice();
  for (const size of sizes.length > 0 ? sizes : open.software ? SOFTWARE_SIZES : DEVICE_SIZES)
    (await benchProduct(open, size)).forEach(show);
  if (open.software) return;
  for (const name of Object.keys(GPT_SHAPES) as (keyof typeof GPT_SHAPES)[]) (await benchStep(name)).forEach(show);
}

if (import.meta.main) {
  const { name } = await openDevice();
  console.log(JSON.stringify({ schemaVersion: 1, machine: machine(), device: name }));
  await benchWebGpu(process.argv.slice(2).map(Number), (sample) =>
    console.log(JSON.stringify({ schemaVersion: 1, ...sample })),
  );
  process.exit();
}
