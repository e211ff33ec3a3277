/** The models: they train, they are evaluated without any change, and they refuse sizes that do not fit. */
import { describe, expect, test } from "vitest";
import * as job from "../../src/job/index.ts";
import { stateTypes } from "../../src/job/closed.ts";
import { generator } from "../graph/numeric.ts";
import { statesOf } from "./optimizers/given-slopes.ts";

const { adamW, bert, crossEntropy, defineJob, evaluateRows, gpt, intTensor, llama, logisticRegression } = job;
const { mean, mseLoss, perceptron, reshape, resnet, slice, tensor, unet, vit } = job;

const ROWS = 6;
const draw = generator(9);
const uniform = (count: number): number[] => Array.from({ length: count }, () => 2 * draw() - 1);
/** What the models learn: six examples of each kind, by heart. */
const DATA = {
  images: tensor([ROWS, 1, 8, 8], uniform(ROWS * 64)),
  points: tensor([ROWS, 3], uniform(ROWS * 3)),
  tokens: intTensor(
    [ROWS, 5],
    [...Array(ROWS * 5).keys()].map((i) => (i * i + (i >> 2)) % 7),
  ),
  mask: intTensor(
    [ROWS, 5],
    [...Array(ROWS * 5).keys()].map((i) => Number(i % 5 < 3 + (i % 2))),
  ),
  labels: intTensor([ROWS], [0, 1, 2, 2, 0, 1]),
  times: intTensor([ROWS], [0, 3, 17, 50, 120, 199]),
};
type Rows = Record<keyof typeof DATA, job.Value>;
type Build = (context: job.Context, rows: Rows) => job.Value;

const ENCODER = { layers: 1, heads: 2, dim: 8 };
const TEXT = { vocabulary: 7, ...ENCODER };
const classified = (logits: job.Value, { labels }: Rows): job.Value => crossEntropy(logits, labels);
/** The loss of predicting each token but the first from those before it. */
const continued = (logits: job.Value, { tokens }: Rows): job.Value =>
  crossEntropy(reshape(slice(logits, 1, 0, 4), [-1, 7]), reshape(slice(tokens, 1, 1, 5), [-1]));

/** Each model with its loss, at a size that trains in a moment. */
const MODELS: Record<string, Build> = {
  perceptron: (at, rows) => classified(perceptron(at, "mlp", rows.points, { hidden: [8, 8], outputs: 3 }), rows),
  "perceptron with tanh": (at, rows) =>
    classified(perceptron(at, "mlp", rows.points, { hidden: [8], outputs: 3, activation: "tanh" }), rows),
  logisticRegression: (at, rows) => classified(logisticRegression(at, "classes", rows.points, 3), rows),
  gpt: (at, rows) => continued(gpt(at, rows.tokens, { ...TEXT, context: 5 }), rows),
  llama: (at, rows) => continued(llama(at, rows.tokens, { ...TEXT, kvHeads: 1 }), rows),
  "llama, tied, with a window": (at, rows) =>
    continued(llama(at, rows.tokens, { ...TEXT, window: 2, tied: true }), rows),
  bert: (at, rows) => {
    const vectors = bert(at, rows.tokens, { ...TEXT, context: 5, mask: rows.mask, dropout: 0.1 });
    return classified(perceptron(at, "head", mean(vectors, [1]), { hidden: [], outputs: 3 }), rows);
  },
  vit: (at, rows) => classified(vit(at, rows.images, { ...ENCODER, classes: 3, patch: 4, dropout: 0.1 }), rows),
  resnet: (at, rows) => classified(resnet(at, rows.images, { classes: 3, width: 4, blocks: [1, 1] }), rows),
  unet: (at, rows) => mseLoss(unet(at, rows.images, rows.times, { width: 8, levels: 2, groups: 2 }), rows.images),
};

interface Training {
  evaluated?: boolean;
  steps?: number;
}

const closed = (build: Build, { evaluated = false, steps = 8 }: Training = {}) =>
  defineJob({
    name: "model",
    steps,
    seed: 3,
    data: () => DATA,
    loss: (context) => {
      const rows = context.data as Rows;
      const loss = build(context as unknown as job.Context, rows);
      if (evaluated)
        for (const name of ["first", "second"]) {
          const found = evaluateRows(context, name, rows, { batch: ROWS }, (all) => ({
            loss: build(context as unknown as job.Context, all as Rows),
          }));
          context.metric(`${name}-loss`, found.loss);
        }
      return loss;
    },
    optimizer: () => adamW({ learningRate: 0.02 }),
  }).close();

describe.each(Object.entries(MODELS))("%s", (_, build) => {
  test("learns six examples, and its evaluation changes nothing", async () => {
    const [plain, both] = [await closed(build), await closed(build, { evaluated: true })];
    const [alone, evaluated] = [await statesOf(plain), await statesOf(both)];
    const losses = alone.map((state) => state.get("metrics/loss")![0]);
    expect(losses.at(-1), losses.join(" ")).toBeLessThan(0.95 * losses[0]);
    // With the evaluation there are more entries; those of the training have the same bits in every step.
    for (const [i, state] of alone.entries())
      for (const [name, values] of state) expect(evaluated[i].get(name), `${name}, step ${i + 1}`).toEqual(values);
    // Two evaluations of the same weights: nothing of the first one is seen by the second.
    for (const state of evaluated) expect(state.get("metrics/first-loss")).toEqual(state.get("metrics/second-loss"));
    const names = stateTypes(both).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});

test("a tied llama has no weight of a head", async () => {
  const names = async (model: string) => stateTypes(await closed(MODELS[model])).map(({ name }) => name);
  expect(await names("llama")).toContain("head.weight");
  expect(await names("llama, tied, with a window")).not.toContain("head.weight");
});

test("a ResNet is evaluated with its running statistics, which only training moves", async () => {
  const job = await closed(MODELS.resnet, { evaluated: true, steps: 3 });
  const states = await statesOf(job);
  const running = stateTypes(job).filter(({ name }) => /running_(mean|var)$/.test(name));
  // The stem, two convolutions in each of two blocks, and the shortcut of the second block.
  expect(running).toHaveLength(2 * (1 + 2 * 2 + 1));
  for (const { name } of running) expect(states[1].get(name), name).not.toEqual(states[0].get(name));
  // The loss of the training is that with the statistics of the batch.
  expect(states[0].get("metrics/first-loss")).not.toEqual(states[0].get("metrics/loss"));
});

test("padding does not change what a BERT makes of the other tokens", async () => {
  const made = (tokens: number[], masked: boolean) => {
    const job = defineJob({
      name: "padded",
      steps: 1,
      data: () => ({ tokens: intTensor([1, 4], tokens), mask: intTensor([1, 4], [1, 1, 1, 0]) }),
      loss: (context) => {
        const options = { ...TEXT, context: 4, ...(masked && { mask: context.data.mask }) };
        const vectors = slice(bert(context as unknown as job.Context, context.data.tokens, options), 1, 0, 3);
        for (let i = 0; i < 3; i++) context.metric(`element-${i}`, mean(slice(slice(vectors, 1, i, i + 1), 2, 0, 1)));
        return mean(vectors);
      },
      optimizer: () => adamW({ learningRate: 0.1 }),
    });
    const elements = (state: Map<string, number[]>) => [0, 1, 2].map((i) => state.get(`metrics/element-${i}`)![0]);
    return job.close().then(async (it) => elements((await statesOf(it))[0]));
  };
  expect(await made([1, 2, 3, 0], true)).toEqual(await made([1, 2, 3, 6], true));
  expect(await made([1, 2, 3, 0], false)).not.toEqual(await made([1, 2, 3, 6], false));
});

describe("misuse is refused with what is wrong and what to do:", () => {
  const bertOf =
    (options: object): Build =>
    (at, { tokens }) =>
      mean(bert(at, tokens, { ...TEXT, context: 5, ...options }));
  const llamaOf =
    (options: object): Build =>
    (at, { tokens }) =>
      mean(llama(at, tokens, { ...TEXT, ...options }));
  const vitOf =
    (options: object): Build =>
    (at, { images }) =>
      mean(vit(at, images, { ...ENCODER, classes: 3, patch: 4, ...options }));
  const resnetOf =
    (options: object): Build =>
    (at, { images }) =>
      mean(resnet(at, images, { classes: 3, width: 4, blocks: [1], ...options }));
  const unetOf =
    (options: object): Build =>
    (at, { images, times }) =>
      mean(unet(at, images, times, { width: 8, levels: 2, ...options }));
  const mlpOf =
    (options: object): Build =>
    (at, { points }) =>
      mean(perceptron(at, "mlp", points, { hidden: [4], outputs: 3, ...options }));

  test.each<[Build, string]>([
    [bertOf({ heds: 2 }), "bert: there is no option heds"],
    [bertOf({ context: 4 }), "bert: 5 tokens are longer than the context of 4; shorten them"],
    [bertOf({ heads: 3 }), "a width of 8 can't be split among 3 heads; take a multiple"],
    [bertOf({ dropout: 1 }), "bert: dropout is 1"],
    [bertOf({ layers: 1.5 }), "bert: layers is 1.5; take a whole number from 0"],
    [bertOf({ mask: 3 }), "bert: mask is 3; pass a value of the job's graph"],
    [
      (at, { tokens, labels }) => bert(at, tokens, { ...TEXT, context: 5, mask: labels }),
      "mask is i32[6]; give i32 [6, 5]",
    ],
    [
      (at, { labels }) => bert(at, labels, { ...TEXT, context: 5 }),
      "bert: a BERT takes tokens [batch, length], not i32[6]",
    ],
    [(_, { tokens }) => bert({} as never, tokens, { ...TEXT, context: 5 }), "bert: the first argument is"],
    [llamaOf({ kvHeads: 3 }), "2 heads can't share 3 heads of keys; take a divisor of the heads"],
    [llamaOf({ dim: 6, heads: 2 }), "takes [..., length, dim] with an even dim"],
    [llamaOf({ dim: 7 }), "a width of 7 can't be split among 2 heads"],
    [llamaOf({ vocabulary: 0 }), "llama: vocabulary is 0; take a whole number from 1"],
    [llamaOf({ base: 0 }), "llama: base is 0"],
    [llamaOf({ window: 0 }), "window is 0"],
    [llamaOf({ tied: "yes" }), 'llama: tied is the text "yes"; take true or false'],
    [(at, { labels }) => llama(at, labels, TEXT), "llama: a Llama takes tokens [batch, length], not i32[6]"],
    [(at, { points }) => llama(at, points, TEXT), "i32"],
    [vitOf({ patch: 3 }), "vit: patches of 3 by 3 do not fill images of 8 by 8; take a divisor"],
    [vitOf({ heads: 3 }), "a width of 8 can't be split among 3 heads; take a multiple"],
    [vitOf({ classes: 0 }), "vit: classes is 0; take a whole number from 1"],
    [
      (at, { points }) => vit(at, points, { ...ENCODER, classes: 3, patch: 4 }),
      "a ViT takes images [batch, channels, height, width], not f32[6, 3]",
    ],
    [resnetOf({ blocks: [] }), "resnet: blocks has the number of blocks of each stage; give a list, such as [2, 2, 2]"],
    [resnetOf({ blocks: [1, 0] }), "resnet: blocks 1 is 0; take a whole number from 1"],
    [resnetOf({ width: -1 }), "resnet: width is -1; take a whole number from 1"],
    [
      (at, { points }) => resnet(at, points, { classes: 3, width: 4, blocks: [1] }),
      "a ResNet takes images [batch, channels, height, width], not f32[6, 3]",
    ],
    [unetOf({ width: 6 }), "unet: a width of 6 is no multiple of twice the 4 groups; take one"],
    [unetOf({ levels: 5 }), "unet: images of 8 by 8 can't be halved 4 times; take fewer levels"],
    [unetOf({ levels: 0 }), "unet: levels is 0; take a whole number from 1"],
    [
      (at, { images, points }) => unet(at, images, points, { width: 8, levels: 1 }),
      "unet: the times are f32[6, 3]; give i32 [6]",
    ],
    [mlpOf({ activation: "swish" }), "there is no activation swish; take relu, tanh, gelu"],
    [mlpOf({ hidden: 4 }), "hidden has the widths of the hidden layers; give a list"],
    [mlpOf({ hidden: [4, 0] }), "mlp: hidden 1 is 0; take a whole number from 1"],
    [mlpOf({ outputs: 0.5 }), "mlp: outputs is 0.5; take a whole number from 1"],
    [(at, { points }) => logisticRegression(at, "classes", points, 0), "classes: the number of its outputs is 0"],
  ])("%#", async (build, message) => {
    await expect(closed(build, { steps: 1 })).rejects.toThrow(message);
  });
});
