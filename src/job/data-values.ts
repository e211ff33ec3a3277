/** The tensors of a dataset as values of the step graph. */
import { JobError } from "../errors/index.ts";
import { quote } from "../errors/text.ts";
import type { Value } from "../graph/value.ts";

/** A dataset's tensors by name, as values of the step graph. */
export type DataValues = Readonly<Record<string, Value>>;

/** The dataset's tensors by name. A name that it does not have is an error, where it is misspelt. */
export function named(inputs: readonly [string, Value][]): DataValues {
  return new Proxy(Object.fromEntries(inputs), {
    get: (values, name) => {
      if (typeof name === "symbol" || Object.hasOwn(values, name)) return Reflect.get(values, name) as Value;
      // Programs ask every object whether it is a promise, or has a form of its own in JSON.
      if (name === "then" || name === "toJSON") return undefined;
      const known = Object.keys(values).join(", ");
      throw new JobError("DATA", `the dataset has no tensor called ${quote(name)}; it has ${known || "none"}`, {
        name,
      });
    },
  });
}
