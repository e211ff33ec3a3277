/** A composition of operators as one operator, for the vectors that certify its gradients. */
import { add } from "./ops/add.ts";
import type { Value } from "./value.ts";

/** The f32 values of which a value was made and that were not made themselves, in their order. */
function leavesOf(y: Value): Value[] {
  const seen = new Set<Value>();
  const visit = (value: Value): void => {
    if (seen.has(value)) return;
    seen.add(value);
    value.origin?.inputs.forEach(visit);
  };
  visit(y);
  return [...seen].filter(({ origin, dtype }) => !origin && dtype === "f32").sort((a, b) => a.order - b.order);
}

/**
 * The same values, whose gradients flow back to the inputs of the graph at once. Where an operator ends in a
 * view, its own record says how the gradient passes that view, and nothing else.
 */
export function asOne(y: Value): Value {
  const leaves = leavesOf(y);
  return y.withOrigin(leaves, (gradient) => {
    const flowing = new Map<Value, Value>([[y, gradient]]);
    const pending = new Set<Value>([y]);
    while (pending.size > 0) {
      const value = [...pending].reduce((last, other) => (other.order > last.order ? other : last));
      pending.delete(value);
      const known = flowing.get(value);
      value.origin?.backward(known!).forEach((contribution, i) => {
        const input = value.origin!.inputs[i];
        const before = flowing.get(input);
        if (!contribution) return;
        flowing.set(input, before ? add(before, contribution) : contribution);
        pending.add(input);
      });
    }
    return leaves.map((leaf) => flowing.get(leaf));
  });
}
