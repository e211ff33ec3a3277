// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ISeatDraw} from "../../contracts/interfaces/ISeatDraw.sol";
import {ITaskManager, State} from "../../contracts/interfaces/ITaskManager.sol";
import {TaskId} from "../../contracts/libraries/Ids.sol";
import {Terms} from "../../contracts/libraries/Terms.sol";
import {DrawWorld} from "./DrawWorld.sol";
import {vm} from "./Vm.sol";

/// @dev Keeps the hash of one block, as the system contract of EIP-2935 keeps those of many.
contract HistoryOfOne {
    fallback(bytes calldata asked) external returns (bytes memory) {
        require(abi.decode(asked, (uint256)) == 7);
        return abi.encode(bytes32("the hash of block 7"));
    }
}

/// @dev Seats that are drawn among those that offer.
contract SeatDrawTest is DrawWorld {
    address private constant HISTORY = 0x0000F90827F1C53a10cb7A02335B175320002935;

    function test_TheFirstOnesOfTheOrderTakeTheSeats() public {
        Terms memory terms = drawnTerms(SECRET);
        TaskId task = closed(terms, 8);
        assert(mayCount(task, 8) == 0);
        vm.prank(ANYONE);
        draws.draw(terms, SECRET);
        (uint256 offers, uint256 number, bool drawn) = draws.drawOf(task);
        assert(offers == 8 && number == block.number - 1 && drawn);
        assert(mayCount(task, 8) == 2);
        uint256 seats = 0;
        for (uint256 i = 0; i < 8; i++) {
            if (draws.mayTakeSeat(task, owner(i))) {
                vm.prank(owner(i));
                assert(manager.accept(task) == seats++);
            } else if (manager.taskOf(task).state == State.Open) {
                vm.expectRevert(abi.encodeWithSelector(ITaskManager.SeatRefused.selector, owner(i)));
                vm.prank(owner(i));
                manager.accept(task);
            }
        }
        assertState(task, State.Accepted);
        assert(address(draws.manager()) == address(manager));
    }

    function test_ReservesComeInTheLastQuarter() public {
        Terms memory terms = drawnTerms(SECRET);
        terms.providers = 3;
        TaskId task = closed(terms, 8);
        draws.draw(terms, SECRET);
        uint256 reserves = manager.taskOf(task).deadline - terms.periods.toAccept / 4;
        vm.warp(reserves);
        assert(mayCount(task, 8) == 3);
        vm.warp(reserves + 1);
        // As many again. The others have offered without effect.
        assert(mayCount(task, 8) == 6);
        assert(!draws.mayTakeSeat(task, ANYONE));
    }

    function test_WithAsManyOffersAsSeatsAllAreDrawn() public {
        Terms memory terms = drawnTerms(SECRET);
        TaskId task = closed(terms, 2);
        draws.draw(terms, SECRET);
        assert(mayCount(task, 2) == 2);
    }

    function test_OffersNeedTheTaskTheTimeAndTheStake() public {
        Terms memory terms = drawnTerms(SECRET);
        vm.expectRevert(abi.encodeWithSelector(ISeatDraw.TaskNotOpen.selector, State.None));
        offer(terms, 0);
        TaskId task = post(terms);
        offer(terms, 0);
        assert(draws.rankOf(task, owner(0)) == 1 && draws.rankOf(task, owner(1)) == 0);
        vm.expectRevert(abi.encodeWithSelector(ISeatDraw.OfferedBefore.selector, owner(0)));
        offer(terms, 0);
        vm.expectRevert(abi.encodeWithSelector(ISeatDraw.TooLittleFree.selector, 0, STAKE));
        vm.prank(ANYONE);
        draws.offer(terms);
        // Stake that secures another task is not free.
        Terms memory other = defaultTerms();
        other.stake = uint80(RICH - STAKE + 1);
        accept(post(other), 1 - 1);
        Terms memory next = drawnTerms("another secret");
        TaskId second = post(next);
        vm.expectRevert(abi.encodeWithSelector(ISeatDraw.TooLittleFree.selector, STAKE - 1, STAKE));
        offer(next, 0);
        // Stake that leaves is not free either.
        vm.prank(owner(0));
        vault.requestUnbond(RICH - 1);
        vm.expectRevert(abi.encodeWithSelector(ISeatDraw.TooLittleFree.selector, 0, STAKE));
        offer(next, 0);
        // Exactly the stake is enough.
        vm.prank(owner(0));
        vault.deposit(RICH);
        offer(next, 0);
        uint256 closes = manager.taskOf(second).deadline - terms.periods.toAccept / 2;
        vm.warp(closes);
        offer(next, 1);
        vm.warp(closes + 1);
        vm.expectRevert(abi.encodeWithSelector(ISeatDraw.OffersAreOver.selector, closes));
        offer(next, 2);
    }

    function test_TermsNameTheirPolicy() public {
        Terms memory terms = defaultTerms();
        post(terms);
        bytes memory elsewhere = abi.encodeWithSelector(ISeatDraw.NotDrawnHere.selector, address(0));
        vm.expectRevert(elsewhere);
        offer(terms, 0);
        vm.expectRevert(elsewhere);
        draws.close(terms);
        vm.expectRevert(elsewhere);
        draws.draw(terms, SECRET);
    }

    function test_OffersAreClosedOnce() public {
        Terms memory terms = drawnTerms(SECRET);
        TaskId task = post(terms);
        offer(terms, 0);
        uint256 closes = manager.taskOf(task).deadline - terms.periods.toAccept / 2;
        vm.warp(closes);
        vm.expectRevert(abi.encodeWithSelector(ISeatDraw.OffersStillTaken.selector, closes));
        draws.close(terms);
        offer(terms, 1);
        vm.warp(closes + 1);
        vm.expectEmit();
        emit ISeatDraw.OffersClosed(task, 2, block.number);
        draws.close(terms);
        uint256 number = block.number;
        vm.roll(number + 5);
        vm.expectRevert(abi.encodeWithSelector(ISeatDraw.ClosedBefore.selector, number));
        draws.close(terms);
    }

    function test_FewerOffersThanSeatsAreNoDraw() public {
        Terms memory terms = drawnTerms(SECRET);
        post(terms);
        offer(terms, 0);
        toEnd(terms);
        vm.expectRevert(abi.encodeWithSelector(ISeatDraw.TooFewOffers.selector, 1, 2));
        draws.close(terms);
    }

    function test_ADrawNeedsItsBlockAndItsSecret() public {
        Terms memory terms = drawnTerms(SECRET);
        TaskId task = post(terms);
        for (uint256 i = 0; i < 3; i++) offer(terms, i);
        vm.expectRevert(abi.encodeWithSelector(ISeatDraw.TooEarlyToDraw.selector, 0));
        draws.draw(terms, SECRET);
        toEnd(terms);
        draws.close(terms);
        uint256 number = block.number;
        vm.expectRevert(abi.encodeWithSelector(ISeatDraw.TooEarlyToDraw.selector, number));
        draws.draw(terms, SECRET);
        vm.roll(number + 1);
        vm.expectRevert(ISeatDraw.WrongSecret.selector);
        draws.draw(terms, "another secret");
        draws.draw(terms, SECRET);
        vm.expectRevert(abi.encodeWithSelector(ISeatDraw.DrawnBefore.selector, task));
        draws.draw(terms, SECRET);
    }

    /// @dev The secret can't be used to draw again with another block.
    function test_ABlockThatIsForgottenEndsTheDraw() public {
        vm.roll(7);
        Terms memory terms = drawnTerms(SECRET);
        TaskId task = post(terms);
        for (uint256 i = 0; i < 8; i++) offer(terms, i);
        toEnd(terms);
        draws.close(terms);
        vm.roll(7 + 300);
        vm.expectRevert(abi.encodeWithSelector(ISeatDraw.BlockForgotten.selector, 7));
        draws.draw(terms, SECRET);
        vm.expectRevert(abi.encodeWithSelector(ISeatDraw.ClosedBefore.selector, 7));
        draws.close(terms);
        // Where the chain keeps its history, it is asked.
        vm.etch(HISTORY, address(new HistoryOfOne()).code);
        draws.draw(terms, SECRET);
        assert(mayCount(task, 8) == 2);
    }

    function test_TheSaltIsAHash() public view {
        bytes32 kind = keccak256("Verde draw commitment 1");
        assert(draws.saltOf(SECRET) == keccak256(bytes.concat(kind, SECRET)));
    }
}
