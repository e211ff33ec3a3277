// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITaskManager, Phase, Resolution, State} from "../../contracts/interfaces/ITaskManager.sol";
import {RunRoot, TaskId} from "../../contracts/libraries/Ids.sol";
import {Terms} from "../../contracts/libraries/Terms.sol";
import {vm} from "./Vm.sol";
import {TestWorld} from "./World.sol";

/// @dev resolve, escalate, enforce: which authority decides, and which seats pay.
contract DisputesTest is TestWorld {
    function test_ALoserIsSlashedAndTheWinnerPaid() public {
        Terms memory terms = defaultTerms();
        TaskId task = disputed(terms);
        toDeadline(task);
        resolve(terms, secondLies(task));
        assertState(task, State.Challengeable);
        assert(manager.taskOf(task).deadline == block.timestamp + 1 days);
        // At least 50% is burned, 40% is for the winner, 10% for the committee.
        assert(lossOf(owner(1)) == STAKE && vault.condemned() == 500 && manager.taskOf(task).pot == 400);
        assert(credit(COMMITTEE) == 100);
        pastDeadline(task);
        manager.finalize(terms);
        assert(credit(owner(0)) == REWARD + 400 && credit(CLIENT) == REWARD && credit(owner(1)) == 0);
        assert(lossOf(owner(0)) == 0 && manager.taskOf(task).pot == 0);
        assertSettled();
    }

    function test_BothWrong() public {
        Terms memory terms = defaultTerms();
        TaskId task = disputed(terms);
        resolve(terms, ruling(1, list(TRUTH, LIE), 3));
        assertState(task, State.Refunded);
        assert(lossOf(owner(0)) == STAKE && lossOf(owner(1)) == STAKE);
        assert(credit(CLIENT) == 2 * REWARD && credit(COMMITTEE) == 200 && vault.condemned() == 1800);
        assertSettled();
    }

    function test_EqualClaimsAreOneTeam() public {
        Terms memory terms = defaultTerms();
        terms.providers = 3;
        TaskId task = claimed(terms, list(LIE, TRUTH, LIE));
        resolve(terms, ruling(1, list(TRUTH, LIE), 2));
        assert(lossOf(owner(0)) == STAKE && lossOf(owner(2)) == STAKE);
        pastDeadline(task);
        manager.finalize(terms);
        assert(credit(owner(1)) == REWARD + 800 && credit(CLIENT) == 2 * REWARD && credit(COMMITTEE) == 200);
        assertSettled();
    }

    function test_ThreeClaimsInOneVerdict() public {
        Terms memory terms = defaultTerms();
        terms.providers = 3;
        TaskId task = claimed(terms, list(LIE, TRUTH, LIE_2));
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.WrongLosers.selector, 1));
        vm.prank(COMMITTEE);
        manager.resolve(terms, ruling(1, list(LIE, TRUTH, LIE_2), 1));
        resolve(terms, ruling(1, list(LIE_2, LIE, TRUTH), 3));
        assertState(task, State.Challengeable);
        assert(lossOf(owner(0)) == STAKE && lossOf(owner(2)) == STAKE);
    }

    function test_OnlyTheCommitteeResolves() public {
        Terms memory terms = withGame();
        TaskId task = disputed(terms);
        Resolution memory r = secondLies(task);
        address[3] memory others = [ANYONE, GAME, CLIENT];
        for (uint256 i = 0; i < 3; i++) {
            vm.expectRevert(abi.encodeWithSelector(ITaskManager.WrongCaller.selector, others[i], COMMITTEE));
            vm.prank(others[i]);
            manager.resolve(terms, r);
        }
    }

    function test_AResolutionCountsOnceInTimeForItsDispute() public {
        Terms memory terms = defaultTerms();
        TaskId task = disputed(terms);
        Resolution memory r = secondLies(task);
        r.dispute = 2;
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.WrongDispute.selector, 2, 1));
        vm.prank(COMMITTEE);
        manager.resolve(terms, r);
        r.dispute = 1;
        pastDeadline(task);
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.TooLate.selector, block.timestamp - 1));
        vm.prank(COMMITTEE);
        manager.resolve(terms, r);
        vm.warp(block.timestamp - 1);
        resolve(terms, r);
        vm.expectRevert(wrongState(State.Challengeable, Phase.None));
        vm.prank(COMMITTEE);
        manager.resolve(terms, r);
    }

    function refused(Terms memory terms, bytes32[] memory claims, uint256 losers, bytes memory why) private {
        vm.expectRevert(why);
        vm.prank(COMMITTEE);
        manager.resolve(terms, ruling(1, claims, losers));
    }

    function test_AResolutionListsTheStandingClaims() public {
        Terms memory terms = defaultTerms();
        disputed(terms);
        bytes memory claims = abi.encodeWithSelector(ITaskManager.WrongClaims.selector);
        refused(terms, list(TRUTH, LIE_2), 2, claims);
        refused(terms, list(TRUTH, TRUTH), 2, claims);
        refused(terms, list(TRUTH, LIE, LIE_2), 6, claims);
        refused(terms, list(TRUTH, LIE, LIE), 6, claims);
        bytes32[] memory one = new bytes32[](1);
        one[0] = RunRoot.unwrap(LIE);
        refused(terms, one, 1, claims);
        bytes4 losers = ITaskManager.WrongLosers.selector;
        refused(terms, list(TRUTH, LIE), 0, abi.encodeWithSelector(losers, 0));
        refused(terms, list(TRUTH, LIE), 4, abi.encodeWithSelector(losers, 4));
        refused(terms, list(TRUTH, LIE), 6, abi.encodeWithSelector(losers, 6));
        refused(terms, list(TRUTH, LIE), 7, abi.encodeWithSelector(losers, 7));
        refused(terms, new bytes32[](0), 0, claims);
        one[0] = RunRoot.unwrap(TRUTH);
        refused(terms, one, 0, claims);
    }

    function test_SeatsThatAreOutHaveNoSay() public {
        Terms memory terms = defaultTerms();
        terms.providers = 4;
        TaskId task = accepted(terms);
        for (uint256 seat = 0; seat < 3; seat++) commit(task, seat, seat == 0 ? TRUTH : LIE);
        pastDeadline(task);
        manager.expire(terms);
        for (uint256 seat = 0; seat < 2; seat++) reveal(task, seat, seat == 0 ? TRUTH : LIE);
        pastDeadline(task);
        manager.expire(terms);
        manager.compare(task);
        resolve(terms, secondLies(task));
        for (uint256 seat = 1; seat < 4; seat++) assert(lossOf(owner(seat)) == STAKE);
        challenged(terms, 4, LIE);
        resolve(terms, secondLies(task));
        // No seat pays twice for the same lie.
        for (uint256 seat = 1; seat < 4; seat++) assert(lossOf(owner(seat)) == STAKE);
        assert(lossOf(owner(4)) == BOND);
        pastDeadline(task);
        manager.finalize(terms);
        assert(credit(owner(0)) == REWARD + 3 * 400 + 200 && credit(CLIENT) == 3 * REWARD);
        assertSettled();
    }

    function test_AChallengerThatIsRightReplacesTheStandingClaim() public {
        Terms memory terms = defaultTerms();
        TaskId task = claimed(terms, list(LIE, LIE));
        challenged(terms, 2, TRUTH);
        resolve(terms, ruling(1, list(LIE, TRUTH), 1));
        assertState(task, State.Settled);
        pastDeadline(task);
        manager.finalize(terms);
        assert(lossOf(owner(0)) == STAKE && lossOf(owner(1)) == STAKE && lossOf(owner(2)) == 0);
        assert(credit(owner(2)) == REWARD + 800 && credit(CLIENT) == REWARD && credit(COMMITTEE) == 200);
        assertSettled();
    }

    function test_AChallengerThatIsWrongLosesItsBond() public {
        Terms memory terms = defaultTerms();
        TaskId task = agreed(terms);
        challenged(terms, 2, LIE);
        resolve(terms, secondLies(task));
        assert(lossOf(owner(2)) == BOND && manager.taskOf(task).pot == 200 && credit(COMMITTEE) == 50);
        pastDeadline(task);
        manager.finalize(terms);
        assert(credit(owner(0)) == REWARD + 100 && credit(owner(1)) == REWARD + 100);
        assertSettled();
    }

    /// @dev A team that claims the truth and gives up on purpose must not lock the truth out.
    function test_AClaimThatLostMayBeClaimedAgain() public {
        Terms memory terms = defaultTerms();
        TaskId task = claimed(terms, list(LIE, TRUTH));
        resolve(terms, ruling(1, list(LIE, TRUTH), 2));
        challenged(terms, 2, TRUTH);
        assert(manager.taskOf(task).dispute == 2);
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.WrongDispute.selector, 1, 2));
        vm.prank(COMMITTEE);
        manager.resolve(terms, ruling(1, list(LIE, TRUTH), 2));
        resolve(terms, ruling(2, list(LIE, TRUTH), 1));
        pastDeadline(task);
        manager.finalize(terms);
        assert(credit(owner(2)) == REWARD + 800 && credit(owner(1)) == 0);
        assertSettled();
    }

    function test_ARulingWaitsForAnEscalation() public {
        Terms memory terms = withGame();
        TaskId task = disputed(terms);
        Resolution memory r = secondLies(task);
        resolve(terms, r);
        assertPhase(task, Phase.Ruled);
        assert(manager.taskOf(task).deadline == block.timestamp + 5 hours);
        assert(vault.accountOf(owner(1)).exposed == STAKE && vault.condemned() == 0);
        // It cannot be ruled again, and the game has not been asked yet.
        vm.expectRevert(wrongState(State.Disputed, Phase.Ruled));
        vm.prank(COMMITTEE);
        manager.resolve(terms, r);
        toDeadline(task);
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.TooEarly.selector, block.timestamp));
        manager.enforce(terms, r);
        pastDeadline(task);
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.WrongResolution.selector));
        manager.enforce(terms, ruling(1, list(TRUTH, LIE), 1));
        vm.prank(ANYONE);
        manager.enforce(terms, r);
        assertState(task, State.Challengeable);
        assert(lossOf(owner(1)) == STAKE && credit(COMMITTEE) == 100);
        vm.expectRevert(wrongState(State.Challengeable, Phase.None));
        manager.enforce(terms, r);
    }

    function test_OnlyALoserEscalatesInTime() public {
        Terms memory terms = withGame();
        TaskId task = disputed(terms);
        Resolution memory r = secondLies(task);
        vm.expectRevert(wrongState(State.Disputed, Phase.Judging));
        vm.prank(owner(1));
        manager.escalate(terms, r, 1);
        resolve(terms, r);
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.WrongSeat.selector, 0));
        vm.prank(owner(0));
        manager.escalate(terms, r, 0);
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.WrongCaller.selector, owner(0), owner(1)));
        vm.prank(owner(0));
        manager.escalate(terms, r, 1);
        vm.expectRevert(ITaskManager.WrongResolution.selector);
        vm.prank(owner(1));
        manager.escalate(terms, ruling(1, list(TRUTH, LIE), 3), 1);
        pastDeadline(task);
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.TooLate.selector, block.timestamp - 1));
        vm.prank(owner(1));
        manager.escalate(terms, r, 1);
        vm.warp(block.timestamp - 1);
        vm.prank(owner(1));
        manager.escalate(terms, r, 1);
        assertPhase(task, Phase.Playing);
        assert(manager.taskOf(task).deadline == block.timestamp + 3 days);
    }

    function escalated(Terms memory terms) private returns (TaskId task, Resolution memory r) {
        task = disputed(terms);
        r = secondLies(task);
        resolve(terms, r);
        vm.prank(owner(1));
        manager.escalate(terms, r, 1);
    }

    function test_TheGameHasTheLastWord() public {
        Terms memory terms = withGame();
        (TaskId task, Resolution memory r) = escalated(terms);
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.WrongCaller.selector, COMMITTEE, GAME));
        vm.prank(COMMITTEE);
        manager.resolve(terms, r);
        toDeadline(task);
        resolve(terms, ruling(1, list(TRUTH, LIE), 1));
        assertState(task, State.Challengeable);
        // A game cannot draw a credit, so its share is burned.
        assert(lossOf(owner(0)) == STAKE && vault.condemned() == 600);
        assert(credit(GAME) == 0 && credit(COMMITTEE) == 0);
        pastDeadline(task);
        manager.finalize(terms);
        assert(lossOf(owner(1)) == 0 && credit(owner(1)) == REWARD + 400);
        assertSettled();
    }

    function test_ASilentGameLeavesTheRuling() public {
        Terms memory terms = withGame();
        (TaskId task, Resolution memory r) = escalated(terms);
        toDeadline(task);
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.TooEarly.selector, block.timestamp));
        manager.enforce(terms, r);
        pastDeadline(task);
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.TooLate.selector, block.timestamp - 1));
        vm.prank(GAME);
        manager.resolve(terms, r);
        manager.enforce(terms, r);
        assert(lossOf(owner(1)) == STAKE && credit(COMMITTEE) == 100);
        assertState(task, State.Challengeable);
    }

    function test_EnforceNeedsARuling() public {
        Terms memory terms = withGame();
        TaskId task = disputed(terms);
        Resolution memory r = secondLies(task);
        pastDeadline(task);
        vm.expectRevert(wrongState(State.Disputed, Phase.Judging));
        manager.enforce(terms, r);
    }

    function test_ResolveNeedsADispute() public {
        Terms memory terms = defaultTerms();
        TaskId task = agreed(terms);
        Resolution memory r = secondLies(task);
        vm.expectRevert(wrongState(State.Challengeable, Phase.None));
        vm.prank(COMMITTEE);
        manager.resolve(terms, r);
        challenge(terms, 2, LIE);
        closeWindow(terms);
        vm.expectRevert(wrongState(State.Disputed, Phase.Revealing));
        vm.prank(COMMITTEE);
        manager.resolve(terms, r);
    }
}
