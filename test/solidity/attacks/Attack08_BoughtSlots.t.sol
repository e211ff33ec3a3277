// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Resolution, State, Task} from "../../../contracts/interfaces/ITaskManager.sol";
import {RunRoot, TaskId} from "../../../contracts/libraries/Ids.sol";
import {Terms} from "../../../contracts/libraries/Terms.sol";
import {vm} from "../Vm.sol";
import {TestWorld} from "../World.sol";

/// @dev Attack 8: liars buy every challenge slot. Both providers belong to the client and lie. When a task
/// allowed two challenges, one after the other, two junk challenges of the liars' own made the lie final, for
/// two bonds of which 40% came back; or each of them delayed the end by a whole round. Now all challengers of
/// the one window are in one dispute, so whoever is right is heard, and the end does not depend on their
/// number.
contract Attack08_BoughtSlots is TestWorld {
    uint256 private constant HONEST = 2;
    /// @dev The first liar, and how many seats challengers may have, and one claim of them.
    uint256 private constant LIARS = 3;
    uint256 private constant SEATS = 22;
    uint256 private constant SHARE = 11;
    uint256 private constant LAST = 64;

    function setUp() public override {
        super.setUp();
        for (uint256 i = 8; i < LAST; i++) fund(owner(i));
    }

    function gameAlone() private pure returns (Terms memory terms) {
        terms = withGame();
        terms.committee = address(0);
    }

    /// @dev What liar `i` claims: every one something else, or one of two lies.
    function lie(uint256 i, bool distinct) private pure returns (RunRoot) {
        return RunRoot.wrap(keccak256(abi.encode("lie", distinct ? i : i % 2)));
    }

    /// @dev The game's honest verdict.
    function judge(Terms memory terms, TaskId task) private {
        Task memory t = manager.taskOf(task);
        bytes32[] memory claims = new bytes32[](t.seats);
        uint256 known = 0;
        uint256 losers = 0;
        for (uint256 seat = 0; seat < t.seats; seat++) {
            if (t.revealed & ~t.out & (1 << seat) == 0) continue;
            (, bytes32 value) = manager.seatOf(task, seat);
            uint256 i = 0;
            while (i < known && claims[i] != value) i++;
            if (i < known) continue;
            if (RunRoot.wrap(value) != TRUTH) losers |= 1 << known;
            claims[known++] = value;
        }
        bytes32[] memory listed = new bytes32[](known);
        for (uint256 i = 0; i < known; i++) listed[i] = claims[i];
        resolve(terms, Resolution({dispute: t.dispute, claims: listed, losers: losers, verdict: "verdict"}));
    }

    /// @dev Time from the opening of the window to the end, if everybody acts at the last second.
    function bound(Terms memory terms) private pure returns (uint256) {
        return uint256(terms.periods.toChallenge) + terms.periods.toReveal + terms.periods.toPlay + terms.periods.toAnswer;
    }

    function lose(uint256 first, uint256 last) private returns (uint256 sum) {
        for (uint256 i = first; i < last; i++) {
            if (manager.challengeBy(task_, owner(i)) != 0) manager.lapse(terms_, owner(i));
            sum += lossOf(owner(i));
        }
    }

    TaskId private task_;
    Terms private terms_;

    function start(Terms memory terms) private returns (TaskId task) {
        task = claimed(terms, list(LIE, LIE));
        (task_, terms_) = (task, terms);
    }

    /// @dev Liars challenge first, in any number. The honest challenger comes last, and wins.
    function test_attack08_theHonestChallengerIsHeard() public {
        Terms memory terms = gameAlone();
        for (uint256 junk = 0; junk <= 32; junk += 8) {
            terms.salt = bytes32(junk);
            uint256 id = vm.snapshotState();
            TaskId task = start(terms);
            uint256 opened = block.timestamp;
            for (uint256 i = 0; i < junk; i++) challenge(terms, LIARS + i, lie(i, true));
            toDeadline(task);
            challenge(terms, HONEST, TRUTH);
            closeWindow(terms);
            // Half of the liars never reveal, so the reveal lasts as long as it can.
            for (uint256 i = 0; i < junk; i += 2) revealChallenge(terms, LIARS + i, lie(i, true));
            revealChallenge(terms, HONEST, TRUTH);
            if (junk > 0) closeWindow(terms);
            toDeadline(task);
            judge(terms, task);
            assertState(task, State.Settled);
            pastDeadline(task);
            manager.finalize(terms);
            assert(standing(task) == TRUTH && lossOf(owner(HONEST)) == 0);
            assert(credit(owner(HONEST)) == REWARD + 800 + (junk / 2) * 200);
            // One second for each deadline that has to pass.
            assert(block.timestamp <= opened + bound(terms) + 3);
            assert(lose(LIARS, LIARS + junk) == junk * BOND);
            vm.revertToState(id);
        }
    }

    /// @dev The lie is final only if all 22 seats are taken before the honest challenger reveals. That costs
    /// the liars at least eleven bonds, since at most one claim wins, and it has at most eleven seats. The
    /// honest challenger gets its bond back.
    function test_attack08_closingTheDoorCostsElevenBonds() public {
        Terms memory terms = gameAlone();
        TaskId task = start(terms);
        for (uint256 i = 0; i < SEATS + 8; i++) challenge(terms, LIARS + i, lie(i, false));
        challenge(terms, HONEST, TRUTH);
        closeWindow(terms);
        for (uint256 i = 0; i < SEATS + 8; i++) revealChallenge(terms, LIARS + i, lie(i, false));
        assert(manager.taskOf(task).seats == 2 + SEATS);
        revealChallenge(terms, HONEST, TRUTH);
        assert(vault.accountOf(owner(HONEST)).exposed == 0);
        // The best that the liars can do: one of their two claims wins.
        resolve(terms, ruling(1, list(LIE, lie(0, false), lie(1, false)), 5));
        pastDeadline(task);
        manager.finalize(terms);
        assert(lossOf(owner(HONEST)) == 0);
        assert(lose(LIARS, LIARS + SEATS + 8) == SHARE * BOND && lossOf(owner(0)) == STAKE);
    }

    /// @dev Liars take all seats of the true claim, to lose them on purpose. That costs as much.
    function test_attack08_takingTheSeatsOfTheTruthCostsElevenBonds() public {
        Terms memory terms = gameAlone();
        TaskId task = start(terms);
        for (uint256 i = 0; i < SHARE; i++) challenge(terms, LIARS + i, TRUTH);
        challenge(terms, HONEST, TRUTH);
        closeWindow(terms);
        for (uint256 i = 0; i < SHARE; i++) revealChallenge(terms, LIARS + i, TRUTH);
        revealChallenge(terms, HONEST, TRUTH);
        resolve(terms, ruling(1, list(LIE, TRUTH), 2));
        pastDeadline(task);
        manager.finalize(terms);
        assert(lossOf(owner(HONEST)) == 0 && lose(LIARS, LIARS + SHARE) == SHARE * BOND);
    }

    /// @dev Copies of the lie that stands take no seats, so they don't close the door.
    function test_attack08_copiesOfTheLieTakeNoSeat() public {
        Terms memory terms = gameAlone();
        TaskId task = start(terms);
        for (uint256 i = 0; i < 40; i++) challenge(terms, LIARS + i, LIE);
        challenge(terms, HONEST, TRUTH);
        closeWindow(terms);
        for (uint256 i = 0; i < 40; i++) revealChallenge(terms, LIARS + i, LIE);
        revealChallenge(terms, HONEST, TRUTH);
        assert(manager.taskOf(task).seats == 3);
        judge(terms, task);
        pastDeadline(task);
        manager.finalize(terms);
        assert(standing(task) == TRUTH && lossOf(owner(HONEST)) == 0 && lose(LIARS, LIARS + 40) == 0);
    }
}
