/** A plan whose clients draw rows of their points by the seed, and may be away. Its leaves take milliseconds. */
import { adamW, linear, mean, option, sampleRows, square, sub, tensor } from "../../src/job/index.ts";
import { combine, defineRounds, each, meanPresent, train } from "../../src/rounds/index.ts";
import { testBeacon } from "./test-beacon.ts";

/** Points that follow from the member and the row alone. */
function points(member: number) {
  const x = Array.from({ length: 32 }, (_, i) => ((i * 37 + member * 11) % 23) / 23 - 0.5);
  const y = Array.from({ length: 16 }, (_, row) => 0.75 * x[2 * row] - 0.5 * x[2 * row + 1] + member / 16);
  return { x: tensor([16, 2], x), y: tensor([16, 1], y) };
}

export const seedsPlan = defineRounds({
  name: "draws",
  rounds: 3,
  seed: 3,
  options: {
    clients: 3,
    quorum: 2,
    seeds: option("record", "what the seeds follow from"),
    published: option(0, "1: with the beacon of the tests"),
  },
  members: ({ clients }) => ({ client: clients, server: 1 }),
  quorum: ({ quorum }) => ({ local: quorum }),
  seeds: ({ seeds }) => seeds,
  beacon: ({ published }) => (published === 1 ? testBeacon : undefined),
  data: (role, member) => (role === "client" ? points(member) : {}),
  turns() {
    const local = train({
      by: "client",
      steps: 2,
      weights: "merge",
      loss(job) {
        const drawn = sampleRows(job, { x: job.data.x, y: job.data.y }, 4);
        return mean(square(sub(linear(job, "line", drawn.x, 1), drawn.y)));
      },
      optimizer: adamW({ learningRate: 0.05 }),
    });
    const merge = combine({
      by: "server",
      weightsOf: local,
      reads: { clients: each("local") },
      next: (_, { clients }, { present }) => meanPresent(clients, present.clients),
    });
    return { local, merge };
  },
});

export default seedsPlan;
