/**
 * Writes the tables of docs/accuracy.md, from the certificates and from folds that it computes.
 *
 *     node bench/accuracy/page.ts
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { wasm } from "../../src/repops/backends/wasm/backend.ts";
import { PROGRAMS } from "../../src/repops/functions/index.ts";
import { certificateFile, readCertificate, sampleOf, UNARY } from "./certificate.ts";
import { type FoldErrors, foldErrors } from "./folds.ts";
import { type Claim, CLAIMS, type UnaryName } from "./references.ts";

const page = new URL("../../docs/accuracy.md", import.meta.url);

/**
 * The rows for functions. Where there is no certificate yet, the error is that of the certificates' sample.
 */
async function functionRow(name: UnaryName): Promise<string> {
  const { ulp, from, absolute = 0 }: Claim = CLAIMS[name];
  const certified = existsSync(certificateFile(name));
  const certificate = certified ? readCertificate(name) : undefined;
  const largest = certificate?.ulp.largest ?? (await sampleOf(name, wasm)).largest;
  const where = from === undefined ? "" : `x ≥ ${from}; below, absolute 2^${Math.log2(absolute).toFixed(1)}`;
  const order = certificate?.monotonic
    ? certificate.monotonic.holds
      ? "yes"
      : `${certificate.monotonic.disorders} pairs are not`
    : "";
  return `| ${name} | ${ulp} | ${largest.toFixed(3)}${certified ? "" : " (sample)"} | ${where} | ${order} | ${PROGRAMS[name].steps.length} |`;
}

const foldRow = ({ length, fold, plain, lanes }: FoldErrors): string =>
  `| ${fold} | ${length} | ${[plain, lanes].map(({ largest, mean }) => `${largest.toFixed(2)} | ${mean.toFixed(2)}`).join(" | ")} |`;

/** The page with the text between two marks replaced. */
function between(text: string, mark: string, lines: readonly string[]): string {
  const [start, end] = [`<!-- ${mark} -->`, `<!-- end of ${mark} -->`];
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/accuracy.md lacks the marks of ${mark}`);
  return `${text.slice(0, from + start.length)}\n\n${lines.join("\n")}\n\n${text.slice(to)}`;
}

const functions: string[] = [];
for (const name of UNARY) functions.push(await functionRow(name));
const text = between(readFileSync(page, "utf8"), "functions", [
  "| function | claim, ULP | largest error, ULP | where | monotonic | instructions |",
  "|---|---|---|---|---|---|",
  ...functions,
]);
const folds = (await foldErrors()).map(foldRow);
writeFileSync(
  page,
  between(text, "folds", [
    "| fold | length | largest, plain | mean, plain | largest, lanes | mean, lanes |",
    "|---|---|---|---|---|---|",
    ...folds,
  ]),
);
