/** A mutant fails the same tests whether it is compiled alone or beside all others (`scripts/mutants/`). */
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { build } from "../../scripts/mutants/build.ts";
import { changed, mutantsOf } from "../../scripts/mutants/mutants.ts";
import { schemaOf, viewed } from "../../scripts/mutants/schema.ts";
import { Suites } from "../../scripts/mutants/suites.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const CONTRACT = "contracts/Sample.sol";
const SUITE = "test/solidity/Sample.t.sol";
/** A line of each kind that contracts have. */
const SOURCE = `// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

type Level is uint8;
using {same as ==, lower as <} for Level global;
function same(Level a, Level b) pure returns (bool) { return Level.unwrap(a) == Level.unwrap(b); }
function lower(Level a, Level b) pure returns (bool) { return Level.unwrap(a) < Level.unwrap(b); }

library Sample {
    struct Box { uint256 value; }
    error Odd();

    function arithmetic(uint256 a, uint256 b) internal pure returns (uint256 c) {
        c = a + b * 3 - (a & b);
        c += a > b ? a - b : b - a;
        if (!(a == 7) && b != 2) c++;
        else c -= 1;
    }

    function loop(uint256 n) internal pure returns (uint256 sum) {
        for (uint256 i = 0; i < n; i++) {
            if (i == 3) continue;
            sum += i;
        }
        require(sum > 0 || n == 0, Odd());
    }

    function nested(uint256 n) internal pure returns (uint256) {
        if (n >= 10) return _half(n);
        uint256 doubled = n * 2;
        if (n <= 4) doubled = doubled | 1;
        return doubled;
    }

    function _half(uint256 n) private pure returns (uint256) {
        return n / 2;
    }

    function levels(uint8 a, uint8 b) internal pure returns (uint256) {
        Level first = Level.wrap(a);
        Level second = Level.wrap(b);
        if (first == second) return 0;
        return first < second ? 1 : 2;
    }

    function inAssembly(uint256 a, uint256 b) internal pure returns (uint256 c) {
        assembly ("memory-safe") {
            function twice(x) -> y {
                y := add(x, x)
            }
            c := twice(sub(a, and(b, 0xf0)))
            if lt(c, shl(2, b)) { c := xor(c, shr(1, a)) }
            if gt(c, 0x1000) { c := or(c, 0x0f) }
        }
    }

    function remember(Box storage box, uint256 value) internal {
        Box storage same_;
        same_ = box;
        same_.value = value;
        delete same_.value;
        box.value -= 0;
        box.value += value;
    }
}
`;
const TESTS = `// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Sample} from "../../contracts/Sample.sol";

contract SampleTest {
    Sample.Box box;

    function test_arithmetic() public pure {
        assert(Sample.arithmetic(7, 2) == 7 + 6 - 2 + 5 - 1);
        assert(Sample.arithmetic(3, 9) == 3 + 27 - 1 + 6 + 1);
    }
    function test_arithmeticOfEqual() public pure { assert(Sample.arithmetic(5, 5) == 5 + 15 - 5 + 0 + 1); }
    function test_loop() public pure { assert(Sample.loop(6) == 12); }
    function test_loopOfNone() public pure { assert(Sample.loop(0) == 0); }
    function test_nested() public pure { assert(Sample.nested(10) == 5 && Sample.nested(30) == 15); }
    function test_nestedBelow() public pure { assert(Sample.nested(9) == 18 && Sample.nested(5) == 10); }
    function test_nestedLow() public pure { assert(Sample.nested(4) == 9); }
    function test_levels() public pure { assert(Sample.levels(3, 3) == 0 && Sample.levels(3, 4) == 1); }
    function test_levelsDown() public pure { assert(Sample.levels(4, 3) == 2); }
    function test_inAssembly() public pure { assert(Sample.inAssembly(100, 0x25) == (136 ^ 50)); }
    function test_inAssemblyLarge() public pure { assert(Sample.inAssembly(0x2001, 0x21) == (0x3fc2 | 0x0f)); }
    function test_remember() public { Sample.remember(box, 5); assert(box.value == 5); }
    function test_rememberMore() public { box.value = 8; Sample.remember(box, 2); assert(box.value == 2); }
}
`;
const texts = (source: string): Map<string, string> => new Map([[CONTRACT, source], [SUITE, TESTS]]); // prettier-ignore

it("finds a mutant for each kind of line, and each of them is noticed as if it were compiled alone", async () => {
  const trees = build([SUITE], texts(SOURCE), "trees");
  expect(trees.errors).toEqual([]);
  const mutants = mutantsOf(CONTRACT, SOURCE).map((edit, i) => ({ edit, number: 0x10000 + i }));
  const { text, alone } = schemaOf(SOURCE, trees.trees.get(CONTRACT)!, mutants);
  // The compiler refuses an unset pointer.
  expect(alone.map(({ edit }) => edit.mutant.before)).toEqual(["same_ = box;"]);
  const together = build([SUITE], viewed(texts(text)), "code");
  expect(together.errors).toEqual([]);
  const suites = await Suites.load(ROOT, together.contracts);
  const [all, ...others] = await suites.passing();
  expect([all.name, others]).toEqual(["SampleTest", []]);
  let survivors = 0;
  for (const { edit, number } of mutants) {
    const apart = build([SUITE], texts(changed(SOURCE, edit)), "code");
    // Not every operator is defined for every type: the build of all has the opposite then.
    if (apart.errors.length > 0) continue;
    const one = await Suites.load(ROOT, apart.contracts);
    const failed = await suites.failures(all, number);
    expect(failed.sort(), edit.mutant.after).toEqual((await one.failures(all, 0)).sort());
    if (failed.length === 0) survivors++;
  }
  // The sample's tests leave some, so the comparison sees both cases.
  expect([mutants.length, survivors]).toEqual([55, 8]);
});

it("swaps the results of a condition, and removes what follows one", () => {
  const after = (line: string): string[] =>
    mutantsOf(CONTRACT, `library A {\n${line}\n}`).map(({ mutant }) => mutant.after);
  expect(after("x = f(a ? b : g(c, d), e);")).toEqual(["x = f(a ? g(c, d) : b, e);", ""]);
  expect(after("if (f(a)) x = 1;")).toEqual(["if (f(a)) {}"]);
  expect(after("else if (f(a)) x = 1;")).toEqual(["else if (f(a)) {}"]);
  expect(after("else x = 1;")).toEqual(["else {}"]);
  expect(after("Level level = f();")).toEqual([]);
  expect(after("(, bytes32 value) = f();")).toEqual([]);
  expect(after("(a, b) = f();")).toEqual([""]);
});
