/** The option `--hardfork`: the rules of a local chain. */
import { UsageError } from "../../errors/index.ts";
import { type Hardfork, HARDFORKS } from "../../settlement/local/hardfork.ts";

/** @throws {UsageError} for a name that is no fork of Ethereum that a local chain can have */
export function hardforkFrom(text: string): Hardfork {
  const found = HARDFORKS.find((name) => name === text);
  if (found) return found;
  throw new UsageError("VALUE", `--hardfork ${text} is not one of ${HARDFORKS.join(", ")}; choose one of them`, {
    expected: HARDFORKS,
    found: text,
  });
}
