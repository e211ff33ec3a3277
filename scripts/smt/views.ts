/**
 * The sources as the SMT checker reads them. It can't follow a reference into a mapping, a token's calls or
 * assembly, and it takes every external function for one that anybody calls in any state. So it reads the
 * contracts' own text with few changes, each listed here, and with `test/smt/stubs/` in the place of
 * libraries that aren't the project's.
 */
import { readFileSync } from "node:fs";
import { readSource } from "../compiler.ts";

/** OpenZeppelin's, which use assembly. */
const STUBS = ["Math", "SafeCast"];
const stubOf = (name: string): string =>
  readFileSync(new URL(`../../test/smt/stubs/${name}.sol`, import.meta.url), "utf8");

/** Changes nothing that a proof is about. One that finds nothing to change throws. */
type View = (text: string) => string;

const replaced =
  (before: RegExp, after: string): View =>
  (text) => {
    if (text.search(before) < 0) throw new Error(`no ${before} to view`);
    return text.replace(before, after);
  };

/** Proofs derive from a contract and call its functions, which nobody else does. */
const internal: View[] = [replaced(/\b(external|private)\b/g, "internal"), replaced(/\/\/\/.*/g, "")];

/** An interface has to leave its functions to others: they are internal now. */
const withoutFunctions: View[] = [replaced(/^    function [^;]*;/gm, ""), replaced(/\/\/\/.*/g, "")];

const imports = (path: string): View =>
  replaced(/^(?=import )/m, `import {${path.replace(/.*\/|\.sol/g, "")}} from "${path}"; `);

/** A token's calls go to `stubs/Moved.sol`. */
const moved: View[] = [
  replaced(/^ +using (SafeERC20|ExactTransfer) for IERC20;$/gm, ""),
  replaced(/^import \{(SafeERC20|ExactTransfer|ReentrancyGuardTransient)\}.*$/gm, ""),
  replaced(/\btoken\.(?=(take|safeTransfer)\()/g, "Moved."),
  replaced(/\bReentrancyGuardTransient\b/g, "Moved"),
  imports("test/smt/stubs/Moved.sol"),
];
/** The calls of a vault go to `stubs/Booked.sol`. */
const booked: View[] = [replaced(/\bvault\.(?=(slash|credit|condemn|release)\()/g, "Booked.")];

/**
 * Writes a reference to a struct in a mapping out, in each function that has one: `account.active` becomes
 * `_accounts[owner].active`.
 */
const writtenOut =
  (type: string): View =>
  (text) => {
    let name = "";
    let place = "";
    const lines = text.split("\n").map((line) => {
      const reference = new RegExp(`^ +${type} storage (\\w+) = (.*);$`).exec(line);
      if (reference) [, name, place] = reference;
      if (line === "    }") name = "";
      if (reference) return "";
      return name === "" ? line : line.replaceAll(new RegExp(`\\b${name}\\.`, "g"), `${place}.`);
    });
    return lines.join("\n");
  };

const VIEWS: Readonly<Record<string, readonly View[]>> = {
  "contracts/StakeVault.sol": [
    writtenOut("Account"),
    ...internal,
    ...moved,
    // A permit changes no sum: it is another contract's.
    replaced(/^import \{IERC20Permit\}.*$/gm, ""),
    replaced(/^ +try IERC20Permit.*$/gm, ""),
  ],
  "contracts/exchange/SaleMoney.sol": [...internal, ...moved],
  "contracts/tasks/Payouts.sol": [
    ...internal,
    ...booked,
    replaced(/^ +emit .*;$/gm, ""),
    replaced(/\bt\.pot\b/g, "_pot"),
    replaced(/is TaskStore/, "is TaskStore, Booked"),
    imports("test/smt/stubs/Booked.sol"),
  ],
  // How a task is packed into a word is no part of a proof.
  "contracts/tasks/TaskStore.sol": [...internal, replaced(/^ +_tasks\[task\] = .*$/gm, "")],
  "contracts/libraries/Terms.sol": [
    // No proof calls `resolving`, which asks the manager's interface for a function.
    replaced(/^ +data = bytes\.concat\(.*$/gm, ""),
    // The shortest of all periods becomes the first of them, which is no shorter: fewer terms are refused.
    replaced(/^ +for \(uint256 i = 1; i < 8; i\+\+\).*$/gm, ""),
  ],
  "contracts/interfaces/IExchange.sol": withoutFunctions,
  "contracts/interfaces/IStakeVault.sol": withoutFunctions,
  "contracts/interfaces/ITaskManager.sol": withoutFunctions,
};

/**
 * @param change what a planted mistake does to the text
 * @returns the text of a source; its statements stay on their lines
 */
export function viewed(name: string, change: View = (text) => text): string {
  const stub = STUBS.find((stub_) => name === `@openzeppelin/contracts/utils/math/${stub_}.sol`);
  if (stub) return stubOf(stub);
  return (VIEWS[name] ?? []).reduce((text, view) => view(text), change(readSource(name)));
}
