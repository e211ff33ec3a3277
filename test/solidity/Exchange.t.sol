// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {KeyHash, SaleId, SealKey, SealRoot} from "../../contracts/exchange/SaleTypes.sol";
import {IExchange, Sale, SaleState, SaleTerms} from "../../contracts/interfaces/IExchange.sol";
import {ITaskManager, Phase, State} from "../../contracts/interfaces/ITaskManager.sol";
import {TaskId} from "../../contracts/libraries/Ids.sol";
import {SealedChunk} from "../../contracts/libraries/Sealing.sol";
import {Terms, TermsLib} from "../../contracts/libraries/Terms.sol";
import {NaiveSeal, Sealed, SaleWorld} from "./SaleWorld.sol";
import {vm} from "./Vm.sol";

/// @dev The states of a sale, its deadlines, and who gets the money.
contract ExchangeTest is SaleWorld {
    using NaiveSeal for Sealed;

    function setUp() public {
        buildExchange();
    }

    function wrongSale(SaleState state) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IExchange.WrongSaleState.selector, state);
    }

    function test_AnHonestSalePaysTheSeller() public {
        Sealed memory s = sealedChunks(5);
        assert(address(exchange.manager()) == address(manager) && address(exchange.token()) == address(token));
        SaleId sale = pledged();
        assert(exchange.escrow() == SHARE);
        assertSale(sale, SaleState.Pledged);
        offer(sale, s);
        assertSale(sale, SaleState.Offered);
        assert(exchange.escrow() == SHARE + SALE_BOND);
        take(sale);
        assertSale(sale, SaleState.Taken);
        // Anyone who knows the key may release it.
        vm.prank(ANYONE);
        exchange.releaseKey(sale, KEY);
        assertSale(sale, SaleState.Released);
        uint256 last = exchange.deadlineOf(sale);
        vm.warp(last);
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.TooEarly.selector, last));
        exchange.finish(sale);
        vm.warp(last + 1);
        vm.prank(ANYONE);
        exchange.finish(sale);
        assertSale(sale, SaleState.Paid);
        assertOwed(0, SHARE + SALE_BOND, 0);
        uint256 before = token.balanceOf(seller());
        assert(exchange.claim(seller()) == SHARE + SALE_BOND);
        assert(token.balanceOf(seller()) == before + SHARE + SALE_BOND);
    }

    function test_TheBuyerMayPayAtOnce() public {
        SaleId sale = released(sealedChunks(1));
        vm.prank(CLIENT);
        exchange.finish(sale);
        assertOwed(0, SHARE + SALE_BOND, 0);
    }

    function test_WhatIsStoredOfASale() public {
        TaskId task = post(defaultTerms());
        SaleTerms memory terms = saleTerms(task);
        terms.seat = 1;
        SaleId sale = pledge(terms);
        assert(SaleId.unwrap(sale) == SaleId.unwrap(exchange.saleId(terms)));
        bytes32 hash = keccak256(abi.encode(block.chainid, address(exchange), terms));
        assert(SaleId.unwrap(sale) == hash);
        Sale memory s = exchange.saleOf(sale);
        assert(s.buyer == CLIENT && s.seat == 1 && TaskId.unwrap(s.task) == TaskId.unwrap(task));
        assert(s.price == SHARE && s.bond == SALE_BOND && s.movedAt == block.timestamp && s.chunks == 0);
        assert(s.toOffer == 1 days && s.toTake == 2 days && s.toRelease == 3 hours && s.toComplain == 5 hours);
        assert(KeyHash.unwrap(exchange.hashOfKey(sale, KEY)) == KeyHash.unwrap(NaiveSeal.keyHash(sale, KEY)));
        // The time for an offer begins when the task ends.
        assert(exchange.deadlineOf(sale) == 0);
        settle(task);
        assert(exchange.deadlineOf(sale) == block.timestamp + 1 days);
        assert(exchange.deadlineOf(SaleId.wrap("none")) == 0);
    }

    function test_TheTimeForAnOfferBeginsWithALatePledge() public {
        TaskId task = post(defaultTerms());
        settle(task);
        vm.warp(block.timestamp + 9 days);
        SaleId sale = pledge(saleTerms(task));
        assert(exchange.deadlineOf(sale) == block.timestamp + 1 days);
        vm.warp(block.timestamp + 1 days);
        offer(sale, sealedChunks(1));
        assert(exchange.deadlineOf(sale) == block.timestamp + 2 days);
        take(sale);
        assert(exchange.deadlineOf(sale) == block.timestamp + 3 hours);
        exchange.releaseKey(sale, KEY);
        assert(exchange.deadlineOf(sale) == block.timestamp + 5 hours);
        vm.prank(CLIENT);
        exchange.finish(sale);
        assert(exchange.deadlineOf(sale) == 0);
    }

    function test_APledgeNeedsSoundTerms() public {
        TaskId task = post(defaultTerms());
        SaleTerms memory terms = saleTerms(task);
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.WrongCaller.selector, ANYONE, CLIENT));
        vm.prank(ANYONE);
        exchange.pledge(terms);
        for (uint256 i = 0; i < 6; i++) {
            terms = saleTerms(task);
            if (i == 0) terms.price = 0;
            if (i == 1) terms.bond = 0;
            if (i == 2) terms.toOffer = 59;
            if (i == 3) terms.toTake = 59;
            if (i == 4) terms.toRelease = 59;
            if (i == 5) terms.toComplain = 59;
            vm.expectRevert(i < 2 ? IExchange.EmptySale.selector : TermsLib.PeriodTooShort.selector);
            pledge(terms);
        }
        (terms.toOffer, terms.toTake, terms.toRelease, terms.toComplain) = (60, 60, 60, 60);
        SaleId sale = pledge(terms);
        vm.expectRevert(abi.encodeWithSelector(IExchange.SaleExists.selector, sale));
        pledge(terms);
        terms.task = TaskId.wrap("none");
        vm.expectRevert(wrongState(State.None, Phase.None));
        pledge(terms);
    }

    function test_OnlyASettledSeatOffers() public {
        Terms memory terms = defaultTerms();
        TaskId task = post(terms);
        SaleId sale = pledge(saleTerms(task));
        Sealed memory s = sealedChunks(2);
        refused(seller(), offerCall(sale, s), abi.encodeWithSelector(IExchange.NotSettled.selector, task, 0));
        settle(task);
        refused(owner(1), abi.encodeCall(exchange.offer, (sale, s.root(), 2, NaiveSeal.keyHash(sale, KEY))), abi.encodeWithSelector(ITaskManager.WrongCaller.selector, owner(1), seller()));
        refused(seller(), abi.encodeCall(exchange.offer, (sale, s.root(), 0, NaiveSeal.keyHash(sale, KEY))), abi.encodeWithSelector(IExchange.EmptySale.selector));
        uint256 last = exchange.deadlineOf(sale);
        vm.warp(last + 1);
        refused(seller(), offerCall(sale, s), abi.encodeWithSelector(ITaskManager.TooLate.selector, last));
        vm.warp(last);
        offer(sale, s);
        refused(seller(), offerCall(sale, s), wrongSale(SaleState.Offered));
    }

    function test_WithoutAnOfferThePriceGoesBack() public {
        SaleId sale = pledged();
        uint256 last = exchange.deadlineOf(sale);
        vm.warp(last);
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.TooEarly.selector, last));
        exchange.expire(sale);
        vm.warp(last + 1);
        vm.prank(ANYONE);
        exchange.expire(sale);
        assertSale(sale, SaleState.Returned);
        assertOwed(SHARE, 0, 0);
    }

    function test_ARefundedTaskHasNothingToSell() public {
        Terms memory terms = defaultTerms();
        TaskId task = post(terms);
        SaleId sale = pledge(saleTerms(task));
        vm.expectRevert(abi.encodeWithSelector(IExchange.NotSettled.selector, task, 0));
        exchange.expire(sale);
        pastDeadline(task);
        manager.expire(terms);
        refused(seller(), offerCall(sale, sealedChunks(1)), abi.encodeWithSelector(IExchange.NotSettled.selector, task, 0));
        exchange.expire(sale);
        assertOwed(SHARE, 0, 0);
    }

    function test_ASeatThatHasLostHasNothingToSell() public {
        Terms memory terms = defaultTerms();
        TaskId task = disputed(terms);
        SaleTerms memory wanted = saleTerms(task);
        wanted.seat = 1;
        SaleId sale = pledge(wanted);
        resolve(terms, secondLies(task));
        pastDeadline(task);
        manager.finalize(terms);
        bytes32 root = "root";
        refused(owner(1), abi.encodeCall(exchange.offer, (sale, SealRoot.wrap(root), 1, NaiveSeal.keyHash(sale, KEY))), abi.encodeWithSelector(IExchange.NotSettled.selector, task, 1));
        exchange.expire(sale);
        assertOwed(SHARE, 0, 0);
    }

    function test_OnlyTheBuyerTakesWhatItHasChecked() public {
        SaleId sale = pledged();
        Sealed memory s = sealedChunks(3);
        offer(sale, s);
        (SealRoot root, KeyHash hash) = (s.root(), NaiveSeal.keyHash(sale, KEY));
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.WrongCaller.selector, ANYONE, CLIENT));
        vm.prank(ANYONE);
        exchange.take(sale, root, hash);
        vm.expectRevert(abi.encodeWithSelector(IExchange.OtherOffer.selector, root, hash));
        vm.prank(CLIENT);
        exchange.take(sale, SealRoot.wrap("other"), hash);
        vm.expectRevert(abi.encodeWithSelector(IExchange.OtherOffer.selector, root, hash));
        vm.prank(CLIENT);
        exchange.take(sale, root, KeyHash.wrap("other"));
        uint256 last = exchange.deadlineOf(sale);
        vm.warp(last + 1);
        refused(CLIENT, takeCall(sale), abi.encodeWithSelector(ITaskManager.TooLate.selector, last));
        vm.warp(last);
        take(sale);
    }

    function test_AnOfferThatIsNotTakenBurnsThePrice() public {
        SaleId sale = pledged();
        offer(sale, sealedChunks(3));
        uint256 last = exchange.deadlineOf(sale);
        vm.warp(last);
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.TooEarly.selector, last));
        exchange.expire(sale);
        vm.warp(last + 1);
        exchange.expire(sale);
        assertSale(sale, SaleState.Burned);
        assertOwed(0, SALE_BOND, SHARE);
    }

    function test_AKeyThatIsNotReleasedCostsTheBond() public {
        SaleId sale = pledged();
        offer(sale, sealedChunks(3));
        take(sale);
        uint256 last = exchange.deadlineOf(sale);
        vm.warp(last);
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.TooEarly.selector, last));
        exchange.expire(sale);
        KeyHash wrong = NaiveSeal.keyHash(sale, SealKey.wrap("other"));
        vm.expectRevert(abi.encodeWithSelector(IExchange.WrongKey.selector, wrong));
        exchange.releaseKey(sale, SealKey.wrap("other"));
        vm.warp(last + 1);
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.TooLate.selector, last));
        exchange.releaseKey(sale, KEY);
        exchange.expire(sale);
        assertSale(sale, SaleState.Returned);
        // The buyer has half of the odd bond, the smaller half.
        assertOwed(SHARE + 30, 0, 31);
    }

    function test_AKeyInTheLastSecondIsInTime() public {
        SaleId sale = pledged();
        offer(sale, sealedChunks(3));
        take(sale);
        vm.warp(exchange.deadlineOf(sale));
        exchange.releaseKey(sale, KEY);
    }

    function test_AWrongChunkIsShownUntilTheLastSecond() public {
        Sealed memory s = sealedChunks(3);
        s.ciphertext[1][77] ^= 0x01;
        s.commit();
        SaleId sale = released(s);
        uint256 last = exchange.deadlineOf(sale);
        vm.warp(last + 1);
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.TooLate.selector, last));
        exchange.complain(sale, KEY, s.shown(1));
        vm.warp(last);
        KeyHash wrong = NaiveSeal.keyHash(sale, SealKey.wrap("other"));
        vm.expectRevert(abi.encodeWithSelector(IExchange.WrongKey.selector, wrong));
        exchange.complain(sale, SealKey.wrap("other"), s.shown(1));
        vm.prank(ANYONE);
        exchange.complain(sale, KEY, s.shown(1));
        assertSale(sale, SaleState.Returned);
        assertOwed(SHARE + 30, 0, 31);
    }

    function test_OnlyWhatWasOfferedIsAComplaint() public {
        Sealed memory s = sealedChunks(3);
        SaleId sale = released(s);
        SealedChunk memory chunk = s.shown(1);
        chunk.ciphertext[0] ^= 0x01;
        vm.expectRevert();
        exchange.complain(sale, KEY, chunk);
        chunk = s.shown(1);
        chunk.leaf = s.leaves[0];
        vm.expectRevert();
        exchange.complain(sale, KEY, chunk);
        chunk = s.shown(1);
        chunk.index = 0;
        vm.expectRevert();
        exchange.complain(sale, KEY, chunk);
        Sealed memory other = sealedChunks(3);
        other.leaves[2] = other.leaves[0];
        other.commit();
        vm.expectRevert(abi.encodeWithSelector(IExchange.NotSealed.selector, other.root()));
        exchange.complain(sale, KEY, other.shown(2));
    }

    /// @dev In every state, the calls that belong to another one.
    function test_EachCallBelongsToOneState() public {
        Sealed memory s = sealedChunks(2);
        SaleId sale = pledged();
        SealedChunk memory chunk = s.shown(0);
        KeyHash hash = NaiveSeal.keyHash(sale, KEY);
        bytes[6] memory calls = [
            abi.encodeCall(exchange.offer, (sale, s.root(), 2, hash)),
            abi.encodeCall(exchange.take, (sale, s.root(), hash)),
            abi.encodeCall(exchange.releaseKey, (sale, KEY)),
            abi.encodeCall(exchange.complain, (sale, KEY, chunk)),
            abi.encodeCall(exchange.finish, (sale)),
            abi.encodeCall(exchange.expire, (sale))
        ];
        assertRefused(sale, calls, [true, false, false, false, false, true]);
        offer(sale, s);
        assertRefused(sale, calls, [false, true, false, false, false, true]);
        take(sale);
        assertRefused(sale, calls, [false, false, true, false, false, true]);
        exchange.releaseKey(sale, KEY);
        assertRefused(sale, calls, [false, false, false, true, true, false]);
        vm.prank(CLIENT);
        exchange.finish(sale);
        assertRefused(sale, calls, [false, false, false, false, false, false]);
    }

    function assertRefused(SaleId sale, bytes[6] memory calls, bool[6] memory belongs) private {
        bytes32 refusal = keccak256(wrongSale(exchange.saleOf(sale).state));
        for (uint256 i = 0; i < 6; i++) {
            if (belongs[i]) continue;
            (bool done, bytes memory answer) = address(exchange).call(calls[i]);
            assert(!done && keccak256(answer) == refusal);
        }
    }
}
