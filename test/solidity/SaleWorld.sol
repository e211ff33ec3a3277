// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Exchange} from "../../contracts/Exchange.sol";
import {ChunkLeaf, KeyHash, SaleId, SealKey, SealRoot} from "../../contracts/exchange/SaleTypes.sol";
import {Sale, SaleState, SaleTerms} from "../../contracts/interfaces/IExchange.sol";
import {TaskId} from "../../contracts/libraries/Ids.sol";
import {SealedChunk} from "../../contracts/libraries/Sealing.sol";
import {Terms} from "../../contracts/libraries/Terms.sol";
import {vm} from "./Vm.sol";
import {World} from "./World.sol";

/// @dev A sealed checkpoint: its chunks, and the tree over the ciphertext with all levels.
struct Sealed {
    SealKey key;
    ChunkLeaf[] leaves;
    bytes[] ciphertext;
    bytes32[][] levels;
}

/// @dev Sealing as the specification says it (6.9), byte by byte, with no code of the contracts.
library NaiveSeal {
    function keyHash(SaleId sale, SealKey key) internal pure returns (KeyHash) {
        return KeyHash.wrap(sha256(abi.encodePacked(hex"14", sale, key)));
    }

    function encrypt(bytes memory plain, SealKey key, uint32 index) internal pure returns (bytes memory out) {
        out = new bytes(plain.length);
        for (uint256 i = 0; i < plain.length; i++) {
            bytes32 block_ = sha256(abi.encodePacked(hex"16", key, index, uint32(i / 32)));
            out[i] = plain[i] ^ block_[i % 32];
        }
    }

    function seal(bytes[] memory plain, SealKey key) internal pure returns (Sealed memory s) {
        s.key = key;
        s.leaves = new ChunkLeaf[](plain.length);
        s.ciphertext = new bytes[](plain.length);
        for (uint32 i = 0; i < plain.length; i++) {
            s.leaves[i] = ChunkLeaf.wrap(sha256(abi.encodePacked(hex"02", plain[i])));
            s.ciphertext[i] = encrypt(plain[i], key, i);
        }
        commit(s);
    }

    /// @dev Builds the tree. Whatever was changed before is committed to.
    function commit(Sealed memory s) internal pure {
        uint256 count = s.leaves.length;
        bytes32[] memory level = new bytes32[](count);
        for (uint32 i = 0; i < count; i++)
            level[i] = sha256(abi.encodePacked(hex"13", i, s.leaves[i], s.ciphertext[i]));
        s.levels = new bytes32[][](12);
        uint256 height = 0;
        s.levels[0] = level;
        while (level.length > 1) {
            bytes32[] memory above = new bytes32[]((level.length + 1) / 2);
            for (uint256 i = 0; i < above.length; i++)
                above[i] = 2 * i + 1 == level.length
                    ? level[2 * i]
                    : sha256(abi.encodePacked(hex"01", level[2 * i], level[2 * i + 1]));
            s.levels[++height] = level = above;
        }
    }

    function root(Sealed memory s) internal pure returns (SealRoot) {
        uint256 top = 0;
        while (s.levels[top].length > 1) top++;
        return SealRoot.wrap(s.levels[top][0]);
    }

    function shown(Sealed memory s, uint32 index) internal pure returns (SealedChunk memory chunk) {
        bytes32[] memory path = new bytes32[](12);
        uint256 used = 0;
        uint256 at = index;
        for (uint256 level = 0; s.levels[level].length > 1; level++) {
            if ((at ^ 1) < s.levels[level].length) path[used++] = s.levels[level][at ^ 1];
            at >>= 1;
        }
        bytes32[] memory cut = new bytes32[](used);
        for (uint256 i = 0; i < used; i++) cut[i] = path[i];
        return SealedChunk({index: index, leaf: s.leaves[index], ciphertext: s.ciphertext[index], path: cut});
    }
}

/// @dev A world with an exchange. Seat 0 sells, the client buys.
abstract contract SaleWorld is World {
    using NaiveSeal for Sealed;

    uint80 internal constant SHARE = 40;
    uint80 internal constant SALE_BOND = 61;
    SealKey internal constant KEY = SealKey.wrap("key");

    Exchange internal exchange;

    function buildExchange() internal {
        build();
        exchange = new Exchange(manager);
        address[3] memory traders = [CLIENT, owner(0), owner(1)];
        for (uint256 i = 0; i < 3; i++) {
            vm.prank(traders[i]);
            token.approve(address(exchange), type(uint256).max);
        }
    }

    function seller() internal pure returns (address) {
        return owner(0);
    }

    function saleTerms(TaskId task) internal pure returns (SaleTerms memory terms) {
        terms.task = task;
        terms.salt = "sale";
        terms.buyer = CLIENT;
        terms.price = SHARE;
        terms.bond = SALE_BOND;
        (terms.toOffer, terms.toTake) = (1 days, 2 days);
        (terms.toRelease, terms.toComplain) = (3 hours, 5 hours);
    }

    function pledge(SaleTerms memory terms) internal returns (SaleId) {
        vm.prank(terms.buyer);
        return exchange.pledge(terms);
    }

    /// @dev Plays a posted task to its end, in which both providers claim the truth.
    function settle(TaskId task) internal {
        for (uint256 seat = 0; seat < 2; seat++) accept(task, seat);
        for (uint256 seat = 0; seat < 2; seat++) commit(task, seat, TRUTH);
        for (uint256 seat = 0; seat < 2; seat++) reveal(task, seat, TRUTH);
        manager.compare(task);
        pastDeadline(task);
        manager.finalize(defaultTerms());
    }

    /// @dev A sale that waits for an offer: its task has ended, and seat 0 stands.
    function pledged() internal returns (SaleId sale) {
        TaskId task = post(defaultTerms());
        sale = pledge(saleTerms(task));
        settle(task);
    }

    function offerCall(SaleId sale, Sealed memory s) internal view returns (bytes memory) {
        KeyHash hash = NaiveSeal.keyHash(sale, s.key);
        return abi.encodeCall(exchange.offer, (sale, s.root(), uint32(s.leaves.length), hash));
    }

    function takeCall(SaleId sale) internal view returns (bytes memory) {
        Sale memory s = exchange.saleOf(sale);
        return abi.encodeCall(exchange.take, (sale, s.root, s.keyHash));
    }

    function offer(SaleId sale, Sealed memory s) internal {
        succeeds(seller(), offerCall(sale, s));
    }

    function take(SaleId sale) internal {
        succeeds(CLIENT, takeCall(sale));
    }

    function succeeds(address from, bytes memory data) internal {
        vm.prank(from);
        (bool done, ) = address(exchange).call(data);
        assert(done);
    }

    /// @dev Hashing calls a precompile, so a call is encoded before its failure is expected.
    function refused(address from, bytes memory data, bytes memory reason) internal {
        vm.prank(from);
        (bool done, bytes memory answer) = address(exchange).call(data);
        assert(!done && keccak256(answer) == keccak256(reason));
    }

    /// @dev A sale in which the key of this seal is released.
    function released(Sealed memory s) internal returns (SaleId sale) {
        sale = pledged();
        offer(sale, s);
        take(sale);
        exchange.releaseKey(sale, s.key);
    }

    /// @dev Chunks of 256 bytes, the last one shorter.
    function plain(uint256 count) internal pure returns (bytes[] memory chunks) {
        chunks = new bytes[](count);
        for (uint256 i = 0; i < count; i++) {
            chunks[i] = new bytes(i + 1 == count ? 4 * (1 + (i % 64)) : 256);
            for (uint256 j = 0; j < chunks[i].length; j++) chunks[i][j] = bytes1(uint8(31 * i + 7 * j + 1));
        }
    }

    function sealedChunks(uint256 count) internal pure returns (Sealed memory) {
        return NaiveSeal.seal(plain(count), KEY);
    }

    function assertSale(SaleId sale, SaleState state) internal view {
        assert(exchange.saleOf(sale).state == state);
    }

    function passed(SaleId sale) internal {
        vm.warp(exchange.deadlineOf(sale) + 1);
    }

    /// @dev Who is owed what by the exchange, and that it holds exactly that.
    function assertOwed(uint256 buyer, uint256 toSeller, uint256 burned) internal view {
        assert(exchange.escrow() == 0);
        assert(exchange.creditOf(CLIENT) == buyer && exchange.creditOf(seller()) == toSeller);
        assert(exchange.condemned() == burned);
        assert(token.balanceOf(address(exchange)) == buyer + toSeller + burned);
    }
}
