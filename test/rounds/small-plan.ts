/** A plan whose leaves take milliseconds: clients fit a line to their own points, and a server takes the mean. */
import { adamW, add, linear, mean, mul, square, sub, tensor } from "../../src/job/index.ts";
import { combine, defineRounds, each, train } from "../../src/rounds/index.ts";

/** Points that follow from the member and the row alone. */
function points(member: number, rows: number) {
  const x = Array.from({ length: 2 * rows }, (_, i) => ((i * 37 + member * 11) % 23) / 23 - 0.5);
  const y = Array.from({ length: rows }, (_, row) => 0.75 * x[2 * row] - 0.5 * x[2 * row + 1] + member / 16);
  return { x: tensor([rows, 2], x), y: tensor([rows, 1], y) };
}

export const smallPlan = defineRounds({
  name: "line",
  rounds: 2,
  seed: 3,
  options: { clients: 3, inner: 2, rows: 6, rate: 0.05 },
  members: ({ clients }) => ({ client: clients, server: 1 }),
  data: (role, member, { rows }) => (role === "client" ? points(member, rows) : {}),
  turns({ clients, inner, rate }) {
    const local = train({
      by: "client",
      steps: inner,
      weights: "merge",
      loss: (job) => mean(square(sub(linear(job, "line", job.data.x, 1), job.data.y))),
      optimizer: adamW({ learningRate: rate }),
    });
    const merge = combine({
      by: "server",
      weightsOf: local,
      reads: { clients: each("local") },
      next: (_, reads) =>
        mul(
          reads.clients.reduce((sum, value) => add(sum, value)),
          1 / clients,
        ),
    });
    return { local, merge };
  },
});

export default smallPlan;
