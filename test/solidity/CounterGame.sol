// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Bisection} from "../../contracts/game/Bisection.sol";
import {Pace} from "../../contracts/game/Clocks.sol";
import {Claim, Context, Facts, Level, PairId, Place, Position, Sizes, TOP} from "../../contracts/game/GameTypes.sol";
import {Machine} from "../../contracts/game/Machine.sol";
import {MerkleTree} from "../../contracts/libraries/MerkleTree.sol";
import * as Tags from "../../contracts/libraries/Tags.sol";

/// @dev What the counter packs into the words of the game: 32 bits for each level.
library Counts {
    /// @return leaves of a tree at this depth; 0 if there is no such level
    function countAt(Sizes sizes, uint256 depth) internal pure returns (uint256) {
        return uint32(Sizes.unwrap(sizes) >> (32 * depth));
    }

    function indexAt(Place place, uint256 depth) internal pure returns (uint256) {
        return uint32(Place.unwrap(place) >> (32 * depth));
    }

    function passing(Place place, uint256 depth, uint256 index) internal pure returns (Place) {
        return Place.wrap(Place.unwrap(place) | (index << (32 * depth)));
    }

    function ofLevels(uint256[] memory counts) internal pure returns (Sizes) {
        uint256 word = 0;
        for (uint256 depth = 0; depth < counts.length; depth++) word |= counts[depth] << (32 * depth);
        return Sizes.wrap(word);
    }

    /// @return what the owner of a claim signs about one of its trees
    function digestOf(bytes32 claim, Level level, Place place, bytes32 root) internal pure returns (bytes32) {
        return keccak256(abi.encode(claim, level, place, root));
    }

    function leafOf(uint32 value) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(Tags.COUNTER, value));
    }
}

/// @dev The game about a counter whose step is +1, in any number of levels: the counterpart of
/// test/game/counter.ts. A leaf is the counter after its group of steps, and opens into the counters within
/// the group. Nothing here knows of training.
contract CounterGame is Bisection {
    using Counts for Sizes;
    using Counts for Place;

    error WrongEvidence();

    uint256 public losers;

    constructor() Bisection(Pace({clock: 4000, response: 600, recompute: 1800}), 0) {}

    function start(uint256[] calldata counts, address[2] calldata owners, Claim[2] calldata claims) external {
        Context memory c;
        c.sizes = Counts.ofLevels(counts);
        (c.owners, c.claims) = (owners, claims);
        _start(c, _clock);
    }

    /// @inheritdoc Machine
    function _top(Context memory c) internal pure override returns (uint256) {
        c.past = keccak256(abi.encode(c.claims));
        return c.sizes.countAt(0);
    }

    /// @inheritdoc Machine
    function _below(
        Position memory p,
        Context memory c,
        Facts calldata,
        uint256
    ) internal pure override returns (bool) {
        uint8 depth = Level.unwrap(p.level);
        c.place = c.place.passing(depth, p.position);
        c.past = keccak256(abi.encode(c.past, c.root));
        uint256 count = c.sizes.countAt(depth + 1);
        if (count == 0) return false;
        (p.level, p.count) = (Level.wrap(depth + 1), uint32(count));
        return true;
    }

    /// @inheritdoc Machine
    function _tagOf(Level) internal pure override returns (bytes1) {
        return Tags.COUNTER;
    }

    /// @inheritdoc Machine
    function _bindsLast(Level level) internal pure override returns (bool) {
        return TOP < level;
    }

    /// @inheritdoc Machine
    function _commit(
        Position memory,
        Context memory,
        Facts calldata,
        bytes32 root
    ) internal view override returns (Claim) {
        return Claim.wrap(MerkleTree.hashDigest(Tags.COUNTER, root));
    }

    /// @inheritdoc Machine
    /// @dev Every second level says that its payloads hold several values, although they hold one: such
    /// payloads are asked for alone.
    function _partBytes(Level level) internal pure override returns (uint256) {
        return Level.unwrap(level) % 2 == 1 ? 4 : 0;
    }

    /// @inheritdoc Machine
    function _payloadBytes(Position memory, Context memory) internal pure override returns (uint256) {
        return 4;
    }

    /// @inheritdoc Machine
    function _claimOf(Level, bytes calldata payload, uint256 part) internal pure override returns (Claim) {
        return Claim.wrap(bytes32(uint256(uint32(bytes4(payload[4 * part:4 * part + 4])))));
    }

    /// @inheritdoc Machine
    function _leafOf(Level, Claim claim) internal pure override returns (bytes32) {
        return Counts.leafOf(uint32(uint256(Claim.unwrap(claim))));
    }

    /// @inheritdoc Machine
    /// @dev The chain: both claims from the start, and the roots of side 0's trees from the outermost.
    function _digestOf(
        Position memory p,
        Context memory c,
        uint256 side,
        bytes32 root,
        bytes32[] memory chain
    ) internal pure override returns (bytes32) {
        bytes32 past = keccak256(abi.encode(chain[0], chain[1]));
        for (uint256 i = 0; i < Level.unwrap(p.level); i++) past = keccak256(abi.encode(past, chain[2 + i]));
        require(past == c.past, WrongEvidence());
        return Counts.digestOf(chain[side], p.level, c.place, root);
    }

    /// @inheritdoc Machine
    /// @dev The witness: the counter before the step (4 bytes), the hash of both claims from the start, the
    /// roots of side 0's trees from the outermost, and the proof that the counter is the leaf to the left in
    /// the innermost tree that has such a leaf. Before the first step the counter is 0.
    function _outcome(
        Level level,
        Context calldata c,
        bytes calldata witness
    ) internal view override returns (Claim) {
        uint32 before = uint32(bytes4(witness[:4]));
        _checkBefore(c, uint256(Level.unwrap(level)) + 1, before, _wordsOf(witness[4:]));
        return Claim.wrap(bytes32(uint256(before) + 1));
    }

    /// @dev Reverts unless both sides agree on the counter before the step.
    function _checkBefore(Context calldata c, uint256 levels, uint32 before, bytes32[] calldata words) private view {
        bytes32 past = words[0];
        words = words[1:];
        for (uint256 i = 0; i < levels; i++) past = keccak256(abi.encode(past, words[i]));
        require(past == c.past, WrongEvidence());
        uint256 depth = levels;
        while (depth > 0 && c.place.indexAt(depth - 1) == 0) depth--;
        if (depth == 0) {
            require(before == 0, WrongEvidence());
            return;
        }
        depth--;
        bytes32 leaf = Counts.leafOf(before);
        bytes32 root = MerkleTree.climb(leaf, c.place.indexAt(depth) - 1, c.sizes.countAt(depth), words[levels:]);
        require(root == words[depth], WrongEvidence());
    }

    function _wordsOf(bytes calldata packed) private pure returns (bytes32[] calldata words) {
        assembly ("memory-safe") {
            words.offset := packed.offset
            words.length := shr(5, packed.length)
        }
    }

    /// @dev There are no bonds here.
    function _begun(PairId, uint256) internal override {
        _takeBond(false);
    }

    function _ended(PairId, uint256 losers_) internal override {
        losers = losers_;
    }
}
