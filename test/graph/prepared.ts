/** A graph that is prepared once and run on many inputs. */
import type { Tensor, TensorType } from "../../src/encoding/tensor.ts";
import { dense, GraphBuilder, type Value } from "../../src/graph/index.ts";
import type { Backend } from "../../src/repops/backends/backend.ts";

export interface Prepared {
  run(inputs: readonly Tensor[]): Promise<Tensor>;
  close(): Promise<void>;
}

export async function prepared(
  backend: Backend,
  types: readonly TensorType[],
  body: (...values: Value[]) => Value,
): Promise<Prepared> {
  const builder = new GraphBuilder();
  const value = body(...types.map((type, i) => builder.input(`input ${i}`, type)));
  const graph = builder.finish([{ name: "y", value: dense(value) }]);
  const keep = [graph.outputs[0].tensor];
  const session = await backend.prepare(graph, { keep });
  return {
    async run(inputs) {
      for (const [i, tensor] of inputs.entries()) await session.write(i, tensor);
      await session.execute();
      return session.read(keep[0]);
    },
    close: () => session.close(),
  };
}
