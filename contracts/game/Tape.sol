// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MerkleTree} from "../libraries/MerkleTree.sol";

/// @notice How much of a witness has been read.
/// @param data bytes of its data
/// @param path words of its path
struct Read {
    uint256 data;
    uint256 path;
}

/// @title Reading a witness from front to back
/// @notice What comes next follows from what has been read and from the dispute, so a witness holds values alone: no indices and no lengths.
library Tape {
    /// @notice The witness ends before the proof does.
    error WitnessTooShort();
    /// @notice The witness holds more than the proof needs.
    error WitnessTooLong();

    /// @return the next `length` bytes
    function take(Read memory read, bytes calldata data, uint256 length) internal pure returns (bytes calldata) {
        uint256 from = read.data;
        uint256 to = from + length;
        require(to <= data.length, WitnessTooShort());
        read.data = to;
        return data[from:to];
    }

    /// @return the next word
    function next(Read memory read, bytes32[] calldata path) internal pure returns (bytes32) {
        uint256 index = read.path++;
        require(index < path.length, WitnessTooShort());
        return path[index];
    }

    /// @notice Reverts unless all has been read.
    function end(Read memory read, bytes calldata data, bytes32[] calldata path) internal pure {
        require(read.data == data.length && read.path == path.length, WitnessTooLong());
    }

    /// @notice The root that several leaves of one tree lead to, with the siblings that do not follow from the leaves.
    /// @dev The siblings come level by level from below, and from left to right. Both arrays are used up.
    /// @param indices of the leaves, ascending
    function climb(
        Read memory read,
        bytes32[] calldata path,
        uint256 count,
        uint256[] memory indices,
        bytes32[] memory hashes
    ) internal view returns (bytes32) {
        uint256 left = indices.length;
        require(indices[left - 1] < count, MerkleTree.NoSuchLeaf(indices[left - 1], count));
        // Indices stay below the width, and widths below 2^32.
        unchecked {
            for (; left > 1; count = (count + 1) >> 1) {
                uint256 kept = 0;
                for (uint256 i = 0; i < left; i++) {
                    uint256 index = indices[i];
                    bytes32 hash = hashes[i];
                    if (index & 1 == 1) hash = MerkleTree.hashNode(next(read, path), hash);
                    else if (i + 1 < left && indices[i + 1] == index + 1) hash = MerkleTree.hashNode(hash, hashes[++i]);
                    else if (index + 1 < count) hash = MerkleTree.hashNode(hash, next(read, path));
                    indices[kept] = index >> 1;
                    hashes[kept++] = hash;
                }
                left = kept;
            }
        }
        return climbOne(read, path, count, indices[0], hashes[0]);
    }

    /// @notice The same for one leaf, which is in the tree.
    /// @dev Most of a proof is this.
    function climbOne(
        Read memory read,
        bytes32[] calldata path,
        uint256 count,
        uint256 index,
        bytes32 leaf
    ) internal view returns (bytes32 hash) {
        uint256 used = read.path;
        hash = leaf;
        assembly ("memory-safe") {
            let from := mload(0x40)
            mstore8(from, 0x01)
            let left := add(from, 0x01)
            for {

            } gt(count, 1) {
                count := shr(1, add(count, 1))
                index := shr(1, index)
            } {
                if lt(xor(index, 1), count) {
                    let odd := shl(5, and(index, 1))
                    mstore(add(left, odd), hash)
                    // Behind the end of the path other calldata is read, which is refused below.
                    mstore(add(left, xor(odd, 0x20)), calldataload(add(path.offset, shl(5, used))))
                    used := add(used, 1)
                    // The precompile fails for want of gas only.
                    if iszero(staticcall(gas(), 0x02, from, 0x41, 0x00, 0x20)) { revert(0x00, 0x00) }
                    hash := mload(0x00)
                }
            }
        }
        require(used <= path.length, WitnessTooShort());
        read.path = used;
    }
}
