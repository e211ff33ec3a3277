// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {SaleId} from "../../contracts/exchange/SaleTypes.sol";
import {IExchange, SaleTerms} from "../../contracts/interfaces/IExchange.sol";
import {IStakeVault} from "../../contracts/interfaces/IStakeVault.sol";
import {TestToken} from "../../contracts/local/TestToken.sol";
import {TaskId} from "../../contracts/libraries/Ids.sol";
import {SaleWorld} from "./SaleWorld.sol";
import {BlockingToken, CallingToken, FeeToken} from "./Tokens.sol";
import {vm} from "./Vm.sol";

/// @dev The money of the exchange, also over tokens that misbehave.
contract SaleMoneyTest is SaleWorld {
    address private constant BURNED = 0x000000000000000000000000000000000000dEaD;
    TestToken private next;

    function makeToken() internal override returns (TestToken) {
        return address(next) == address(0) ? new TestToken() : next;
    }

    function over(TestToken token_) private {
        next = token_;
        buildExchange();
    }

    /// @dev The buyer has credit, and some waits to be burned.
    function failed() private returns (SaleId sale) {
        sale = pledged();
        offer(sale, sealedChunks(1));
        take(sale);
        passed(sale);
        exchange.expire(sale);
    }

    function test_CreditIsPaidOnce() public {
        over(new TestToken());
        vm.expectRevert(IStakeVault.NothingToDo.selector);
        exchange.claim(CLIENT);
        vm.expectRevert(IStakeVault.NothingToDo.selector);
        exchange.burn();
        failed();
        uint256 before = token.balanceOf(CLIENT);
        vm.prank(ANYONE);
        assert(exchange.claim(CLIENT) == SHARE + 30);
        assert(token.balanceOf(CLIENT) == before + SHARE + 30);
        vm.expectRevert(IStakeVault.NothingToDo.selector);
        exchange.claim(CLIENT);
        assert(exchange.burn() == 31 && token.balanceOf(BURNED) == 31);
        vm.expectRevert(IStakeVault.NothingToDo.selector);
        exchange.burn();
        assertOwed(0, 0, 0);
    }

    function test_AnOwnerThatTheTokenRefusesNamesAnotherAccount() public {
        BlockingToken blocking = new BlockingToken();
        over(blocking);
        failed();
        blocking.setBlocked(CLIENT, true);
        vm.expectRevert(abi.encodeWithSelector(BlockingToken.Blocked.selector, CLIENT));
        exchange.claim(CLIENT);
        vm.expectRevert(IStakeVault.NothingToDo.selector);
        vm.prank(ANYONE);
        exchange.claimTo(ANYONE);
        vm.prank(CLIENT);
        assert(exchange.claimTo(ANYONE) == SHARE + 30);
        assert(token.balanceOf(ANYONE) == SHARE + 30 && exchange.creditOf(CLIENT) == 0);
    }

    function test_AGiftBelongsToNobody() public {
        over(new TestToken());
        token.mint(address(exchange), type(uint128).max);
        failed();
        exchange.claim(CLIENT);
        exchange.burn();
        assert(exchange.escrow() == 0 && exchange.condemned() == 0);
        assert(token.balanceOf(address(exchange)) == type(uint128).max);
    }

    function test_ATokenWithAFeeIsRefused() public {
        over(new TestToken());
        TaskId task = post(defaultTerms());
        FeeToken fee = new FeeToken();
        vm.etch(address(token), address(fee).code);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.WrongAmountReceived.selector, SHARE - 1, SHARE));
        pledge(saleTerms(task));
    }

    /// @dev During a transfer of each kind, every function that moves tokens is locked.
    function test_ATokenThatCallsBackIsLockedOut() public {
        CallingToken calling = new CallingToken();
        over(calling);
        SaleTerms memory terms = saleTerms(TaskId.wrap("none"));
        bytes[3] memory inner =
            [abi.encodeCall(exchange.claim, (CLIENT)), abi.encodeCall(exchange.claimTo, (ANYONE)), abi.encodeCall(exchange.burn, ())];
        TaskId task = post(defaultTerms());
        SaleId sale;
        for (uint256 i = 0; i < 3; i++) {
            terms = saleTerms(task);
            terms.salt = bytes32(i);
            calling.onTransfer(address(exchange), inner[i]);
            sale = pledge(terms);
            assertClosed(calling);
            calling.onTransfer(address(0), "");
        }
        settle(task);
        calling.onTransfer(address(exchange), inner[0]);
        offer(sale, sealedChunks(1));
        assertClosed(calling);
        calling.onTransfer(address(0), "");
        take(sale);
        passed(sale);
        exchange.expire(sale);
        calling.onTransfer(address(exchange), inner[2]);
        exchange.claim(CLIENT);
        assertClosed(calling);
        calling.onTransfer(address(exchange), inner[0]);
        exchange.burn();
        assertClosed(calling);
    }

    function assertClosed(CallingToken calling) private view {
        bytes memory closed = abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
        assert(!calling.succeeded() && keccak256(calling.answer()) == keccak256(closed));
    }
}
