// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Merkle trees of the commitments (spec 6.3)
/// @notice SHA-256, pairs ordered, an odd node at the end of a level promoted unchanged. A proof is for one index and one number
/// of leaves: its length follows from both.
library MerkleTree {
    bytes1 internal constant NODE = 0x01;

    /// @notice There is no leaf `index` in a tree of `count` leaves.
    error NoSuchLeaf(uint256 index, uint256 count);
    /// @notice The proof has not the length that its place demands.
    error WrongProofLength(uint256 length);

    /// @return hash the root that the leaf and its siblings, from below, lead to
    function climb(
        bytes32 leaf,
        uint256 index,
        uint256 count,
        bytes32[] calldata proof
    ) internal pure returns (bytes32 hash) {
        require(index < count, NoSuchLeaf(index, count));
        hash = leaf;
        uint256 used = 0;
        for (uint256 width = count; width > 1; width = (width + 1) >> 1) {
            if ((index ^ 1) < width) {
                require(used < proof.length, WrongProofLength(proof.length));
                bytes32 sibling = proof[used++];
                hash = (index & 1) == 1 ? hashNode(sibling, hash) : hashNode(hash, sibling);
            }
            index >>= 1;
        }
        require(used == proof.length, WrongProofLength(proof.length));
    }

    function hashNode(bytes32 left, bytes32 right) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(NODE, left, right));
    }
}
