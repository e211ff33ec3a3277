// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IJudge} from "../interfaces/IJudge.sol";
import {MerkleTree} from "../libraries/MerkleTree.sol";
import {leadingZeros} from "../libraries/LeadingZeros.sol";
import {NODE} from "../libraries/Tags.sol";
import {LeavesLib} from "./Leaves.sol";

/// @notice What is still to be read of a witness.
/// @param position of the next byte, in calldata
/// @param end of the witness, in calldata
struct Read {
    uint256 position;
    uint256 end;
}

/// @title Reading a witness from front to back
/// @notice What comes next follows from what has been read and from the dispute. So a witness holds values
/// and hashes, but no indices, and no length except the kernel's. After its end other calldata is read, and
/// zeros after that; `end` then refuses the witness. Positions only grow, and by less than 2^33 at a time, so
/// they never wrap round.
library Tape {
    uint256 private constant NEVER = type(uint256).max;

    function begin(bytes calldata witness) internal pure returns (Read memory read) {
        assembly ("memory-safe") {
            mstore(read, witness.offset)
            mstore(add(read, 0x20), add(witness.offset, witness.length))
        }
    }

    /// @return from position of the next `length` bytes in calldata
    function take(Read memory read, uint256 length) internal pure returns (uint256 from) {
        unchecked {
            from = read.position;
            read.position = from + length;
        }
    }

    /// @return word the next 32 bytes
    function next(Read memory read) internal pure returns (bytes32 word) {
        uint256 from = take(read, 32);
        assembly ("memory-safe") {
            word := calldataload(from)
        }
    }

    /// @return number the next four bytes
    function number(Read memory read) internal pure returns (uint256) {
        return wordAt(take(read, 4));
    }

    /// @return content the bytes after their length
    function blob(Read memory read) internal pure returns (bytes calldata content) {
        uint256 length = number(read);
        uint256 from = take(read, length);
        assembly ("memory-safe") {
            content.offset := from
            content.length := length
        }
    }

    /// @notice Reverts unless the whole witness has been read, and nothing after it.
    function end(Read memory read) internal pure {
        require(read.position <= read.end, IJudge.WitnessTooShort());
        require(read.position == read.end, IJudge.WitnessTooLong());
    }

    /// @return value four bytes of calldata
    function wordAt(uint256 position) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := shr(224, calldataload(position))
        }
    }

    /// @notice The root that leaves of one tree lead to, with the siblings that do not follow from the
    /// leaves.
    /// @dev For each node, the witness holds first the siblings that are needed below its left half, then
    /// those below its right half, then the missing half. The leaves have the layout of `Leaves`, and are
    /// consumed.
    /// @param count leaves of the tree; all given leaves are among them, and there is at least one
    function climb(Read memory read, uint256 count, uint256 from, uint256 to) internal view returns (bytes32 hash) {
        hash = LeavesLib.hashAt(from);
        uint256 index = LeavesLib.indexAt(from);
        unchecked {
            if (from + LeavesLib.SIZE == to) return climbOne(read, count, index, hash);
            uint256 last = count - 1;
            uint256 height = 0;
            // When leaves have been consumed, left halves wait: the height of the node above each, and its
            // hash. Heights decrease.
            uint256 bottom = from;
            uint256 waiting = from;
            uint256 meetsBefore = NEVER;
            while (true) {
                from += LeavesLib.SIZE;
                // The path up meets the path of the next leaf at this height. It meets the path of the leaf
                // before it at another height, as the right half.
                uint256 meetsNext = from < to ? _height(index ^ LeavesLib.indexAt(from)) : NEVER;
                while (meetsBefore < meetsNext) {
                    hash = _ascend(read, index >> height, last >> height, meetsBefore - 1 - height, hash);
                    height = meetsBefore;
                    waiting -= LeavesLib.SIZE;
                    hash = MerkleTree.hashNode(LeavesLib.hashAt(waiting), hash);
                    meetsBefore = waiting == bottom ? NEVER : LeavesLib.indexAt(waiting - LeavesLib.SIZE);
                }
                if (meetsNext == NEVER) return _ascend(read, index >> height, last >> height, _height(last) - height, hash);
                hash = _ascend(read, index >> height, last >> height, meetsNext - 1 - height, hash);
                LeavesLib.put(waiting, meetsNext, hash);
                waiting += LeavesLib.SIZE;
                meetsBefore = meetsNext;
                (index, height) = (LeavesLib.indexAt(from), 0);
                hash = LeavesLib.hashAt(from);
            }
        }
    }

    /// @notice The same for one leaf, which must be in the tree.
    function climbOne(Read memory read, uint256 count, uint256 index, bytes32 leaf) internal view returns (bytes32) {
        unchecked {
            return _ascend(read, index, count - 1, _height(count - 1), leaf);
        }
    }

    /// @dev This is most of the cost of a proof.
    /// @param index of a node
    /// @param last index at its height
    /// @param hash of the node
    /// @return the hash of the node that lies `levels` above
    function _ascend(
        Read memory read,
        uint256 index,
        uint256 last,
        uint256 levels,
        bytes32 hash
    ) private view returns (bytes32) {
        if (levels == 0) return hash;
        // As long as the index is not the last one there is a sibling; after that only if it is odd.
        uint256 inner = _height(index ^ last);
        assembly ("memory-safe") {
            if gt(inner, levels) { inner := levels }
            last := shr(inner, last)
            levels := sub(levels, inner)
            // Free memory, which stays free: the tag, then two hashes, the left one at a multiple of 64.
            let left := and(add(mload(0x40), 0x40), not(0x3f))
            let node := sub(left, 1)
            mstore8(node, byte(0, NODE))
            let position := mload(read)
            // The node is written to its place among the two, and so is the node above it. The precompile
            // fails only if it gets less than the 96 gas that it needs. Then less than one 63rd of that is
            // left, with which nothing more can be executed.
            index := shl(5, index)
            let at := or(left, and(index, 0x20))
            mstore(at, hash)
            for {
                let to := add(position, shl(5, inner))
            } lt(position, to) {
                position := add(position, 0x20)
            } {
                mstore(xor(at, 0x20), calldataload(position))
                index := shr(1, index)
                at := or(left, and(index, 0x20))
                pop(staticcall(gas(), 0x02, node, 0x41, at, 0x20))
            }
            hash := mload(at)
            for {

            } levels {
                levels := sub(levels, 1)
                last := shr(1, last)
            } {
                if and(last, 1) {
                    mstore(left, calldataload(position))
                    mstore(add(left, 0x20), hash)
                    position := add(position, 0x20)
                    pop(staticcall(gas(), 0x02, node, 0x41, 0x00, 0x20))
                    hash := mload(0x00)
                }
            }
            mstore(read, position)
        }
        return hash;
    }

    /// @return height of the lowest node above two leaves, from the difference of their indices; or of a
    /// tree, from its last index
    function _height(uint256 difference) private pure returns (uint256 height) {
        unchecked {
            height = 256 - leadingZeros(difference);
        }
    }
}
