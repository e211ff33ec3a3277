// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITaskManager, Phase, Resolution, State, Task} from "../../contracts/interfaces/ITaskManager.sol";
import {EarlyWord, EarlyWordLib} from "../../contracts/libraries/EarlyWord.sol";
import {TaskId} from "../../contracts/libraries/Ids.sol";
import {TaskWord, TaskWordLib} from "../../contracts/libraries/TaskWord.sol";
import {Terms, TermsLib} from "../../contracts/libraries/Terms.sol";
import {vm} from "./Vm.sol";
import {TestWorld} from "./World.sol";

contract TermsHarness {
    function idAt(Terms calldata terms, address manager) external view returns (TaskId) {
        return TermsLib.idAt(terms, manager);
    }

    function check(Terms calldata terms, uint256 limit) external pure {
        TermsLib.check(terms, limit);
    }

    function resolving(Terms calldata terms, Resolution calldata resolution) external pure returns (bytes memory) {
        return TermsLib.resolving(terms, resolution);
    }

    function longestRun(Terms calldata terms) external pure returns (uint256) {
        return TermsLib.longestRun(terms);
    }
}

/// @dev Which terms are refused, and what their hash is.
contract TermsTest is TestWorld {
    uint256 private constant LONG = 3650 days;
    TermsHarness private harness = new TermsHarness();

    function testFuzz_TheIdIsTheHashOfTheEncoding(Terms calldata terms, address place, uint64 chain) public {
        vm.assume(chain != 0);
        vm.chainId(chain);
        assert(TaskId.unwrap(harness.idAt(terms, place)) == keccak256(abi.encode(uint256(chain), place, terms)));
    }

    function testFuzz_TheWordHoldsTheTask(uint240 fields, uint8 state, uint8 phase) public pure {
        uint256 word = (uint256(fields) << 16) | (uint256(phase % 5) << 8) | (state % 10);
        Task memory t = TaskWord.wrap(word).unpack();
        assert(TaskWord.unwrap(TaskWordLib.pack(t)) == word && t.state == State(state % 10) && t.phase == Phase(phase % 5));
        (State s, Phase p, uint256 deadline) = TaskWord.wrap(word).head();
        assert(s == t.state && p == t.phase && deadline == t.deadline);
        t.committed = 7;
        assert(TaskWord.wrap(TaskWord.unwrap(TaskWordLib.pack(t)) + TaskWordLib.ONE_COMMITTED).unpack().committed == 8);
    }

    function testFuzz_ResolvingIsTheEncodedCall(Terms calldata terms, Resolution calldata resolution) public view {
        bytes memory data = harness.resolving(terms, resolution);
        assert(keccak256(data) == keccak256(abi.encodeCall(ITaskManager.resolve, (terms, resolution))));
    }

    function testFuzz_TheEarlyWordHoldsItsTerms(Terms calldata terms) public pure {
        EarlyWord word = EarlyWordLib.pack(terms);
        bool byGame = terms.committee == address(0);
        assert(word.stake() == terms.stake && word.providers() == terms.providers && word.byGame() == byGame);
        assert(word.hasPolicy() == (terms.seatPolicy != address(0)));
        assert(word.toCommit() == terms.periods.toCommit && word.toReveal() == terms.periods.toReveal);
        assert(word.toChallenge() == terms.periods.toChallenge);
        assert(word.toDecide() == (byGame ? terms.periods.toPlay : terms.periods.toJudge));
    }

    function refused(Terms memory terms, bytes4 selector) private {
        vm.expectRevert(selector);
        harness.check(terms, LONG);
    }

    function test_CountsHaveEnds() public {
        Terms memory terms = defaultTerms();
        (terms.providers, terms.maxDemands) = (16, 64);
        harness.check(terms, LONG);
        terms.maxDemands = 0;
        harness.check(terms, LONG);
        terms.providers = 17;
        refused(terms, TermsLib.CountOutOfRange.selector);
        terms.providers = 1;
        refused(terms, TermsLib.CountOutOfRange.selector);
        terms.providers = 2;
        harness.check(terms, LONG);
        terms.maxDemands = 65;
        refused(terms, TermsLib.CountOutOfRange.selector);
    }

    function test_NothingNeededIsZero() public {
        for (uint256 i = 0; i < 6; i++) {
            Terms memory terms = defaultTerms();
            if (i == 0) terms.steps = 0;
            if (i == 1) terms.commitEvery = 0;
            if (i == 2) terms.tensors = 0;
            if (i == 3) terms.stake = 0;
            if (i == 4) terms.bond = 0;
            if (i == 5) terms.committee = address(0);
            refused(terms, TermsLib.ZeroTerm.selector);
        }
        Terms memory judgedByGame = withGame();
        judgedByGame.committee = address(0);
        harness.check(judgedByGame, LONG);
        Terms memory free = defaultTerms();
        (free.reward, free.chunkPrice) = (0, 0);
        harness.check(free, LONG);
    }

    function test_PeriodsAreLongEnough() public {
        for (uint256 i = 0; i < 8; i++) {
            Terms memory terms = defaultTerms();
            setPeriod(terms, i, 59);
            refused(terms, TermsLib.PeriodTooShort.selector);
            setPeriod(terms, i, 60);
            harness.check(terms, LONG);
        }
    }

    function setPeriod(Terms memory terms, uint256 i, uint32 value) private pure {
        if (i == 0) terms.periods.toAccept = value;
        if (i == 1) terms.periods.toCommit = value;
        if (i == 2) terms.periods.toReveal = value;
        if (i == 3) terms.periods.toChallenge = value;
        if (i == 4) terms.periods.toJudge = value;
        if (i == 5) terms.periods.toEscalate = value;
        if (i == 6) terms.periods.toPlay = value;
        if (i == 7) terms.periods.toAnswer = value;
    }

    function test_TheLongestRunIsBelowTheUnbondingPeriod() public {
        Terms memory terms = defaultTerms();
        uint256 dispute = 2 days + 5 hours + 3 days;
        uint256 claimed = 1 days + 2 days + 3 hours + dispute;
        uint256 longest = claimed + (1 days + 3 hours + dispute) + 2 * 7 hours;
        assert(harness.longestRun(terms) == longest);
        harness.check(terms, longest);
        vm.expectRevert(abi.encodeWithSelector(TermsLib.TaskTooLong.selector, longest, longest - 1));
        harness.check(terms, longest - 1);
    }

    /// @dev The vault and the pot have 88 bits, and no terms exceed them.
    function test_AllAmountsTogetherFit88Bits() public {
        Terms memory terms = defaultTerms();
        uint80 most = type(uint80).max;
        (terms.reward, terms.stake, terms.bond, terms.chunkPrice) = (most, most, most, most);
        (terms.providers, terms.maxDemands) = (16, 64);
        harness.check(terms, LONG);
        // Rewards and stakes of 16 providers, bonds of the other seats, chunks of two claims.
        assert((2 * 16 + (24 - 16) + 2 * 64) * uint256(most) <= type(uint88).max);
    }
}
