// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SeatList} from "../../contracts/SeatList.sol";
import {ISeatList} from "../../contracts/interfaces/ISeatList.sol";
import {ITaskManager, State} from "../../contracts/interfaces/ITaskManager.sol";
import {TaskId} from "../../contracts/libraries/Ids.sol";
import {Terms} from "../../contracts/libraries/Terms.sol";
import {vm} from "./Vm.sol";
import {TestWorld} from "./World.sol";

/// @dev Seats for those whom the client names.
contract SeatListTest is TestWorld {
    SeatList private seats;

    function setUp() public override {
        super.setUp();
        seats = new SeatList(manager);
        assert(address(seats.manager()) == address(manager));
    }

    function listed() private view returns (Terms memory terms) {
        terms = defaultTerms();
        terms.seatPolicy = address(seats);
    }

    function one(address account) private pure returns (address[] memory owners) {
        owners = new address[](1);
        owners[0] = account;
    }

    function refused(TaskId task, address account) private {
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.SeatRefused.selector, account));
        vm.prank(account);
        manager.accept(task);
    }

    function test_OnlyThoseWhomTheClientNamesTakeSeats() public {
        Terms memory terms = listed();
        TaskId task = manager.taskId(terms);
        // Before the task is posted, too: so nobody finds it without its list.
        vm.expectEmit();
        emit ISeatList.SeatAllowed(task, owner(0));
        vm.prank(CLIENT);
        seats.allow(terms, one(owner(0)));
        post(terms);
        refused(task, owner(1));
        accept(task, 0);
        vm.prank(CLIENT);
        seats.allow(terms, one(owner(1)));
        accept(task, 1);
        assertState(task, State.Accepted);
    }

    function test_AnOwnerThatIsNamedTwiceHasOneSeat() public {
        Terms memory terms = listed();
        TaskId task = post(terms);
        address[] memory twice = new address[](2);
        (twice[0], twice[1]) = (owner(0), owner(0));
        vm.prank(CLIENT);
        seats.allow(terms, twice);
        accept(task, 0);
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.AlreadySeated.selector, owner(0)));
        vm.prank(owner(0));
        manager.accept(task);
    }

    function test_ItIsForTheClientAlone() public {
        Terms memory terms = listed();
        vm.expectRevert(abi.encodeWithSelector(ISeatList.NotTheClient.selector, owner(0), CLIENT));
        vm.prank(owner(0));
        seats.allow(terms, one(owner(0)));
        // With other terms it is another task.
        Terms memory own = listed();
        own.client = owner(0);
        vm.prank(owner(0));
        seats.allow(own, one(owner(0)));
        refused(post(terms), owner(0));
    }

    /// @dev A policy decides about the seats of providers and about nothing else.
    function test_AnybodyMayChallenge() public {
        Terms memory terms = listed();
        TaskId task = post(terms);
        address[] memory both = new address[](2);
        (both[0], both[1]) = (owner(0), owner(1));
        vm.prank(CLIENT);
        seats.allow(terms, both);
        for (uint256 i = 0; i < 2; i++) accept(task, i);
        for (uint256 i = 0; i < 2; i++) commit(task, i, LIE);
        for (uint256 i = 0; i < 2; i++) reveal(task, i, LIE);
        manager.compare(task);
        challenge(terms, 5, TRUTH);
        assert(manager.taskOf(task).challenges == 1);
    }

    function test_APolicyThatIsNoContractLetsNobodyIn() public {
        Terms memory terms = defaultTerms();
        terms.seatPolicy = ANYONE;
        TaskId task = post(terms);
        vm.expectRevert();
        vm.prank(owner(0));
        manager.accept(task);
        // Its only end is the refund.
        pastDeadline(task);
        manager.expire(terms);
        assertState(task, State.Refunded);
        assert(credit(CLIENT) == 2 * REWARD);
    }
}
