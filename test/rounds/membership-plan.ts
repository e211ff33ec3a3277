/** The small plan with clients that may be away: the server takes the mean of those who are there. Stores if asked. */
import { adamW, linear, mean, square, sub, tensor } from "../../src/job/index.ts";
import { combine, defineRounds, each, meanPresent, train } from "../../src/rounds/index.ts";

/** Points that follow from the member and the row alone. */
function points(member: number) {
  const x = Array.from({ length: 12 }, (_, i) => ((i * 37 + member * 11) % 23) / 23 - 0.5);
  const y = Array.from({ length: 6 }, (_, row) => 0.75 * x[2 * row] - 0.5 * x[2 * row + 1] + member / 16);
  return { x: tensor([6, 2], x), y: tensor([6, 1], y) };
}

export const membershipPlan = defineRounds({
  name: "members",
  rounds: 3,
  seed: 3,
  options: { clients: 3, quorum: 2, inner: 2, stores: 0, copies: 2 },
  members: ({ clients, stores }) => ({ client: clients, server: 1, ...(stores > 0 && { store: stores }) }),
  storage: ({ stores, copies }) => (stores > 0 ? { by: "store", copies } : undefined),
  quorum: ({ quorum }) => ({ local: quorum }),
  data: (role, member) => (role === "client" ? points(member) : {}),
  turns({ inner }) {
    const local = train({
      by: "client",
      steps: inner,
      weights: "merge",
      loss: (job) => mean(square(sub(linear(job, "line", job.data.x, 1), job.data.y))),
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

export default membershipPlan;
