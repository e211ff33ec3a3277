// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SeatDraw} from "../../contracts/SeatDraw.sol";
import {TaskId} from "../../contracts/libraries/Ids.sol";
import {Terms} from "../../contracts/libraries/Terms.sol";
import {vm} from "./Vm.sol";
import {TestWorld} from "./World.sol";

/// @dev Tasks whose seats are drawn.
abstract contract DrawWorld is TestWorld {
    bytes32 internal constant SECRET = "secret";
    SeatDraw internal draws;

    function setUp() public virtual override {
        super.setUp();
        draws = new SeatDraw(manager);
    }

    function drawnTerms(bytes32 secret) internal view returns (Terms memory terms) {
        terms = defaultTerms();
        terms.seatPolicy = address(draws);
        terms.salt = draws.saltOf(secret);
    }

    function offer(Terms memory terms, uint256 i) internal {
        vm.prank(owner(i));
        draws.offer(terms);
    }

    /// @dev The time after the offers.
    function toEnd(Terms memory terms) internal {
        vm.warp(manager.taskOf(manager.taskId(terms)).deadline - terms.periods.toAccept / 2 + 1);
    }

    /// @dev A posted task with the offers of the first accounts, closed, one block after that.
    function closed(Terms memory terms, uint256 offers) internal returns (TaskId task) {
        task = post(terms);
        for (uint256 i = 0; i < offers; i++) offer(terms, i);
        toEnd(terms);
        draws.close(terms);
        vm.roll(block.number + 1);
    }

    /// @dev How many of the first accounts may take a seat.
    function mayCount(TaskId task, uint256 accounts) internal view returns (uint256 count) {
        for (uint256 i = 0; i < accounts; i++) if (draws.mayTakeSeat(task, owner(i))) count++;
    }
}
