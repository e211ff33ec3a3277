/**
 * Every function that makes operators, layers, optimizers or graphs, called with arguments of every wrong
 * kind: it gives a value or an error with a code, and never an error of the engine.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { VerdeError } from "../../src/errors/index.ts";
import * as job from "../../src/job/index.ts";
import * as repops from "../../src/repops/index.ts";
import { SEED } from "./seed.ts";

type Call = (...args: unknown[]) => unknown;

/** What is no function of arguments, or does what a fuzzer should not do. */
const LEFT_OUT = [
  // A class, whose methods are called below.
  "Context",
  "GraphBuilder",
  "Float",
  "Int",
  "Bool",
  // It reads files.
  "loadJob",
  "byteTokens",
  // Arithmetic on one number or address, in loops over all elements: their types are the caller's matter.
  "canon",
  "isSaturated",
  "addressOf",
];

/** The values of one graph that a call may get, and one of another graph. */
interface Bench {
  context: job.Context;
  values: job.Value[];
  foreign: job.Value;
}

function bench(): Bench {
  const dataset = [
    { name: "data/x", ...job.tensor([4, 6], new Array(24).fill(0.5)) },
    { name: "data/v", ...job.tensor([6], new Array(6).fill(2)) },
    { name: "data/k", ...job.intTensor([4], [0, 1, 2, 3]) },
    { name: "data/s", ...job.tensor([], [1]) },
    { name: "data/e", ...job.tensor([0, 3], []) },
  ];
  const context = new job.Context(dataset, 1);
  const { x, v, k, s, e } = context.data;
  const values = [x, v, k, s, e, job.transpose(x), context.parameter("p", [6, 4], job.zeros), job.square(x)];
  const foreign = new job.GraphBuilder().input("x", { dtype: "f32", shape: [4, 6] });
  return { context, values, foreign };
}

/** Each is made for a bench, so that a case prints as what it is. */
type Make = (on: Bench) => unknown;
const named = (text: string, make: Make): Make & { toString(): string } =>
  Object.assign(make, { toString: () => text });
const literal = (value: unknown): Make => named(fc.stringify(value), () => value);

const NUMBERS = [0, -0, 1, -1, 2, 3, 6, 0.5, -1.5, 1e-50, 1e300, NaN, Infinity, -Infinity, 2 ** 31, 2 ** 32, 2 ** 53];
const junk: fc.Arbitrary<Make> = fc.oneof(
  fc
    .constantFrom(undefined, null, true, false, 10n, "", "axis", "index", "__proto__", "\u{1f600}", Symbol("s"))
    .map(literal),
  fc.constantFrom(...NUMBERS).map(literal),
  fc
    .constantFrom<unknown>([], {}, [[]], [null], { coordinate: 7 }, { prepare: 1 }, new Map(), new Date(0))
    .map(literal),
  fc.constantFrom(Float32Array.of(1, NaN), new Uint8Array(3), new BigInt64Array(2)).map(literal),
  fc.array(fc.constantFrom(...NUMBERS), { maxLength: 10 }).map(literal),
  fc.constant(literal(Object.create(null))),
  fc.constant(named("a function of nothing", () => () => undefined)),
  fc.constant(named("a function of its argument", () => (x: unknown) => x)),
);
const value: fc.Arbitrary<Make> = fc
  .nat(8)
  .map((i) => named(`value ${i}`, ({ values, foreign }) => (i === 8 ? foreign : values[i])));
const sensible: fc.Arbitrary<Make> = fc.oneof(
  { weight: 4, arbitrary: value },
  fc.constant(named("the context", ({ context }) => context)),
  fc.constant(named("the builder", ({ context }) => context.builder)),
  fc.constant(named("the random source", ({ context }) => context.random)),
  fc.constantFrom([0], [1, 0], [-1], [4, 6], [6], [0, 0], [24], [-1, 2]).map(literal),
  fc.constantFrom(0, 1, 2, -1, 0.5).map(literal),
  fc.constantFrom("layer", "f", "fi", "").map(literal),
  fc
    .constantFrom({ dtype: "f32", shape: [2] }, { dtype: "toString", shape: [2] }, job.tensor([2], [1, 2]))
    .map(literal),
  fc.constantFrom({ learningRate: 0.1 }, { batch: 1, length: 2 }, { name: "m", shape: [4, 6] }).map(literal),
  fc.constant(literal(repops.defineProgram("f", (x) => x.mul(2)))),
  fc.array(value, { maxLength: 3 }).map((makes) => named(`[${makes.join()}]`, (on) => makes.map((make) => make(on)))),
  fc.array(junk, { maxLength: 3 }).map((makes) => named(`[${makes.join()}]`, (on) => makes.map((make) => make(on)))),
);
const argument = fc.oneof({ weight: 2, arbitrary: sensible }, junk);
const argumentLists = fc.array(argument, { maxLength: 6 });

async function answers(call: Call, makes: readonly Make[]): Promise<void> {
  const on = bench();
  try {
    await call(...makes.map((make) => make(on)));
  } catch (error) {
    if (error instanceof VerdeError) expect(error.code).toMatch(/^VERDE_[A-Z]+_[A-Z_]+$/);
    else throw error;
  }
}

function holds(call: Call, numRuns: number): Promise<void> {
  const property = fc.asyncProperty(argumentLists, (makes) => answers(call, makes));
  return fc.assert(property, { seed: SEED, numRuns });
}

const functionsOf = (exports: object): [string, Call][] =>
  Object.entries(exports).filter(
    (entry): entry is [string, Call] => typeof entry[1] === "function" && !LEFT_OUT.includes(entry[0]),
  );

describe("wrong arguments are refused with a code by", () => {
  test.each(functionsOf(job))("%s", async (_, call) => holds(call, 400));
  test.each(functionsOf(repops))("repops: %s", async (_, call) => holds(call, 400));

  test.each(["scope", "freeze", "parameter", "state", "update", "metric"] as const)("context.%s", async (method) => {
    await fc.assert(
      fc.asyncProperty(argumentLists, (makes) => {
        const own: Make = ({ context }) => context;
        return answers(
          (context, ...args) => ((context as job.Context)[method] as Call).apply(context, args),
          [own, ...makes],
        );
      }),
      { seed: SEED, numRuns: 400 },
    );
  });

  test.each(["scope", "label", "input", "finish"] as const)("builder.%s", async (method) => {
    await fc.assert(
      fc.asyncProperty(argumentLists, (makes) => {
        const own: Make = ({ context }) => context.builder;
        return answers(
          (builder, ...args) => ((builder as job.GraphBuilder)[method] as Call).apply(builder, args),
          [own, ...makes],
        );
      }),
      { seed: SEED, numRuns: 400 },
    );
  });

  const made: [string, (args: unknown[]) => unknown][] = [
    ["adamW", (args) => job.adamW(args[0] as never)],
    ["sgd", (args) => job.sgd(args[0] as never)],
  ];
  test.each(made)("%s, with any options", async (name, make) => {
    const rate = fc.constantFrom<unknown>(...NUMBERS, undefined, null, "0.1", () => 3);
    const options = fc.record(
      {
        learningRate: rate,
        beta1: rate,
        beta2: rate,
        epsilon: rate,
        weightDecay: rate,
        momentum: rate,
        clipNorm: rate,
      },
      { requiredKeys: name === "sgd" ? ["learningRate"] : ["learningRate", "beta1"] },
    );
    await fc.assert(
      fc.asyncProperty(options, (given) => answers(() => make([given]), [])),
      { seed: SEED, numRuns: 1000 },
    );
  });

  test("defineJob and what it calls, whatever they return", async () => {
    const source = fc.record({
      name: fc.constantFrom<unknown>("job", "", undefined, 3),
      steps: fc.constantFrom<unknown>(1, 0, 1.5, "2", undefined, 2 ** 32),
      options: fc.constantFrom<unknown>(undefined, {}, { toString: 1 }, { a: NaN }, null),
      data: junk,
      loss: argument,
      optimizer: argument,
      unit: fc.option(junk, { nil: undefined }),
    });
    await fc.assert(
      fc.asyncProperty(source, async ({ data, loss, optimizer, unit, ...rest }) => {
        const parts = {
          ...rest,
          data: () => data(bench()) ?? { x: job.tensor([2], [1, 2]) },
          loss: (context: job.Context) =>
            loss({ ...bench(), context, values: new Array(9).fill(job.mean(context.parameter("w", [2], job.ones))) }),
          optimizer: () => optimizer(bench()),
          ...(unit && { unit: () => unit(bench()) }),
        };
        await answers(() => job.defineJob(parts as never).close(), []);
      }),
      { seed: SEED, numRuns: 400 },
    );
  });

  test("defineProgram, with expressions of everything", async () => {
    const method = fc.constantFrom("add", "div", "ldexp", "select", "eq", "and", "toI32", "selectInt", "lt", "asFloat");
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(method, junk), { maxLength: 4 }), (steps) =>
        answers(
          () =>
            repops.defineProgram("fi", (x, i) => {
              let at: Record<string, Call> = x as never;
              for (const [name, make] of steps) at = (at[name]?.(make(bench()), i) ?? i) as never;
              return at as never;
            }),
          [],
        ),
      ),
      { seed: SEED, numRuns: 1000 },
    );
  });
});
