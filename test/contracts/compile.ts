/** The compiler's errors about snippets. */
import { compile } from "../../scripts/compiler.ts";

/** The compiler's errors about a source that imports from the root of the checkout. Generates no code. */
export function errorsIn(content: string): string[] {
  const { errors = [] } = compile("test/Snippet.sol", content, { evmVersion: "osaka" });
  return errors.filter(({ severity }) => severity === "error").map(({ formattedMessage }) => formattedMessage);
}
