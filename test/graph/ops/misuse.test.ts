/** What the operators of networks refuse: each message begins with the path of the layer, and names shapes or settings. */
import { describe, expect, test } from "vitest";
import { VerdeError } from "../../../src/errors/index.ts";
import * as graph from "../../../src/graph/index.ts";
import type { Value } from "../../../src/graph/index.ts";

const builder = new graph.GraphBuilder();
const f = (...shape: number[]): Value => builder.input(`f ${shape.join(" ")} ${names++}`, { dtype: "f32", shape });
const i = (...shape: number[]): Value => builder.input(`i ${shape.join(" ")} ${names++}`, { dtype: "i32", shape });
let names = 0;

const other = new graph.GraphBuilder().input("x", { dtype: "f32", shape: [4, 4] });
const wrong = (value: unknown): never => value as never;

const CASES: readonly [message: string, () => unknown][] = [
  [
    "layer-norm: weight f32[3] and bias f32[4] do not fit rows of f32[2, 4]",
    () => graph.layerNorm(f(2, 4), f(3), f(4)),
  ],
  ["rms-norm: weight f32[3] do", () => graph.rmsNorm(f(2, 4), f(3))],
  ["rms-norm: epsilon is -1", () => graph.rmsNorm(f(2, 4), f(4), -1)],
  ["group-norm: 4 channels can't be split into 3 groups", () => graph.groupNorm(f(2, 4, 5), 3)],
  ["group-norm: takes [examples, channels, ...], not f32[4]", () => graph.groupNorm(f(4), 1)],
  ["group-norm: weight f32[3] does not fit f32[2, 4, 5]", () => graph.groupNorm(f(2, 4, 5), 2, f(3))],
  ["batch-norm: a batch with 1 elements of a channel has no variance", () => graph.batchNorm(f(1, 4))],
  [
    "batch-norm: one of mean and variance is missing",
    () => graph.batchNorm(f(3, 4), undefined, undefined, { mean: f(4) }),
  ],
  [
    "batch-norm: there is no option momentum",
    () => graph.batchNorm(f(3, 4), undefined, undefined, wrong({ momentum: 1 })),
  ],
  ["softmax: axis 2 of f32[3, 4] does not exist", () => graph.softmax(f(3, 4), 2)],
  ["log-softmax: takes rows, not the scalar f32[]", () => graph.logSoftmax(f())],
  ["cross-entropy: targets i32[2] for logits f32[3, 4]", () => graph.crossEntropy(f(3, 4), i(2))],
  ["cross-entropy: labelSmoothing is 1", () => graph.crossEntropy(f(3, 4), i(3), { labelSmoothing: 1 })],
  [
    'cross-entropy: the reduction is the text "avg"; take mean, sum or none',
    () => graph.crossEntropy(f(3, 4), i(3), wrong({ reduction: "avg" })),
  ],
  ["nll-loss: there is no option labelSmoothing", () => graph.nllLoss(f(3, 4), i(3), wrong({ labelSmoothing: 0.1 }))],
  ["cross-entropy: takes its options as an object", () => graph.crossEntropy(f(3, 4), i(3), wrong("name"))],
  ["mse-loss: f32[3, 4] and the target f32[4] differ in shape", () => graph.mseLoss(f(3, 4), f(4))],
  ["huber-loss: delta is 0", () => graph.huberLoss(f(3), f(3), { delta: 0 })],
  ["kl-div: logTarget is 1", () => graph.klDiv(f(3), f(3), { logTarget: wrong(1) })],
  [
    'kl-div: the reduction is the text "all"; take mean, batchmean, sum or none',
    () => graph.klDiv(f(3), f(3), { reduction: wrong("all") }),
  ],
  ["bce-with-logits: takes f32, not i32[3]", () => graph.binaryCrossEntropyWithLogits(f(3), i(3))],
  ["normalize: epsilon is 0", () => graph.normalize(f(3, 4), -1, 0)],
  ["cosine-similarity: f32[3, 4] and f32[4, 3] differ in shape", () => graph.cosineSimilarity(f(3, 4), f(4, 3))],
  [
    "contrastive: takes two matrices of one shape, not f32[3, 4] and f32[2, 4]",
    () => graph.contrastiveLoss(f(3, 4), f(2, 4)),
  ],
  ["contrastive: temperature is 0", () => graph.contrastiveLoss(f(3, 4), f(3, 4), { temperature: 0 })],
  [
    "conv2d: takes [examples, channels, height, width] and a weight of as many axes, not f32[2, 3, 4] and f32[2, 3, 4, 4]",
    () => graph.conv2d(f(2, 3, 4), f(2, 3, 4, 4)),
  ],
  [
    "conv2d: the weight f32[4, 3, 2, 2] does not fit f32[1, 4, 5, 5] in 2 groups; it has to have 2 inputs",
    () => graph.conv2d(f(1, 4, 5, 5), f(4, 3, 2, 2), undefined, { groups: 2 }),
  ],
  ["conv2d: bias is false", () => graph.conv2d(f(1, 4, 5, 5), f(4, 4, 2, 2), false as never)],
  [
    "conv2d: 5 channels can't be split into 2 groups",
    () => graph.conv2d(f(1, 5, 5, 5), f(4, 3, 2, 2), undefined, { groups: 2 }),
  ],
  [
    "conv2d: stride is a list of 3; give one number, or a list of 2",
    () => graph.conv2d(f(1, 4, 5, 5), f(4, 4, 2, 2), undefined, { stride: [1, 1, 1] }),
  ],
  ["conv2d: stride is 0", () => graph.conv2d(f(1, 4, 5, 5), f(4, 4, 2, 2), undefined, { stride: 0 })],
  [
    'conv2d: padding "same" keeps the extents at a stride of 1 only, and the stride is 2, 2',
    () => graph.conv2d(f(1, 4, 5, 5), f(4, 4, 2, 2), undefined, { stride: 2, padding: "same" }),
  ],
  [
    "conv1d: a kernel that reaches over 9 elements does not fit an axis of 7, of f32[1, 1, 7]",
    () => graph.conv1d(f(1, 1, 7), f(1, 1, 3), undefined, { dilation: 4 }),
  ],
  ["conv1d: the bias f32[3] does not fit 2 channels", () => graph.conv1d(f(1, 1, 7), f(2, 1, 3), f(3))],
  [
    "conv-transpose1d: the weight f32[3, 1, 3] does not fit f32[1, 2, 7]; its first extent has to be 2",
    () => graph.convTranspose1d(f(1, 2, 7), f(3, 1, 3)),
  ],
  [
    "conv-transpose1d: outputPadding is 2; take one below the stride or the dilation",
    () => graph.convTranspose1d(f(1, 2, 7), f(2, 1, 3), undefined, { stride: 2, outputPadding: 2 }),
  ],
  ["max-pool2d: padding is 2 for a kernel of 3; take half", () => graph.maxPool2d(f(1, 1, 7, 7), 3, { padding: 2 })],
  ["max-pool1d: a window of 9 does not fit an axis of 7, of f32[1, 1, 7]", () => graph.maxPool1d(f(1, 1, 7), 9)],
  ["avg-pool2d: takes [examples, channels, height, width], not f32[1, 7, 7]", () => graph.avgPool2d(f(1, 7, 7), 3)],
  ["avg-pool2d: countIncludePad is 1", () => graph.avgPool2d(f(1, 1, 7, 7), 3, { countIncludePad: wrong(1) })],
  ["avg-pool2d: there is no option dilation", () => graph.avgPool2d(f(1, 1, 7, 7), 3, wrong({ dilation: 2 }))],
  ["adaptive-avg-pool2d: size is 0", () => graph.adaptiveAvgPool2d(f(1, 1, 7, 7), 0)],
  ["rotary: takes [..., length, dim] with an even dim, not f32[3, 5]", () => graph.rotaryEmbedding(f(3, 5))],
  [
    "rotary: the positions i32[2] are not one i32 for each row of f32[3, 4]",
    () => graph.rotaryEmbedding(f(3, 4), { positions: i(2) }),
  ],
  [
    "attention: queries f32[3, 4, 5], keys f32[2, 4, 5] and values f32[2, 4, 5] do not fit together",
    () => graph.scaledDotProductAttention(f(3, 4, 5), f(2, 4, 5), f(2, 4, 5)),
  ],
  [
    "attention: window needs isCausal",
    () => graph.scaledDotProductAttention(f(3, 4, 5), f(3, 4, 5), f(3, 4, 5), { window: 2 }),
  ],
  [
    "attention: the mask f32[4, 4] is not i32",
    () => graph.scaledDotProductAttention(f(3, 4, 5), f(3, 4, 5), f(3, 4, 5), { attnMask: f(4, 4) }),
  ],
  [
    "attention: takes its options as an object, not null",
    () => graph.scaledDotProductAttention(f(3, 4, 5), f(3, 4, 5), f(3, 4, 5), wrong(null)),
  ],
  [
    "attention: attnMask is false",
    () => graph.scaledDotProductAttention(f(3, 4, 5), f(3, 4, 5), f(3, 4, 5), { attnMask: wrong(false) }),
  ],
  [
    "attention-dropout: the seed of the source is undefined",
    () => graph.scaledDotProductAttention(f(3, 4, 5), f(3, 4, 5), f(3, 4, 5), { dropout: wrong({ rate: 0.1 }) }),
  ],
  ["rotary: positions is false", () => graph.rotaryEmbedding(f(3, 4), { positions: wrong(false) })],
  ["unsqueeze: f32[3] has no place a symbol for an axis", () => graph.unsqueeze(f(3), wrong(Symbol("axis")))],
  [
    "masked-fill: the value is -Infinity, below the least vf32, -2^127; take a greater one",
    () => graph.maskedFill(f(3), i(3), -Infinity),
  ],
];

const refusal = (call: () => unknown): string => {
  try {
    builder.scope("net", () => builder.scope("layer", call));
  } catch (error) {
    expect(error).toBeInstanceOf(VerdeError);
    return (error as Error).message;
  }
  return "nothing was refused";
};

describe("an operator refuses, with its path:", () => {
  for (const [message, call] of CASES) test(message, () => expect(refusal(call)).toContain(`net/layer/${message}`));

  test("operands of two graphs", () => {
    for (const call of [
      () => graph.mseLoss(f(4, 4), other),
      () => graph.conv1d(f(1, 4, 4), other),
      () => graph.rmsNorm(f(4, 4), other),
      () => graph.contrastiveLoss(f(4, 4), other),
      () => graph.crossEntropy(other, i(4)),
    ])
      expect(refusal(call)).toMatch(/net\/layer\/[\w-]+: |belongs to another graph/);
  });
});
