// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITaskManager, Phase, State} from "../../contracts/interfaces/ITaskManager.sol";
import {TaskId} from "../../contracts/libraries/Ids.sol";
import {Terms} from "../../contracts/libraries/Terms.sol";
import {vm} from "./Vm.sol";
import {TestWorld} from "./World.sol";

/// @dev What happens when a deadline passes, and how a task ends: `expire` and `finalize`, called by any
/// account.
contract ExitsTest is TestWorld {
    function expire(TaskId task, Terms memory terms) private {
        uint256 deadline = manager.taskOf(task).deadline;
        toDeadline(task);
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.TooEarly.selector, deadline));
        manager.expire(terms);
        pastDeadline(task);
        vm.prank(ANYONE);
        manager.expire(terms);
    }

    function assertRefunded(TaskId task) private view {
        assertState(task, State.Refunded);
        assert(credit(CLIENT) == 2 * REWARD);
        assertSettled();
    }

    function test_FreeSeatsCostNothing() public {
        Terms memory terms = defaultTerms();
        TaskId task = post(terms);
        accept(task, 0);
        expire(task, terms);
        assertRefunded(task);
        assert(lossOf(owner(0)) == 0 && vault.condemned() == 0);
    }

    function test_ATaskWithoutReward() public {
        Terms memory terms = defaultTerms();
        terms.reward = 0;
        TaskId task = post(terms);
        expire(task, terms);
        assertState(task, State.Refunded);
        assert(credit(CLIENT) == 0);
    }

    function test_AMissingCommitmentCostsTheStake() public {
        Terms memory terms = defaultTerms();
        TaskId task = accepted(terms);
        commit(task, 1, TRUTH);
        expire(task, terms);
        assertState(task, State.Committed);
        assert(manager.taskOf(task).deadline == block.timestamp + 3 hours);
        assert(lossOf(owner(0)) == STAKE && vault.accountOf(owner(1)).exposed == STAKE);
        assert(manager.taskOf(task).out == 1 && manager.taskOf(task).pot == 400 && vault.condemned() == 600);
        // The silent provider cannot return.
        vm.expectRevert(wrongState(State.Committed, Phase.None));
        vm.prank(owner(0));
        manager.commit(task, 0, "late");
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.WrongSeat.selector, 0));
        manager.reveal(task, 0, TRUTH, salt(0));
        reveal(task, 1, TRUTH);
        assertState(task, State.Revealed);
        manager.compare(task);
        pastDeadline(task);
        manager.finalize(terms);
        // The provider that worked gets its reward and 40% of the silent one's stake; the other reward goes
        // back.
        assert(credit(owner(1)) == REWARD + 400 && credit(CLIENT) == REWARD && lossOf(owner(1)) == 0);
        assertSettled();
    }

    function test_AllSilentAtTheCommitment() public {
        Terms memory terms = defaultTerms();
        TaskId task = accepted(terms);
        expire(task, terms);
        assertRefunded(task);
        assert(lossOf(owner(0)) == STAKE && lossOf(owner(1)) == STAKE);
        assert(vault.condemned() == 2 * STAKE && manager.taskOf(task).pot == 0);
    }

    function test_AllCommittedAndNobodyReveals() public {
        Terms memory terms = defaultTerms();
        TaskId task = committed(terms, list(TRUTH, TRUTH));
        expire(task, terms);
        assertState(task, State.Committed);
        assert(lossOf0() == 0 && vault.condemned() == 0);
        expire(task, terms);
        assertRefunded(task);
        assert(lossOf(owner(0)) == STAKE && lossOf(owner(1)) == STAKE && vault.condemned() == 2 * STAKE);
    }

    function lossOf0() private view returns (uint256) {
        return RICH - stakeOf(owner(0));
    }

    function test_AMissingRevealCostsTheStake() public {
        Terms memory terms = defaultTerms();
        TaskId task = committed(terms, list(TRUTH, TRUTH));
        reveal(task, 0, TRUTH);
        expire(task, terms);
        assertState(task, State.Revealed);
        assert(manager.taskOf(task).deadline == block.timestamp);
        assert(lossOf(owner(1)) == STAKE && manager.taskOf(task).out == 2 && manager.taskOf(task).pot == 400);
        manager.compare(task);
        pastDeadline(task);
        manager.finalize(terms);
        assert(credit(owner(0)) == REWARD + 400 && credit(CLIENT) == REWARD);
        assertSettled();
    }

    function test_ACopiedCommitmentCantBeOpened() public {
        Terms memory terms = defaultTerms();
        TaskId task = accepted(terms);
        commit(task, 0, TRUTH);
        bytes32 copied = commitment(task, 0, TRUTH);
        vm.prank(owner(1));
        manager.commit(task, 1, copied);
        reveal(task, 0, TRUTH);
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.CommitmentMismatch.selector, copied));
        manager.reveal(task, 1, TRUTH, salt(0));
        expire(task, terms);
        assert(lossOf(owner(1)) == STAKE);
    }

    function test_ADisputeThatNobodyJudgesIsUndecided() public {
        Terms memory terms = defaultTerms();
        TaskId task = disputed(terms);
        expire(task, terms);
        assertRefunded(task);
        assert(lossOf(owner(0)) == 0 && lossOf(owner(1)) == 0 && vault.condemned() == 0);
    }

    function test_AnUndecidedChallengeIsRefundedToo() public {
        Terms memory terms = defaultTerms();
        TaskId task = agreed(terms);
        challenged(terms, 2, LIE);
        expire(task, terms);
        assertRefunded(task);
        for (uint256 i = 0; i < 3; i++) assert(lossOf(owner(i)) == 0);
    }

    function test_ExpireNeedsAStateWithAMissedMove() public {
        Terms memory terms = defaultTerms();
        vm.expectRevert(wrongState(State.None, Phase.None));
        manager.expire(terms);
        TaskId task = committed(terms, list(TRUTH, TRUTH));
        reveal(task, 0, TRUTH);
        reveal(task, 1, TRUTH);
        vm.expectRevert(wrongState(State.Revealed, Phase.None));
        manager.expire(terms);
        manager.compare(task);
        pastDeadline(task);
        vm.expectRevert(wrongState(State.Challengeable, Phase.None));
        manager.expire(terms);
        manager.finalize(terms);
        vm.expectRevert(wrongState(State.Final, Phase.None));
        manager.expire(terms);
        vm.expectRevert(wrongState(State.Final, Phase.None));
        manager.finalize(terms);
    }

    function test_ExpireDoesNotEndARuling() public {
        Terms memory terms = withGame();
        TaskId task = disputed(terms);
        resolve(terms, secondLies(task));
        pastDeadline(task);
        vm.expectRevert(wrongState(State.Disputed, Phase.Ruled));
        manager.expire(terms);
    }

    function test_FinalizePaysTheWinners() public {
        Terms memory terms = defaultTerms();
        TaskId task = agreed(terms);
        toDeadline(task);
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.TooEarly.selector, block.timestamp));
        manager.finalize(terms);
        pastDeadline(task);
        vm.prank(ANYONE);
        manager.finalize(terms);
        assertState(task, State.Final);
        for (uint256 i = 0; i < 2; i++) assert(credit(owner(i)) == REWARD && lossOf(owner(i)) == 0);
        assert(credit(CLIENT) == 0 && manager.taskOf(task).pot == 0);
        assertSettled();
    }

    function test_APotThatDoesNotDivideIsBurnedToTheUnit() public {
        Terms memory terms = defaultTerms();
        terms.providers = 3;
        terms.stake = 1001;
        TaskId task = committed(terms, list(TRUTH, TRUTH, TRUTH));
        for (uint256 i = 0; i < 2; i++) reveal(task, i, TRUTH);
        expire(task, terms);
        assert(manager.taskOf(task).pot == 400 && vault.condemned() == 601);
        manager.compare(task);
        challenge(terms, 3, LIE);
        challenge(terms, 4, LIE_2);
        expire(task, terms);
        revealChallenge(terms, 3, LIE);
        revealChallenge(terms, 4, LIE_2);
        resolve(terms, ruling(1, list(TRUTH, LIE, LIE_2), 6));
        assert(manager.taskOf(task).pot == 800);
        pastDeadline(task);
        manager.finalize(terms);
        assert(credit(owner(0)) == REWARD + 400 && credit(CLIENT) == REWARD);
        assertSettled();
    }

    function test_AnOddPotIsSharedAndItsRestBurned() public {
        Terms memory terms = defaultTerms();
        (terms.providers, terms.stake) = (3, 1003);
        TaskId task = committed(terms, list(TRUTH, TRUTH, TRUTH));
        for (uint256 i = 0; i < 2; i++) reveal(task, i, TRUTH);
        expire(task, terms);
        assert(manager.taskOf(task).pot == 401 && vault.condemned() == 602);
        manager.compare(task);
        pastDeadline(task);
        manager.finalize(terms);
        assert(credit(owner(0)) == REWARD + 200 && credit(owner(1)) == REWARD + 200 && vault.condemned() == 603);
        assertSettled();
    }
}
