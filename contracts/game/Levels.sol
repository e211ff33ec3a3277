// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Commitments} from "../libraries/Commitments.sol";
import {MerkleTree} from "../libraries/MerkleTree.sol";
import {TensorType} from "../libraries/TensorType.sol";
import {Context, Facts, JobFacts, Level, Position} from "./GameTypes.sol";
import {JobHash} from "./JobHash.sol";
import {KernelHead} from "./KernelHead.sol";
import {SizeWord} from "./SizeWord.sol";

/// @title How the levels of a dispute open, and what stands in their leaves (spec 7.1)
library Levels {
    using SizeWord for uint256;

    bytes1 internal constant OP_LEAF = 0x06;
    bytes1 internal constant ACCUMULATOR = 0x07;
    bytes1 internal constant STEP_LEAF = 0x08;
    bytes1 private constant KERNEL = 0x0d;
    /// @dev Bytes of an accumulator.
    uint256 private constant ACCUMULATOR_BYTES = 4;
    uint256 private constant DIGEST_BYTES = 32;

    /// @notice An answer has `length` bytes where `wanted` are asked for.
    error WrongLength(uint256 length, uint256 wanted);
    /// @notice The answer does not hash to what the same side claimed before.
    error WrongAnswer();

    /// @return whether the claim above is what the last leaf commits to; else it is a hash over the tree's root
    function bindsLast(Level level) internal pure returns (bool) {
        return level == Level.Step || level == Level.Op || level == Level.Fold;
    }

    /// @notice Reverts unless `answer` opens the claim.
    /// @return root of the tree that the claim opens into
    function open(
        Position memory p,
        Context memory c,
        bytes32 claim,
        Facts calldata facts,
        bytes calldata answer
    ) internal view returns (bytes32 root) {
        if (bindsLast(p.level)) return MerkleTree.climb(leafOf(p.level, claim), p.count - 1, p.count, digests(answer));
        require(answer.length == DIGEST_BYTES, WrongLength(answer.length, DIGEST_BYTES));
        root = bytes32(answer);
        require(_commit(p, c, facts, root) == claim, WrongAnswer());
        if (p.count == 0) require(root == sha256(abi.encodePacked(MerkleTree.NODE)), WrongAnswer());
    }

    /// @return hash of the leaf that commits to a claim: a digest, or the bits of an accumulator
    function leafOf(Level level, bytes32 claim) internal view returns (bytes32) {
        if (level == Level.Fold) return sha256(abi.encodePacked(ACCUMULATOR, uint32(uint256(claim))));
        return MerkleTree.hashDigest(tagOf(level), claim);
    }

    /// @notice Reverts unless a payload has its length.
    /// @return hash of the leaf that commits to it
    function leafOfPayload(Position memory p, uint256 sizes, bytes calldata payload) internal view returns (bytes32) {
        uint256 wanted = payloadBytes(p, sizes);
        require(payload.length == wanted, WrongLength(payload.length, wanted));
        return MerkleTree.hashLeaf(tagOf(p.level), payload);
    }

    /// @param sizes of the kernel, which a chunk's length follows from
    /// @return what a leaf commits to, in bytes
    function payloadBytes(Position memory p, uint256 sizes) internal pure returns (uint256) {
        if (p.level == Level.Fold) return ACCUMULATOR_BYTES;
        return p.level == Level.Chunk ? TensorType.chunkBytes(sizes.elements(), p.position) : DIGEST_BYTES;
    }

    /// @param payload of a leaf, but for a chunk
    /// @return a digest, or the bits of an accumulator
    function claimOf(Level level, bytes calldata payload) internal pure returns (bytes32) {
        return level == Level.Fold ? bytes32(uint256(uint32(bytes4(payload)))) : bytes32(payload);
    }

    /// @return bytes of the answer that opens a claim
    function openingBytes(Position memory p) internal pure returns (uint256) {
        if (!bindsLast(p.level)) return DIGEST_BYTES;
        // The last node of each level has a sibling where its index is odd.
        uint256 siblings = 0;
        for (uint256 last = p.count - 1; last > 0; last &= last - 1) siblings++;
        return DIGEST_BYTES * siblings;
    }

    /// @return words of the answer
    function digests(bytes calldata answer) internal pure returns (bytes32[] calldata words) {
        require(answer.length % 32 == 0, WrongLength(answer.length, (answer.length / 32) * 32));
        assembly ("memory-safe") {
            words.offset := answer.offset
            words.length := shr(5, answer.length)
        }
    }

    /// @return the encoded type of the disputed kernel's output
    function _outputType(Context memory c, Facts calldata facts) private view returns (bytes calldata) {
        require(c.kernel == leafOfKernel(facts.kernel), JobHash.WrongFacts());
        return KernelHead.typeOf(facts.kernel);
    }

    function leafOfKernel(bytes calldata kernel) internal view returns (bytes32) {
        return MerkleTree.hashLeaf(KERNEL, kernel);
    }

    function _commit(
        Position memory p,
        Context memory c,
        Facts calldata facts,
        bytes32 root
    ) private view returns (bytes32) {
        if (p.level == Level.Chunk) return sha256(abi.encodePacked(Commitments.TENSOR, _outputType(c, facts), root));
        if (p.level == Level.State) return sha256(abi.encodePacked(Commitments.STATE, p.count, root));
        JobFacts memory job = JobHash.open(c.job, facts.job);
        return sha256(abi.encodePacked(Commitments.RUN, job.id, uint32(c.sizes.commitEvery()), root));
    }

    /// @return the tag of a level's leaves
    function tagOf(Level level) internal pure returns (bytes1) {
        if (level == Level.Segment) return Commitments.SEGMENT_LEAF;
        if (level == Level.Step) return STEP_LEAF;
        if (level == Level.Op) return OP_LEAF;
        if (level == Level.State) return Commitments.STATE_LEAF;
        return level == Level.Chunk ? Commitments.CHUNK : ACCUMULATOR;
    }
}
