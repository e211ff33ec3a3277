// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SeatList} from "../../../contracts/SeatList.sol";
import {ISeatDraw} from "../../../contracts/interfaces/ISeatDraw.sol";
import {ITaskManager, State} from "../../../contracts/interfaces/ITaskManager.sol";
import {RunRoot, TaskId} from "../../../contracts/libraries/Ids.sol";
import {Terms} from "../../../contracts/libraries/Terms.sol";
import {DrawWorld} from "../DrawWorld.sol";
import {vm} from "../Vm.sol";

/// @dev Attack 12: one party takes all seats with accounts of its own, agrees with itself, and is paid for a
/// result that nobody has computed. It costs nothing if nobody looks. Terms may now name who takes seats: a
/// list keeps the party's accounts out, and a draw gives it no more than its share of the offers.
contract Attack12_BoughtSeats is DrawWorld {
    uint256 private constant TRIALS = 100;

    /// @dev The liar has the even accounts.
    function isLiar(uint256 i) private pure returns (bool) {
        return i % 2 == 0;
    }

    /// @dev What it did: first come, first served.
    function test_Attack12_WithoutAPolicyOnePartyTakesAllSeats() public {
        Terms memory terms = defaultTerms();
        TaskId task = claimed(terms, list(LIE, LIE));
        pastDeadline(task);
        manager.finalize(terms);
        assertState(task, State.Final);
        assert(credit(owner(0)) == REWARD && credit(owner(1)) == REWARD);
    }

    function test_Attack12_AListKeepsStrangersOut() public {
        SeatList seats = new SeatList(manager);
        Terms memory terms = defaultTerms();
        terms.seatPolicy = address(seats);
        TaskId task = post(terms);
        address[] memory honest = new address[](2);
        (honest[0], honest[1]) = (owner(1), owner(3));
        vm.prank(CLIENT);
        seats.allow(terms, honest);
        for (uint256 i = 0; i < 8; i += 2) {
            vm.expectRevert(abi.encodeWithSelector(ITaskManager.SeatRefused.selector, owner(i)));
            vm.prank(owner(i));
            manager.accept(task);
        }
    }

    /// @dev Half of eight offers are the liar's. It gets both seats with the chance 4/8 · 3/7, which is 3/14.
    /// In a hundred draws that are 21 on average, with a standard deviation of 4. Each account is drawn 25
    /// times on average, with a standard deviation of 4.3.
    function test_Attack12_ADrawGivesNoMoreThanTheShareOfTheOffers() public {
        uint256 bought = 0;
        uint256[8] memory drawnOf;
        for (uint256 trial = 0; trial < TRIALS; trial++) {
            bytes32 secret = keccak256(abi.encode("trial", trial));
            Terms memory terms = drawnTerms(secret);
            terms.stake = 1;
            TaskId task = closed(terms, 8);
            draws.draw(terms, secret);
            uint256 liars = 0;
            for (uint256 i = 0; i < 8; i++) {
                if (!draws.mayTakeSeat(task, owner(i))) continue;
                drawnOf[i]++;
                if (isLiar(i)) liars++;
            }
            assert(mayCount(task, 8) == 2);
            if (liars == 2) bought++;
        }
        assert(bought >= 8 && bought <= 35);
        for (uint256 i = 0; i < 8; i++) assert(drawnOf[i] >= 10 && drawnOf[i] <= 40);
    }

    /// @dev The client knows its secret, but not the block. It can't try several blocks, either.
    function test_Attack12_TheClientHasOneDraw() public {
        Terms memory terms = drawnTerms(SECRET);
        closed(terms, 8);
        uint256 before = vm.snapshotState();
        draws.draw(terms, SECRET);
        TaskId task = manager.taskId(terms);
        bool[8] memory first;
        for (uint256 i = 0; i < 8; i++) first[i] = draws.mayTakeSeat(task, owner(i));
        // Later it is the same draw.
        vm.revertToState(before);
        vm.roll(block.number + 100);
        draws.draw(terms, SECRET);
        for (uint256 i = 0; i < 8; i++) assert(first[i] == draws.mayTakeSeat(task, owner(i)));
        vm.expectRevert(abi.encodeWithSelector(ISeatDraw.DrawnBefore.selector, task));
        draws.draw(terms, SECRET);
    }

    /// @dev A client that dislikes the order and keeps its secret gets no work, and nobody loses a stake.
    function test_Attack12_AWithheldSecretEndsInARefund() public {
        Terms memory terms = drawnTerms(SECRET);
        TaskId task = closed(terms, 8);
        pastDeadline(task);
        manager.expire(terms);
        assertState(task, State.Refunded);
        for (uint256 i = 0; i < 8; i++) assert(lossOf(owner(i)) == 0);
        vm.expectRevert(abi.encodeWithSelector(ISeatDraw.TaskNotOpen.selector, State.Refunded));
        draws.draw(terms, SECRET);
    }

    /// @dev Several accounts of one party need a stake for each, and one account has one seat.
    function test_Attack12_AnAccountOffersOnceAndSitsOnce() public {
        Terms memory terms = drawnTerms(SECRET);
        TaskId task = closed(terms, 2);
        draws.draw(terms, SECRET);
        accept(task, 0);
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.AlreadySeated.selector, owner(0)));
        vm.prank(owner(0));
        manager.accept(task);
        RunRoot none = RunRoot.wrap(0);
        (, bytes32 value) = manager.seatOf(task, 0);
        assert(RunRoot.wrap(value) == none);
    }
}
