/**
 * DiLoCo whose workers come and go, as in PRIME's training of INTELLECT-1 (arXiv 2412.01152): `./verde rounds
 * run examples/rounds/elastic-diloco.ts --out out/a --away worker-2=2`
 *
 * The server takes the mean of the changes of those who were there, so nobody's change of a round in which it
 * was away counts. Who is back starts from the server's weights, as all do, and with fresh moments: its own
 * are of weights that the others have left.
 */
import { fileURLToPath } from "node:url";
import { adamW, byteTokens, crossEntropy, gpt, intTensor, option, sampleWindows, sub } from "@verde-ml/verde/job";
import { combine, defineRounds, each, meanPresent, train } from "@verde-ml/verde/rounds";
import { outerStep } from "./diloco.ts";

const PROSE = fileURLToPath(new URL("../data/verde.txt", import.meta.url));

export default defineRounds({
  name: "elastic-diloco",
  rounds: 3,
  seed: 1,
  options: {
    workers: option(4, "how many workers may train apart, each on its own part of the text"),
    quorum: option(2, "how many of them have to be there in a round"),
    stores: option(0, "how many stores keep what each leaf hands on; 0: none"),
    copies: option(2, "with stores: how many of them must hold a leaf before it counts"),
    inner: option(5, "steps of AdamW in a round"),
    batch: option(4, "windows of text in a step"),
    context: option(32, "tokens in a window"),
    dim: option(32, "width of the model"),
    rate: option(0.01, "learning rate of AdamW"),
    outer: option(0.7, "learning rate of the server"),
    momentum: option(0.9, "momentum of the server"),
  },
  members: ({ workers, stores }) => ({ worker: workers, server: 1, ...(stores > 0 && { store: stores }) }),
  storage: ({ stores, copies }) => (stores > 0 ? { by: "store", copies } : undefined),
  quorum: ({ quorum }) => ({ local: quorum }),
  async data(role, member, { workers }) {
    if (role !== "worker") return {};
    const { data } = await byteTokens(PROSE);
    // The last tenth is for those who evaluate.
    const size = Math.floor((0.9 * data.length) / workers);
    return { text: intTensor([size], data.slice(member * size, (member + 1) * size)) };
  },
  turns({ inner, batch, context, dim, rate, outer: outerRate, momentum: share }) {
    const local = train({
      by: "worker",
      steps: inner,
      weights: "outer",
      renews: true,
      loss(job) {
        const { inputs, targets } = sampleWindows(job, job.data.text, { batch, length: context });
        return crossEntropy(gpt(job, inputs, { vocabulary: 256, layers: 1, heads: 2, dim, context }), targets);
      },
      optimizer: adamW({ learningRate: rate, beta2: 0.95, weightDecay: 0.1, clipNorm: 1 }),
    });
    const outer = combine({
      by: "server",
      weightsOf: local,
      keeps: ["momentum"],
      reads: { changed: each("local") },
      next(own, { changed }, { present }) {
        const changes = changed.map((weight) => sub(own.weight, weight));
        return outerStep(own.weight, own.momentum, meanPresent(changes, present.changed), outerRate, share);
      },
    });
    return { local, outer };
  },
});
