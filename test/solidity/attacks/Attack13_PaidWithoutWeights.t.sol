// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {KeyHash, SaleId, SealKey, SealRoot} from "../../../contracts/exchange/SaleTypes.sol";
import {IExchange, Sale, SaleState, SaleTerms} from "../../../contracts/interfaces/IExchange.sol";
import {ITaskManager} from "../../../contracts/interfaces/ITaskManager.sol";
import {TaskId} from "../../../contracts/libraries/Ids.sol";
import {NaiveSeal, Sealed, SaleWorld} from "../SaleWorld.sol";
import {vm} from "../Vm.sol";

/// @dev Attack 13: a provider is paid, and keeps the weights. Before there was an exchange, the whole reward
/// was paid with the end of the task. Now a part of it waits for the key, and a wrong key or a wrong chunk
/// gives it back.
contract Attack13_PaidWithoutWeights is SaleWorld {
    using NaiveSeal for Sealed;

    function setUp() public {
        buildExchange();
    }

    function test_attack13_theKeyIsWithheld() public {
        SaleId sale = pledged();
        offer(sale, sealedChunks(3));
        take(sale);
        passed(sale);
        exchange.expire(sale);
        assertOwed(SHARE + SALE_BOND / 2, 0, SALE_BOND - SALE_BOND / 2);
    }

    /// @dev Wherever a byte of the ciphertext is wrong, its chunk is shown, and no other one can be.
    function testFuzz_attack13_aByteIsFlippedAnywhere(uint256 count, uint256 where, uint8 flip) public {
        count = 1 + (count % 9);
        flip = flip == 0 ? 1 : flip;
        Sealed memory s = sealedChunks(count);
        uint32 wrong = uint32(where % count);
        where = (where >> 32) % s.ciphertext[wrong].length;
        s.ciphertext[wrong][where] ^= bytes1(flip);
        s.commit();
        SaleId sale = released(s);
        for (uint32 i = 0; i < count; i++) {
            if (i == wrong) continue;
            vm.expectRevert(abi.encodeWithSelector(IExchange.NothingWrong.selector, i));
            exchange.complain(sale, KEY, s.shown(i));
        }
        exchange.complain(sale, KEY, s.shown(wrong));
        assertOwed(SHARE + SALE_BOND / 2, 0, SALE_BOND - SALE_BOND / 2);
    }

    /// @dev The seller seals with one key and commits to another one.
    function test_attack13_theKeyIsAnotherOne() public {
        Sealed memory s = sealedChunks(3);
        s.key = SealKey.wrap("another key");
        SaleId sale = released(s);
        exchange.complain(sale, s.key, s.shown(2));
        assertSale(sale, SaleState.Returned);
    }

    /// @dev Noise instead of a ciphertext, of any length.
    function test_attack13_noise() public {
        for (uint256 length = 0; length < 700; length += 67) {
            uint256 id = vm.snapshotState();
            Sealed memory s = sealedChunks(2);
            s.ciphertext[0] = new bytes(length);
            s.commit();
            SaleId sale = released(s);
            exchange.complain(sale, KEY, s.shown(0));
            assertSale(sale, SaleState.Returned);
            vm.revertToState(id);
        }
    }

    /// @dev The buyer wants its money back after it has read the key.
    function test_attack13_aRightChunkIsNoComplaint() public {
        Sealed memory s = sealedChunks(7);
        SaleId sale = released(s);
        for (uint32 i = 0; i < 7; i++) {
            vm.expectRevert(abi.encodeWithSelector(IExchange.NothingWrong.selector, i));
            vm.prank(CLIENT);
            exchange.complain(sale, KEY, s.shown(i));
        }
        passed(sale);
        exchange.finish(sale);
        assertOwed(0, SHARE + SALE_BOND, 0);
    }

    /// @dev Another seat copies the offer. It does not know the key, so it can't release it, and the key of
    /// the first sale does not fit the second.
    function test_attack13_aCopiedOfferHasNoKey() public {
        TaskId task = post(defaultTerms());
        SaleTerms memory terms = saleTerms(task);
        SaleId first = pledge(terms);
        terms.seat = 1;
        SaleId second = pledge(terms);
        settle(task);
        offer(first, sealedChunks(3));
        Sale memory sale = exchange.saleOf(first);
        vm.prank(owner(1));
        exchange.offer(second, sale.root, 3, sale.keyHash);
        take(first);
        take(second);
        exchange.releaseKey(first, KEY);
        KeyHash hash = NaiveSeal.keyHash(second, KEY);
        vm.expectRevert(abi.encodeWithSelector(IExchange.WrongKey.selector, hash));
        exchange.releaseKey(second, KEY);
    }

    /// @dev The buyer waits until the task has ended, and does not pay: nobody gains.
    function test_attack13_theBuyerNeverTakes() public {
        SaleId sale = pledged();
        offer(sale, sealedChunks(3));
        passed(sale);
        vm.prank(CLIENT);
        exchange.expire(sale);
        assertOwed(0, SALE_BOND, SHARE);
    }

    /// @dev A buyer can't have its pledge back while the seat may still offer.
    function test_attack13_aPledgeStays() public {
        TaskId task = post(defaultTerms());
        SaleId sale = pledge(saleTerms(task));
        vm.expectRevert(abi.encodeWithSelector(IExchange.NotSettled.selector, task, 0));
        vm.prank(CLIENT);
        exchange.expire(sale);
        settle(task);
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.TooEarly.selector, exchange.deadlineOf(sale)));
        vm.prank(CLIENT);
        exchange.expire(sale);
    }
}
