export { accumulate } from "./accumulate.ts";
export { checkJob, type ClosedJob, type JobId, jobId, type NamedTensor } from "./closed.ts";
export { Context, type Parameter } from "./context.ts";
export { byteTokens, epochRows, type EpochOptions, sampleRows, sampleWindows } from "./data.ts";
export { defineJob, type JobDefinition, type JobSource } from "./define.ts";
export { evaluateRows, type EvaluateOptions } from "./evaluation.ts";
export { type Shard, shardRows } from "./sharding.ts";
export { constant, type Initializer, normal, ones, uniform, zeros } from "./initializers.ts";
export { causalSelfAttention } from "./layers/attention.ts";
export { experts, type ExpertsOptions } from "./layers/experts.ts";
export { residual, swiGlu, type SwiGluOptions } from "./layers/blocks.ts";
export { conv1dLayer, conv2dLayer, type ConvLayerOptions } from "./layers/convolution.ts";
export { embedding } from "./layers/embedding.ts";
export { linear, type LinearOptions } from "./layers/linear.ts";
export { lora, type LoraOptions, mergeLora } from "./layers/lora.ts";
export { norm } from "./layers/norm.ts";
export { batchNormLayer, type BatchNormLayerOptions, groupNormLayer, rmsNormLayer } from "./layers/norms.ts";
export { attention, type AttentionLayerOptions } from "./layers/self-attention.ts";
export { loadJob } from "./load.ts";
export { bert, type BertOptions } from "./models/bert.ts";
export { logisticRegression, perceptron, type PerceptronOptions } from "./models/classifier.ts";
export { gpt, type GptOptions } from "./models/gpt.ts";
export { llama, type LlamaOptions } from "./models/llama.ts";
export { resnet, type ResnetOptions } from "./models/resnet.ts";
export { unet, type UnetOptions } from "./models/unet.ts";
export { vit, type VitOptions } from "./models/vit.ts";
export { count, type DocumentedOption, option, type OptionRange, type Overrides } from "./options.ts";
export { adam, adamW, type AdamWOptions } from "./optimizers/adam.ts";
export { adafactor, type AdafactorOptions } from "./optimizers/adafactor.ts";
export { lion, type LionOptions } from "./optimizers/lion.ts";
export { muon, type MuonOptions } from "./optimizers/muon.ts";
export { nAdam, type NAdamOptions } from "./optimizers/nadam.ts";
export { rAdam } from "./optimizers/radam.ts";
export { rmsProp, type RmsPropOptions } from "./optimizers/rmsprop.ts";
export type { Group, Match } from "./optimizers/groups.ts";
export { ema } from "./optimizers/ema.ts";
export { globalNorm } from "./optimizers/norm.ts";
export type { Optimizer } from "./optimizers/optimizer.ts";
export { constantRate, type Moment, type Schedule } from "./optimizers/schedule.ts";
export { sgd, type SgdOptions } from "./optimizers/sgd.ts";
export {
  constantLR,
  cosineAnnealingLR,
  cosineAnnealingWarmRestarts,
  exponentialLR,
  linearLR,
  multiStepLR,
  stepLR,
} from "./optimizers/schedules.ts";
export { sequentialLR } from "./optimizers/sequential.ts";
export { warmupCosine } from "./optimizers/warmup-cosine.ts";
export { warmupStableDecay } from "./optimizers/warmup-stable-decay.ts";
export * from "../graph/index.ts";
