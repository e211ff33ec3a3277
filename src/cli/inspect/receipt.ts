/** `verde inspect` of a receipt: what it says. Whether that holds is for `verde check` to find out. */
import type { Receipt } from "../../audit/receipt.ts";
import { checkReceipt } from "../../audit/receipt.ts";
import { inWords } from "../../audit/audit.ts";
import { formatAddress } from "../../claims/claim.ts";
import { quote } from "../../errors/text.ts";
import { colors, writeJson, writeLine } from "../output.ts";

export function inspectReceipt(path: string, receipt: Receipt, json: boolean): void {
  const { statement, auditor, finding } = checkReceipt(receipt);
  const { schemaVersion: _, ...said } = statement;
  const check = `verde check ${path} --a ${statement.run}`;
  if (json) {
    writeJson({ schemaVersion: 1, file: path, verified: false, ...said, auditor: formatAddress(auditor), check });
    return;
  }
  const rows: [string, string][] = [
    ["receipt", `of an audit, signed by ${formatAddress(auditor)}`],
    ["run root", statement.run],
    [
      "steps",
      `${statement.covered} of ${statement.steps + 1} with the initial state, on ${quote(statement.backend, 80)}`,
    ],
    ["says", finding ? inWords(finding) : "all of them hold"],
  ];
  for (const [name, value] of rows) writeLine(`${colors.dim(name.padEnd(12))} ${value}`);
  writeLine(colors.yellow("The signature is right. Whether it is true is shown by --replay TRACE of:"), `  ${check}`);
}
