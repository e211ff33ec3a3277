/**
 * The vectors of the arithmetic, which the definition in `src/repops` makes and the contracts have to meet
 * (test/solidity): `test/vectors/floats.json`. `npm run contracts` writes the file.
 */
import { toHex } from "../src/encoding/bytes.ts";
import { floatCases, OPERATIONS } from "../test/sweep/cases.ts";

/** Cases of each operation. */
const FLOATS = 300;

/**
 * The text of `test/vectors/floats.json`: for each operation its code (one byte) and cases of two operands
 * and a result, 4 bytes each.
 */
export function floatVectors(): string {
  const operations = OPERATIONS.map(({ code, name }) => ({ code, name }));
  const encoded = OPERATIONS.map(
    (operation) =>
      `${toHex(Uint8Array.of(operation.code))}${toHex(floatCases(operation, FLOATS, operation.code)).slice(2)}`,
  );
  return `${JSON.stringify({ operations, encoded }, null, 1)}\n`;
}
