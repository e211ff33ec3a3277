// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {DisputeGame} from "../../contracts/DisputeGame.sol";
import {Judge} from "../../contracts/Judge.sol";
import {Pace} from "../../contracts/game/Clocks.sol";
import {IDisputeGame} from "../../contracts/interfaces/IDisputeGame.sol";
import {IStakeVault} from "../../contracts/interfaces/IStakeVault.sol";
import {ITaskManager, Phase, State} from "../../contracts/interfaces/ITaskManager.sol";
import {RunRoot, TaskId} from "../../contracts/libraries/Ids.sol";
import {Terms, TermsLib} from "../../contracts/libraries/Terms.sol";
import {vm} from "./Vm.sol";
import {TestWorld} from "./World.sol";

/// @dev post, accept, commit, reveal, compare: what they do, and what they refuse.
contract SeatsTest is TestWorld {
    function test_PostPaysTheRewardsIntoEscrow() public {
        Terms memory terms = defaultTerms();
        TaskId task = post(terms);
        assert(TaskId.unwrap(task) == TaskId.unwrap(manager.taskId(terms)));
        assertState(task, State.Open);
        assert(manager.taskOf(task).deadline == block.timestamp + 1 days);
        assert(vault.escrow() == 2 * REWARD);
        assert(token.balanceOf(CLIENT) == RICH - 2 * REWARD);
    }

    function test_PostIsForTheClientAlone() public {
        Terms memory terms = defaultTerms();
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.WrongCaller.selector, ANYONE, CLIENT));
        vm.prank(ANYONE);
        manager.post(terms);
    }

    function test_PostTakesTermsOnce() public {
        Terms memory terms = defaultTerms();
        TaskId task = post(terms);
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.TaskExists.selector, task));
        vm.prank(CLIENT);
        manager.post(terms);
    }

    function test_PostChecksTheTerms() public {
        Terms memory terms = defaultTerms();
        terms.providers = 1;
        vm.expectRevert(TermsLib.CountOutOfRange.selector);
        vm.prank(CLIENT);
        manager.post(terms);
    }

    function test_PostNeedsTheMoney() public {
        vm.prank(CLIENT);
        token.transfer(ANYONE, RICH - 2 * REWARD + 1);
        vm.expectRevert();
        vm.prank(CLIENT);
        manager.post(defaultTerms());
    }

    function test_ATaskGivesItsGameTheTimeThatItMayTake() public {
        Pace memory pace = Pace({clock: 1 days, response: 10 minutes, recompute: 1 hours});
        IDisputeGame game = new DisputeGame(manager, new Judge(), pace, 0);
        Terms memory terms = defaultTerms();
        terms.game = address(game);
        uint256 longest = game.longestGame(terms.steps, terms.commitEvery);
        terms.periods.toPlay = uint32(longest - 1);
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.GameTooLong.selector, longest, longest - 1));
        vm.prank(CLIENT);
        manager.post(terms);
        terms.periods.toPlay = uint32(longest);
        post(terms);
    }

    function test_AcceptExposesTheStake() public {
        TaskId task = post(defaultTerms());
        accept(task, 0);
        assertState(task, State.Open);
        (address seated, bytes32 value) = manager.seatOf(task, 0);
        assert(seated == owner(0) && value == 0);
        assert(vault.accountOf(owner(0)).exposed == STAKE);
        vm.warp(block.timestamp + 1 hours);
        accept(task, 1);
        assertState(task, State.Accepted);
        assert(manager.taskOf(task).deadline == block.timestamp + 2 days);
    }

    function test_AcceptNeedsAnOpenTask() public {
        TaskId task = accepted(defaultTerms());
        vm.expectRevert(wrongState(State.Accepted, Phase.None));
        vm.prank(owner(2));
        manager.accept(task);
        vm.expectRevert(wrongState(State.None, Phase.None));
        manager.accept(TaskId.wrap("no such task"));
    }

    function test_AcceptHasADeadline() public {
        TaskId task = post(defaultTerms());
        toDeadline(task);
        accept(task, 0);
        pastDeadline(task);
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.TooLate.selector, block.timestamp - 1));
        vm.prank(owner(1));
        manager.accept(task);
    }

    function test_AProviderHasOneSeat() public {
        Terms memory terms = defaultTerms();
        terms.providers = 3;
        TaskId task = post(terms);
        accept(task, 0);
        accept(task, 1);
        for (uint256 i = 0; i < 2; i++) {
            vm.expectRevert(abi.encodeWithSelector(ITaskManager.AlreadySeated.selector, owner(i)));
            vm.prank(owner(i));
            manager.accept(task);
        }
    }

    function test_AcceptNeedsStakeThatIsNeitherExposedNorLeaving() public {
        TaskId task = post(defaultTerms());
        vm.prank(owner(0));
        vault.requestUnbond(RICH - STAKE + 1);
        vm.expectRevert(
            abi.encodeWithSelector(IStakeVault.TooLittleStake.selector, owner(0), uint256(STAKE) - 1, uint256(STAKE))
        );
        vm.prank(owner(0));
        manager.accept(task);
    }

    function test_ASeatOfAnOpenTaskCanBeLeft() public {
        Terms memory terms = defaultTerms();
        terms.providers = 4;
        TaskId task = post(terms);
        for (uint256 i = 0; i < 3; i++) accept(task, i);
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.WrongCaller.selector, owner(1), owner(0)));
        vm.prank(owner(1));
        manager.leaveSeat(task, 0);
        vm.expectEmit();
        emit ITaskManager.SeatLeft(task, 0, owner(0));
        vm.prank(owner(0));
        manager.leaveSeat(task, 0);
        assert(vault.accountOf(owner(0)).exposed == 0 && manager.taskOf(task).seats == 2);
        // The last seat has the number of the one that was left.
        (address moved, ) = manager.seatOf(task, 0);
        (address none, ) = manager.seatOf(task, 2);
        assert(moved == owner(2) && none == address(0));
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.WrongCaller.selector, owner(0), address(0)));
        vm.prank(owner(0));
        manager.leaveSeat(task, 2);
        vm.prank(owner(1));
        manager.leaveSeat(task, 1);
        assert(vault.accountOf(owner(1)).exposed == 0 && manager.taskOf(task).seats == 1);
        // An owner that has left may come again.
        vm.prank(owner(0));
        assert(manager.accept(task) == 1);
    }

    function test_OnceAllSeatsAreTakenNobodyLeaves() public {
        TaskId task = accepted(defaultTerms());
        vm.expectRevert(wrongState(State.Accepted, Phase.None));
        vm.prank(owner(0));
        manager.leaveSeat(task, 0);
    }

    function test_CommitIsForTheSeatsOwnerOnce() public {
        TaskId task = accepted(defaultTerms());
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.WrongCaller.selector, owner(1), owner(0)));
        vm.prank(owner(1));
        manager.commit(task, 0, "x");
        vm.expectRevert(ITaskManager.EmptyCommitment.selector);
        vm.prank(owner(0));
        manager.commit(task, 0, 0);
        commit(task, 0, TRUTH);
        (, bytes32 value) = manager.seatOf(task, 0);
        assert(value == commitment(task, 0, TRUTH) && manager.taskOf(task).committed == 1);
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.WrongSeat.selector, 0));
        vm.prank(owner(0));
        manager.commit(task, 0, "x");
    }

    function test_CommitHasAStateAndADeadline() public {
        TaskId task = post(defaultTerms());
        accept(task, 0);
        vm.expectRevert(wrongState(State.Open, Phase.None));
        vm.prank(owner(0));
        manager.commit(task, 0, "x");
        accept(task, 1);
        toDeadline(task);
        commit(task, 0, TRUTH);
        pastDeadline(task);
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.TooLate.selector, block.timestamp - 1));
        vm.prank(owner(1));
        manager.commit(task, 1, "x");
    }

    function test_CommitmentsBindEverything() public {
        bytes32 hash = manager.commitmentOf(TaskId.wrap("task"), owner(0), TRUTH, "salt");
        assert(hash != manager.commitmentOf(TaskId.wrap("another"), owner(0), TRUTH, "salt"));
        assert(hash != manager.commitmentOf(TaskId.wrap("task"), owner(1), TRUTH, "salt"));
        assert(hash != manager.commitmentOf(TaskId.wrap("task"), owner(0), LIE, "salt"));
        assert(hash != manager.commitmentOf(TaskId.wrap("task"), owner(0), TRUTH, "pepper"));
        bytes32 kind = keccak256(
            "Commitment(uint256 chain,address manager,bytes32 task,address owner,bytes32 root,bytes32 salt)"
        );
        bytes32 here = bytes32("task");
        bytes32 pinch = bytes32("salt");
        assert(hash == keccak256(abi.encode(kind, block.chainid, address(manager), here, owner(0), TRUTH, pinch)));
        vm.chainId(block.chainid + 1);
        assert(hash != manager.commitmentOf(TaskId.wrap("task"), owner(0), TRUTH, "salt"));
    }

    function test_RevealOpensTheCommitment() public {
        TaskId task = committed(defaultTerms(), list(TRUTH, LIE));
        assertState(task, State.Accepted);
        vm.warp(block.timestamp + 1 hours);
        reveal(task, 1, LIE);
        assertState(task, State.Committed);
        assert(manager.taskOf(task).deadline == block.timestamp + 3 hours);
        (, bytes32 value) = manager.seatOf(task, 1);
        assert(RunRoot.wrap(value) == LIE && manager.taskOf(task).revealed == 2);
        // Any account may submit what the owner has made known.
        vm.prank(ANYONE);
        manager.reveal(task, 0, TRUTH, salt(0));
        assertState(task, State.Revealed);
        assert(manager.taskOf(task).deadline == block.timestamp);
    }

    function test_RevealWaitsForAllCommitments() public {
        TaskId task = accepted(defaultTerms());
        commit(task, 0, TRUTH);
        vm.expectRevert(wrongState(State.Accepted, Phase.None));
        manager.reveal(task, 0, TRUTH, salt(0));
    }

    function test_RevealRefusesWhatWasNotCommitted() public {
        TaskId task = committed(defaultTerms(), list(TRUTH, RunRoot.wrap(0)));
        bytes memory mismatch = abi.encodeWithSelector(
            ITaskManager.CommitmentMismatch.selector,
            commitment(task, 0, TRUTH)
        );
        vm.expectRevert(mismatch);
        manager.reveal(task, 0, LIE, salt(0));
        vm.expectRevert(mismatch);
        manager.reveal(task, 0, TRUTH, salt(1));
        vm.expectRevert(ITaskManager.EmptyRoot.selector);
        manager.reveal(task, 1, RunRoot.wrap(0), salt(1));
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.WrongSeat.selector, 2));
        manager.reveal(task, 2, TRUTH, salt(0));
        reveal(task, 0, TRUTH);
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.WrongSeat.selector, 0));
        manager.reveal(task, 0, TRUTH, salt(0));
    }

    function test_RevealHasADeadline() public {
        TaskId task = committed(defaultTerms(), list(TRUTH, TRUTH));
        reveal(task, 0, TRUTH);
        pastDeadline(task);
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.TooLate.selector, block.timestamp - 1));
        manager.reveal(task, 1, TRUTH, salt(1));
        vm.warp(block.timestamp - 1);
        reveal(task, 1, TRUTH);
    }

    function test_CompareTakesEqualClaimsToTheWindow() public {
        TaskId task = committed(defaultTerms(), list(TRUTH, TRUTH));
        vm.expectRevert(wrongState(State.Accepted, Phase.None));
        manager.compare(task);
        reveal(task, 0, TRUTH);
        reveal(task, 1, TRUTH);
        vm.warp(block.timestamp + 1);
        vm.prank(ANYONE);
        manager.compare(task);
        assertState(task, State.Challengeable);
        assert(manager.taskOf(task).deadline == block.timestamp + 1 days && manager.taskOf(task).dispute == 0);
    }

    function test_CompareTakesDifferentClaimsToADispute() public {
        Terms memory terms = defaultTerms();
        terms.providers = 3;
        TaskId task = claimed(terms, list(TRUTH, TRUTH, LIE));
        assertPhase(task, Phase.Judging);
        assert(manager.taskOf(task).deadline == block.timestamp + 2 days && manager.taskOf(task).dispute == 1);
    }
}
