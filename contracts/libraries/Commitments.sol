// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {JobId, LayoutRoot, RunRoot, StateRoot} from "./Ids.sol";
import {MerkleTree} from "./MerkleTree.sol";
import * as Tags from "./Tags.sol";
import {TensorType} from "./TensorType.sol";

/// @notice A chunk of a tensor of the final state, with the Merkle proofs from it to the run root.
/// @param chunk the elements, 4 bytes each, little-endian
/// @param chunkPath siblings in the tensor's chunk tree
/// @param statePath siblings in the tree over the state's tensors
/// @param segmentPath siblings in the run's segment tree
struct ChunkProof {
    bytes chunk;
    bytes32[] chunkPath;
    bytes32[] statePath;
    bytes32[] segmentPath;
}

/// @notice The place of a chunk in a run.
/// @param job the job's id
/// @param steps training steps of the run
/// @param commitEvery training steps in a segment
/// @param tensors number of entries of a state
/// @param tensor number of the entry
/// @param chunk number of the chunk in that entry
struct ChunkPlace {
    JobId job;
    uint32 steps;
    uint32 commitEvery;
    uint32 tensors;
    uint32 tensor;
    uint32 chunk;
}

/// @title What a run commits to (spec 6.2 to 6.7), from a chunk up to the run root
library Commitments {
    /// @notice A chunk has `length` bytes; its place demands `wanted` bytes.
    error WrongChunkLength(uint256 length, uint256 wanted);

    /// @return the run root that the chunk, at its place in the final state, leads to
    function runRootOf(
        ChunkPlace memory place,
        bytes calldata tensorType,
        ChunkProof calldata proof
    ) internal view returns (RunRoot) {
        uint256 segment = lastSegment(place.steps, place.commitEvery);
        bytes32 tensor = tensorRootOf(tensorType, place.chunk, proof.chunk, proof.chunkPath);
        StateRoot state = stateRootOf(tensor, place.tensor, place.tensors, proof.statePath);
        bytes32 leaf = sha256(abi.encodePacked(Tags.SEGMENT_LEAF, state));
        bytes32 tree = MerkleTree.climb(leaf, segment, segment + 1, proof.segmentPath);
        return RunRoot.wrap(sha256(abi.encodePacked(Tags.RUN, place.job, place.commitEvery, tree)));
    }

    /// @return the root of a state in which `index` of `count` entries has this root
    function stateRootOf(
        bytes32 tensor,
        uint256 index,
        uint32 count,
        bytes32[] calldata path
    ) internal view returns (StateRoot) {
        bytes32 leaf = sha256(abi.encodePacked(Tags.STATE_LEAF, tensor));
        bytes32 tree = MerkleTree.climb(leaf, index, count, path);
        return StateRoot.wrap(sha256(abi.encodePacked(Tags.STATE, count, tree)));
    }

    /// @return the root of a tensor with this type and this chunk at `index`
    function tensorRootOf(
        bytes calldata tensorType,
        uint256 index,
        bytes calldata chunk,
        bytes32[] calldata path
    ) internal view returns (bytes32) {
        uint256 count = TensorType.elements(tensorType);
        bytes32 leaf = sha256(abi.encodePacked(Tags.CHUNK, chunk));
        // A place that does not exist is refused before its length is computed.
        bytes32 tree = MerkleTree.climb(leaf, index, TensorType.chunksOf(count), path);
        uint256 wanted = TensorType.chunkBytes(count, index);
        require(chunk.length == wanted, WrongChunkLength(chunk.length, wanted));
        return sha256(abi.encodePacked(Tags.TENSOR, tensorType, tree));
    }

    /// @return the root of a layout in which `tensor` of `tensors` entries has this type
    function layoutOf(
        bytes calldata tensorType,
        uint256 tensor,
        uint256 tensors,
        bytes32[] calldata path
    ) internal view returns (LayoutRoot) {
        bytes32 leaf = sha256(abi.encodePacked(Tags.LAYOUT_LEAF, tensorType));
        return LayoutRoot.wrap(MerkleTree.climb(leaf, tensor, tensors, path));
    }

    /// @return the index of the segment leaf that holds the final state; leaf 0 holds the initial one
    function lastSegment(uint256 steps, uint256 commitEvery) internal pure returns (uint256) {
        return (steps + commitEvery - 1) / commitEvery;
    }
}
