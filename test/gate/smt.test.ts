/**
 * What the SMT checker proves of the contracts (`scripts/smt.ts`), and that the proofs fail on planted
 * mistakes. The gate runs two proofs, and `VERDE_SWEEP=1` all; without Z3 the kept report is still held to
 * the sources.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it, test } from "vitest";
import type { Report } from "../../scripts/smt.ts";
import { failuresOf, targetsOf, unreached, type Target } from "../../scripts/smt/check.ts";
import { ALL } from "../../scripts/smt/proofs.ts";
import { simplified, solverVersion } from "../../scripts/smt/queries.ts";
import { viewed } from "../../scripts/smt/views.ts";

const report = JSON.parse(readFileSync(new URL("../smt/report.json", import.meta.url), "utf8")) as Report;
const hasSolver = solverVersion() !== undefined;
if (!hasSolver)
  console.warn("skipped: Z3 is missing (Debian: apt-get install z3), so nothing is proved of the contracts");
const SWEEP = process.env.VERDE_SWEEP !== undefined;
/** A busy machine takes ten times as long as an idle one. */
const LIMIT = 600_000;

const named = (name: string): (typeof ALL)[number] => ALL.find(({ file }) => file === `test/smt/${name}.sol`)!;
const open = (targets: Target[]): string[] => targets.filter(({ isProved }) => !isProved).map(({ at, text }) => `${at} ${text}`); // prettier-ignore

describe("the kept report", () => {
  it("has proved everything, and noticed each mistake that is planted", () => {
    expect(open(report.targets)).toEqual([]);
    expect(report.unreached).toEqual([]);
    expect(report.mistakes.filter(({ noticed }) => noticed.length === 0)).toEqual([]);
    const planted = report.mistakes.map(({ proof, file, before, after }) => ({ proof, file, before, after }));
    expect(planted).toEqual(ALL.flatMap(({ mistakes }) => mistakes));
  });

  it("is about the contracts as they are: run scripts/smt.ts again where it isn't", () => {
    for (const { at, text } of report.targets) {
      const [file, line] = at.split(":");
      const from = viewed(file).split("\n").slice(Number(line) - 1).join(" ").replace(/\s+/g, " "); // prettier-ignore
      expect(from.slice(0, 400), at).toContain(text.slice(0, 120));
    }
  });
});

test("a query gets less to say about bits, and no more", () => {
  const bits = (of: string): string => `(ite (>= ${of} 0) ((_ int2bv 8) ${of}) (bvneg ((_ int2bv 8) (- ${of}))))`;
  const query = (term: string): string => simplified(`(set-logic ALL)\n(declare-fun a () Int)\n(assert (= a ${term}))`);
  expect(query(`(bv2nat ${bits("a")})`)).toContain("(assert (= a (mod a 256)))");
  expect(query(`(bv2nat (bvnot ${bits("a")}))`)).toContain("(assert (= a (bvnot_8_of_1 a)))");
  const both = query(`(bv2nat (bvand ${bits("a")} ${bits("b")}))`);
  expect(both).toContain("(declare-fun bvand_8_of_2 (Int Int) Int)\n(declare-fun a () Int)");
  expect(both).toContain("(assert (= a (bvand_8_of_2 a b)))");
  const mixed = `(bv2nat ${bits("a").replace("(- a)", "(- b)")})`;
  expect(query(mixed)).toContain(`(assert (= a ${mixed}))`);
  expect(query("(+ a 1)")).toContain("(assert (= a (+ a 1)))");
});

describe.skipIf(!hasSolver || SWEEP)("two proofs", () => {
  const [terms, vault] = [named("Terms"), named("Vault")];
  const [wrong, slashed] = [terms, vault].map(({ mistakes }) => mistakes);

  test("all amounts of a task fit the vault, whatever the terms", { timeout: LIMIT }, () => {
    const targets = targetsOf(terms, "fits");
    expect(open(targets)).toEqual([]);
    expect(targets.map(({ text }) => text)).toContain("assert(seats + paid < 168 * 2 ** 80)");
    expect(unreached(terms, "fits")).toEqual([]);
    expect(open(failuresOf(terms, wrong.find(({ proof }) => proof === "fits")!))).not.toEqual([]);
  });

  test("a slash that forgets unbonding stake is noticed", { timeout: LIMIT }, () => {
    const failures = failuresOf(vault, slashed.find(({ after }) => after === "escrow += uint128(fromActive);")!);
    expect(open(failures).join("\n")).toMatch("assert(_total(s.owner) == _totalOf(s))");
  });

  test("a proof without a state to begin in is noticed", { timeout: LIMIT }, () => {
    expect(unreached({ ...named("Payouts"), loops: 1 }, "fills")).toEqual(["fills"]);
  });
});

describe.skipIf(!hasSolver || !SWEEP).each(ALL)("$file", (proofs) => {
  test("is proved, and reached", { timeout: LIMIT }, () => {
    expect(open(targetsOf(proofs))).toEqual([]);
    expect(unreached(proofs)).toEqual([]);
  });

  test.each(proofs.mistakes)("$proof notices $before", { timeout: LIMIT }, (mistake) => {
    expect(failuresOf(proofs, mistake)).not.toEqual([]);
  });
});
