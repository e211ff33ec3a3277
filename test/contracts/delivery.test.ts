/** The final weights of a real run, demanded chunk by chunk and delivered with proofs from the trace. */
import { parseEventLogs } from "viem";
import { beforeAll, describe, expect, test } from "vitest";
import { asBytes, toHex } from "../../src/encoding/bytes.ts";
import { chunkAt, chunkCount, encodeType } from "../../src/encoding/tensor.ts";
import { jobId } from "../../src/job/closed.ts";
import { taskManagerAbi } from "../../src/settlement/abi/task-manager.ts";
import { layoutRoot, proveChunk, proveType } from "../../src/settlement/delivery.ts";
import { run, type RunResult } from "../../src/trace/run.ts";
import line from "../fixtures/line.ts";
import { type Chain, digest, errorOf, openChain, pass, RICH } from "./chain.ts";
import { accountOf, type Demand, LIE, Play, PRICE, REWARD, STAKE, type Terms } from "./task.ts";

const COMMIT_EVERY = 5;
let chain: Chain;
let result: RunResult;
let about: Partial<Terms>;

beforeAll(async () => {
  chain = await openChain();
  const job = await line.close();
  result = await run(job, { commitEvery: COMMIT_EVERY });
  about = {
    job: toHex(jobId(job)) as Terms["job"],
    stateLayout: toHex(layoutRoot(result.state)) as Terms["job"],
    steps: job.steps,
    commitEvery: COMMIT_EVERY,
    tensors: result.state.length,
    maxDemands: 64,
  };
});

/** Demands a chunk, and reads from the event what a provider has to answer. */
async function demand(play: Play, tensor: number, chunk: number): Promise<Demand> {
  const tensorType = toHex(encodeType(result.state[tensor])) as Demand["root"];
  const path = proveType(result.state, tensor).map(toHex) as Demand["root"][];
  const { logs } = await play.demand(tensor, chunk, tensorType, path);
  const [{ args }] = parseEventLogs({ abi: taskManagerAbi, logs, eventName: "ChunkDemanded" });
  expect(args.demand).toMatchObject({ tensor, chunk, tensorType });
  return args.demand;
}

function proofOf(tensor: number, chunk: number): object {
  const { chunk: bytes, ...paths } = proveChunk(result.segmentRoots, result.state, tensor, chunk);
  const hex = Object.entries(paths).map(([name, path]) => [name, path.map(toHex)]);
  return { chunk: toHex(bytes), ...Object.fromEntries(hex) };
}

describe("delivery", () => {
  test("of every chunk of a state, for its price", async () => {
    const root = toHex(result.runRoot) as Demand["root"];
    const play = await Play.of(chain, about);
    await play.claims(root, root);
    let index = 0;
    for (const [tensor, type] of result.state.entries())
      for (let chunk = 0; chunk < chunkCount(type); chunk++, index++) {
        const what = await demand(play, tensor, chunk);
        const { logs } = await play.deliver(index, what, proofOf(tensor, chunk));
        const [{ args }] = parseEventLogs({ abi: taskManagerAbi, logs, eventName: "ChunkDelivered" });
        expect(args.chunk).toBe(toHex(chunkAt(asBytes(result.state[tensor].data), chunk)));
      }
    expect(index).toBeGreaterThan(10);
    await play.wait();
    await play.finalize();
    const { credit } = await accountOf(chain, play.owner(0));
    expect(credit).toBe(REWARD + (BigInt(index) * PRICE) / 2n);
  });

  test("is impossible for a provider that has only the hash of something else", async () => {
    const play = await Play.of(chain, { ...about, salt: digest("hash only") });
    await play.claims(LIE, LIE);
    const before = await accountOf(chain, play.terms.client);
    const what = await demand(play, 1, 0);
    expect(await errorOf(play.deliver(0, what, proofOf(1, 0)))).toBe("WrongChunk");
    await pass(chain, play.terms.periods.toAnswer + 1);
    await play.expireDemand(0, what);
    expect(await play.state()).toBe("Refunded");
    for (const seat of [0, 1]) expect((await accountOf(chain, play.owner(seat))).active).toBe(RICH - STAKE);
    const after = await accountOf(chain, play.terms.client);
    expect(after.credit - before.credit).toBe(2n * REWARD + PRICE);
  });

  test("accepts the demanded chunk, not another correct one", async () => {
    const root = toHex(result.runRoot) as Demand["root"];
    const play = await Play.of(chain, { ...about, salt: digest("another chunk") });
    await play.claims(root, root);
    const what = await demand(play, 0, 0);
    const refused = await errorOf(play.deliver(0, what, proofOf(result.state.length - 1, 0)));
    expect(["WrongChunk", "WrongChunkLength", "WrongProofLength"]).toContain(refused);
    expect(await errorOf(play.deliver(0, { ...what, tensor: 1 }, proofOf(1, 0)))).toBe("WrongDemand");
  });
});
