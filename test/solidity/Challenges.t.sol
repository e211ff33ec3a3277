// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IStakeVault} from "../../contracts/interfaces/IStakeVault.sol";
import {ITaskManager, Phase, State, Task} from "../../contracts/interfaces/ITaskManager.sol";
import {RunRoot, TaskId} from "../../contracts/libraries/Ids.sol";
import {Terms} from "../../contracts/libraries/Terms.sol";
import {vm} from "./Vm.sol";
import {TestWorld} from "./World.sol";

/// @dev challenge, revealChallenge, lapse: what they do, and what they refuse.
contract ChallengesTest is TestWorld {
    event TurnedAway(TaskId indexed task, address indexed owner, RunRoot root);
    event Challenged(TaskId indexed task, address indexed owner, bytes32 commitment);
    event ChallengeLapsed(TaskId indexed task, address indexed owner, uint256 bond);

    function test_ChallengePutsUpABond() public {
        Terms memory terms = defaultTerms();
        TaskId task = agreed(terms);
        uint256 deadline = manager.taskOf(task).deadline;
        toDeadline(task);
        bytes32 hash = challengeHash(task, 2, LIE);
        vm.expectEmit();
        emit Challenged(task, owner(2), hash);
        challenge(terms, 2, LIE);
        // The window stays open for others.
        assertState(task, State.Challengeable);
        Task memory t = manager.taskOf(task);
        assert(t.deadline == deadline && t.challenges == 1 && t.seats == 2);
        assert(vault.accountOf(owner(2)).exposed == BOND);
        assert(manager.challengeBy(task, owner(2)) == hash);
    }

    function test_AllChallengersOfAWindowAreInOneDispute() public {
        Terms memory terms = defaultTerms();
        TaskId task = claimed(terms, list(LIE, LIE));
        challenge(terms, 2, TRUTH);
        challenge(terms, 3, LIE_2);
        challenge(terms, 4, TRUTH);
        closeWindow(terms);
        assertPhase(task, Phase.Revealing);
        assert(manager.taskOf(task).deadline == block.timestamp + 3 hours);
        revealChallenge(terms, 4, TRUTH);
        revealChallenge(terms, 3, LIE_2);
        assertPhase(task, Phase.Revealing);
        revealChallenge(terms, 2, TRUTH);
        assertPhase(task, Phase.Judging);
        Task memory t = manager.taskOf(task);
        assert(t.deadline == block.timestamp + 2 days && t.dispute == 1 && t.seats == 5 && t.challenges == 0);
        address[3] memory seated = [owner(4), owner(3), owner(2)];
        RunRoot[3] memory roots = [TRUTH, LIE_2, TRUTH];
        for (uint256 i = 0; i < 3; i++) {
            (address who, bytes32 value) = manager.seatOf(task, 2 + i);
            assert(who == seated[i] && RunRoot.wrap(value) == roots[i] && manager.challengeBy(task, who) == 0);
        }
        resolve(terms, ruling(1, list(LIE, TRUTH, LIE_2), 5));
        assertState(task, State.Settled);
        assert(manager.taskOf(task).deadline == block.timestamp + 7 hours);
        pastDeadline(task);
        manager.finalize(terms);
        // Both that were right share 40% of two stakes and a bond, and both rewards.
        for (uint256 i = 2; i < 5; i += 2) assert(lossOf(owner(i)) == 0 && credit(owner(i)) == REWARD + 500);
        assert(lossOf(owner(0)) == STAKE && lossOf(owner(1)) == STAKE && lossOf(owner(3)) == BOND);
        assertSettled();
    }

    /// @dev More winners than the client has paid for share what it has paid.
    function test_MoreWinnersThanRewardsShareThem() public {
        Terms memory terms = defaultTerms();
        TaskId task = claimed(terms, list(LIE, LIE));
        for (uint256 i = 2; i < 5; i++) challenge(terms, i, TRUTH);
        closeWindow(terms);
        for (uint256 i = 2; i < 5; i++) revealChallenge(terms, i, TRUTH);
        resolve(terms, ruling(1, list(LIE, TRUTH), 1));
        pastDeadline(task);
        manager.finalize(terms);
        uint256 share = (2 * REWARD + 800) / uint256(3);
        for (uint256 i = 2; i < 5; i++) assert(lossOf(owner(i)) == 0 && credit(owner(i)) == share);
        assert(credit(CLIENT) == 0);
        assertSettled();
    }

    function test_ChallengeHasAStateAndADeadline() public {
        Terms memory terms = defaultTerms();
        vm.expectRevert(wrongState(State.None, Phase.None));
        manager.challenge(terms, TRUTH, "x");
        TaskId task = agreed(terms);
        vm.expectRevert(ITaskManager.EmptyCommitment.selector);
        manager.challenge(terms, TRUTH, 0);
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.StaleChallenge.selector, TRUTH));
        manager.challenge(terms, LIE, "x");
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.AlreadySeated.selector, owner(0)));
        vm.prank(owner(0));
        manager.challenge(terms, TRUTH, "x");
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.TooLittleStake.selector, ANYONE, 0, uint256(BOND)));
        vm.prank(ANYONE);
        manager.challenge(terms, TRUTH, "x");
        challenge(terms, 2, LIE);
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.AlreadySeated.selector, owner(2)));
        vm.prank(owner(2));
        manager.challenge(terms, TRUTH, "x");
        pastDeadline(task);
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.TooLate.selector, block.timestamp - 1));
        vm.prank(owner(3));
        manager.challenge(terms, TRUTH, "x");
    }

    function test_AWindowWithChallengesIsNotFinal() public {
        Terms memory terms = defaultTerms();
        TaskId task = agreed(terms);
        challenge(terms, 2, LIE);
        uint256 deadline = manager.taskOf(task).deadline;
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.TooEarly.selector, deadline));
        manager.expire(terms);
        pastDeadline(task);
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.ChallengesOpen.selector, 1));
        manager.finalize(terms);
        // A window without challenges has no reveal.
        terms.salt = "another task";
        task = agreed(terms);
        pastDeadline(task);
        vm.expectRevert(wrongState(State.Challengeable, Phase.None));
        manager.expire(terms);
    }

    function test_RevealIsForTheChallengesOfTheWindowAfterIt() public {
        Terms memory terms = defaultTerms();
        TaskId task = agreed(terms);
        challenge(terms, 2, LIE);
        vm.expectRevert(wrongState(State.Challengeable, Phase.None));
        manager.revealChallenge(terms, owner(2), LIE, salt(2));
        closeWindow(terms);
        bytes memory mismatch = abi.encodeWithSelector(
            ITaskManager.CommitmentMismatch.selector,
            challengeHash(task, 2, LIE)
        );
        vm.expectRevert(mismatch);
        manager.revealChallenge(terms, owner(2), LIE_2, salt(2));
        vm.expectRevert(mismatch);
        manager.revealChallenge(terms, owner(2), LIE, salt(3));
        vm.expectRevert(ITaskManager.EmptyRoot.selector);
        manager.revealChallenge(terms, owner(2), RunRoot.wrap(0), salt(2));
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.NoChallenge.selector, owner(3)));
        manager.revealChallenge(terms, owner(3), LIE, salt(3));
        uint256 id = vm.snapshotState();
        pastDeadline(task);
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.TooLate.selector, block.timestamp - 1));
        manager.revealChallenge(terms, owner(2), LIE, salt(2));
        vm.revertToState(id);
        toDeadline(task);
        revealChallenge(terms, 2, LIE);
        vm.expectRevert(wrongState(State.Disputed, Phase.Judging));
        manager.revealChallenge(terms, owner(2), LIE, salt(2));
    }

    /// @dev Nobody is punished for being right twice, and no seat is taken.
    function test_AChallengeWithTheStandingClaimIsTurnedAway() public {
        Terms memory terms = defaultTerms();
        TaskId task = agreed(terms);
        challenge(terms, 2, TRUTH);
        closeWindow(terms);
        vm.expectEmit();
        emit TurnedAway(task, owner(2), TRUTH);
        revealChallenge(terms, 2, TRUTH);
        assertState(task, State.Settled);
        assert(manager.taskOf(task).seats == 2 && manager.taskOf(task).dispute == 0 && lossOf(owner(2)) == 0);
        pastDeadline(task);
        manager.finalize(terms);
        assert(credit(owner(0)) == REWARD && credit(owner(1)) == REWARD);
        assertSettled();
    }

    function test_AClaimHasHalfOfTheSeats() public {
        Terms memory terms = defaultTerms();
        terms.providers = 16;
        for (uint256 i = 8; i < 24; i++) fund(owner(i));
        TaskId task = accepted(terms);
        for (uint256 i = 0; i < 16; i++) commit(task, i, TRUTH);
        for (uint256 i = 0; i < 16; i++) reveal(task, i, TRUTH);
        manager.compare(task);
        for (uint256 i = 16; i < 26; i++) {
            if (i > 23) fund(owner(i));
            challenge(terms, i, i < 21 ? LIE : i < 25 ? LIE_2 : RunRoot.wrap("a third lie"));
        }
        closeWindow(terms);
        for (uint256 i = 16; i < 20; i++) revealChallenge(terms, i, LIE);
        // Four of eight seats claim the same.
        revealChallenge(terms, 20, LIE);
        assert(manager.taskOf(task).seats == 20 && lossOf(owner(20)) == 0);
        for (uint256 i = 21; i < 25; i++) revealChallenge(terms, i, LIE_2);
        assert(manager.taskOf(task).seats == 24);
        // All seats are taken.
        revealChallenge(terms, 25, RunRoot.wrap("a third lie"));
        assert(manager.taskOf(task).seats == 24 && lossOf(owner(25)) == 0);
        assertPhase(task, Phase.Judging);
        resolve(terms, ruling(1, list(TRUTH, LIE, LIE_2), 6));
        pastDeadline(task);
        manager.finalize(terms);
        for (uint256 i = 0; i < 26; i++) {
            bool lied = i >= 16 && i != 20 && i != 25;
            assert(lossOf(owner(i)) == (lied ? uint256(BOND) : 0));
        }
        assert(vault.escrow() == 0);
    }

    function test_AChallengeThatIsNotRevealedLapses() public {
        Terms memory terms = defaultTerms();
        TaskId task = agreed(terms);
        challenge(terms, 2, LIE);
        challenge(terms, 3, LIE);
        vm.expectRevert(wrongState(State.Challengeable, Phase.None));
        manager.lapse(terms, owner(2));
        closeWindow(terms);
        vm.expectRevert(wrongState(State.Disputed, Phase.Revealing));
        manager.lapse(terms, owner(2));
        revealChallenge(terms, 3, LIE);
        closeWindow(terms);
        assertPhase(task, Phase.Judging);
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.NoChallenge.selector, owner(3)));
        manager.lapse(terms, owner(3));
        vm.expectEmit();
        emit ChallengeLapsed(task, owner(2), BOND);
        vm.prank(ANYONE);
        manager.lapse(terms, owner(2));
        assert(lossOf(owner(2)) == BOND && vault.condemned() == BOND);
        assert(manager.taskOf(task).challenges == 0);
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.NoChallenge.selector, owner(2)));
        manager.lapse(terms, owner(2));
        resolve(terms, secondLies(task));
        pastDeadline(task);
        manager.finalize(terms);
        assertSettled();
    }

    /// @dev A lapsed bond can be slashed after the end, too.
    function test_SilentChallengersDelayOnlyTheirReveal() public {
        Terms memory terms = defaultTerms();
        TaskId task = agreed(terms);
        challenge(terms, 2, LIE);
        challenge(terms, 3, LIE);
        closeWindow(terms);
        closeWindow(terms);
        assertState(task, State.Settled);
        vm.expectRevert(wrongState(State.Settled, Phase.None));
        manager.challenge(terms, TRUTH, "x");
        pastDeadline(task);
        manager.finalize(terms);
        for (uint256 i = 2; i < 4; i++) {
            assert(vault.accountOf(owner(i)).exposed == BOND);
            manager.lapse(terms, owner(i));
            assert(lossOf(owner(i)) == BOND);
        }
        assertSettled();
    }

    function test_ChallengesBindEverything() public {
        bytes32 hash = manager.challengeOf(TaskId.wrap("task"), LIE, owner(0), TRUTH, "salt");
        assert(hash != manager.challengeOf(TaskId.wrap("another"), LIE, owner(0), TRUTH, "salt"));
        assert(hash != manager.challengeOf(TaskId.wrap("task"), LIE_2, owner(0), TRUTH, "salt"));
        assert(hash != manager.challengeOf(TaskId.wrap("task"), LIE, owner(1), TRUTH, "salt"));
        assert(hash != manager.challengeOf(TaskId.wrap("task"), LIE, owner(0), LIE_2, "salt"));
        assert(hash != manager.challengeOf(TaskId.wrap("task"), LIE, owner(0), TRUTH, "pepper"));
        assert(hash != manager.commitmentOf(TaskId.wrap("task"), owner(0), TRUTH, "salt"));
        vm.chainId(block.chainid + 1);
        assert(hash != manager.challengeOf(TaskId.wrap("task"), LIE, owner(0), TRUTH, "salt"));
    }
}
