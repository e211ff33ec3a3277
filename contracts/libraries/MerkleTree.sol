// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {NODE} from "./Tags.sol";

/// @title Merkle trees of the commitments (spec 6.3)
/// @notice SHA-256, ordered pairs; an odd node at the end of a level is promoted unchanged. A proof is for
/// one index and one number of leaves: its length follows from both.
library MerkleTree {
    /// @notice There is no leaf `index` in a tree of `count` leaves.
    error NoSuchLeaf(uint256 index, uint256 count);
    /// @notice The proof does not have the length that its place demands.
    error WrongProofLength(uint256 length);

    /// @return hash the root that the leaf and its siblings, lowest first, lead to
    function climb(
        bytes32 leaf,
        uint256 index,
        uint256 count,
        bytes32[] calldata proof
    ) internal view returns (bytes32 hash) {
        require(index < count, NoSuchLeaf(index, count));
        hash = leaf;
        uint256 used = 0;
        // Widths and indices have at most 32 bits, and there are no more siblings than levels.
        unchecked {
            for (uint256 width = count; width > 1; width = (width + 1) >> 1) {
                if ((index ^ 1) < width) {
                    require(used < proof.length, WrongProofLength(proof.length));
                    bytes32 sibling = proof[used++];
                    hash = (index & 1) == 1 ? hashNode(sibling, hash) : hashNode(hash, sibling);
                }
                index >>= 1;
            }
        }
        require(used == proof.length, WrongProofLength(proof.length));
    }

    /// @return the root of the tree over the first `count` leaves, which stay as they are
    function rootOf(bytes32[] memory leaves, uint256 count) internal view returns (bytes32) {
        if (count == 0) return sha256(abi.encodePacked(NODE));
        bytes32[] memory nodes = new bytes32[](count);
        for (uint256 i = 0; i < count; i++) nodes[i] = leaves[i];
        for (uint256 width = count; width > 1; width = (width + 1) >> 1)
            for (uint256 i = 0; i < width; i += 2)
                nodes[i >> 1] = i + 1 < width ? hashNode(nodes[i], nodes[i + 1]) : nodes[i];
        return nodes[0];
    }

    /// @return hash SHA-256(01 ‖ left ‖ right)
    /// @dev Proofs and moves consist of such hashes. Encoding the 65 bytes costs more than hashing them.
    function hashNode(bytes32 left, bytes32 right) internal view returns (bytes32 hash) {
        assembly ("memory-safe") {
            let from := mload(0x40)
            mstore8(from, byte(0, NODE))
            mstore(add(from, 0x01), left)
            mstore(add(from, 0x21), right)
            // The precompile fails only if there is too little gas.
            if iszero(staticcall(gas(), 0x02, from, 0x41, 0x00, 0x20)) { revert(0x00, 0x00) }
            hash := mload(0x00)
        }
    }

    /// @return hash SHA-256(tag ‖ payload)
    function hashLeaf(bytes1 tag, bytes calldata payload) internal view returns (bytes32 hash) {
        assembly ("memory-safe") {
            let from := mload(0x40)
            mstore(from, tag)
            calldatacopy(add(from, 0x01), payload.offset, payload.length)
            if iszero(staticcall(gas(), 0x02, from, add(payload.length, 0x01), 0x00, 0x20)) { revert(0x00, 0x00) }
            hash := mload(0x00)
        }
    }

    /// @return hash SHA-256(tag ‖ digest)
    function hashDigest(bytes1 tag, bytes32 digest) internal view returns (bytes32 hash) {
        assembly ("memory-safe") {
            let from := mload(0x40)
            mstore(from, tag)
            mstore(add(from, 0x01), digest)
            if iszero(staticcall(gas(), 0x02, from, 0x21, 0x00, 0x20)) { revert(0x00, 0x00) }
            hash := mload(0x00)
        }
    }
}
