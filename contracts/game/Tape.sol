// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {LeavesLib} from "./Leaves.sol";

/// @notice What of a witness is to be read yet.
/// @param position of the next byte, in calldata
/// @param end of the witness, in calldata
struct Read {
    uint256 position;
    uint256 end;
}

/// @title Reading a witness from front to back
/// @notice What comes next follows from what has been read and from the dispute, so a witness holds values and hashes: no indices, and no
/// lengths but the kernel's. Behind its end other calldata is read, and zeros behind that; in the end `end` refuses it. Positions
/// only grow, and by less than 2^33 at a time, so none comes back.
library Tape {
    /// @notice The witness ends before the proof does.
    error WitnessTooShort();
    /// @notice The witness holds more than the proof needs.
    error WitnessTooLong();

    function begin(bytes calldata witness) internal pure returns (Read memory read) {
        assembly ("memory-safe") {
            mstore(read, witness.offset)
            mstore(add(read, 0x20), add(witness.offset, witness.length))
        }
    }

    /// @return from where the next `length` bytes stand in calldata
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
        return at(take(read, 4));
    }

    /// @return blob the bytes behind their length
    function blob(Read memory read) internal pure returns (bytes calldata blob) {
        uint256 length = number(read);
        uint256 from = take(read, length);
        assembly ("memory-safe") {
            blob.offset := from
            blob.length := length
        }
    }

    /// @notice Reverts unless all has been read, and no more.
    function end(Read memory read) internal pure {
        require(read.position <= read.end, WitnessTooShort());
        require(read.position == read.end, WitnessTooLong());
    }

    /// @return value four bytes of calldata
    function at(uint256 position) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := shr(224, calldataload(position))
        }
    }

    /// @notice The root that leaves of one tree lead to, with the siblings that do not follow from the leaves.
    /// @dev The siblings come level by level from below, and from left to right. The leaves stand as `Leaves` says, and are used up.
    /// @param count leaves of the tree; all that are given are among them, and there is one at least
    function climb(Read memory read, uint256 count, uint256 from, uint256 to) internal view returns (bytes32) {
        uint256 size = LeavesLib.SIZE;
        assembly ("memory-safe") {
            let position := mload(read)
            // Free memory, which stays free.
            let left := mload(0x40)
            mstore8(left, 0x01)
            left := add(left, 0x01)
            // Different indices below `count`: where that has come to 1, one of them is left.
            for {

            } gt(sub(to, from), size) {
                count := shr(1, add(count, 1))
            } {
                let kept := from
                for {
                    let node := from
                } lt(node, to) {
                    node := add(node, size)
                } {
                    let index := mload(node)
                    let hash := mload(add(node, 0x20))
                    if lt(xor(index, 1), count) {
                        let odd := shl(5, and(index, 1))
                        mstore(add(left, odd), hash)
                        let other := add(node, size)
                        // As indices ascend, only a right sibling can be the next one.
                        switch and(lt(other, to), eq(mload(other), xor(index, 1)))
                        case 0 {
                            hash := calldataload(position)
                            position := add(position, 0x20)
                        }
                        default {
                            hash := mload(add(other, 0x20))
                            node := other
                        }
                        mstore(add(left, xor(odd, 0x20)), hash)
                        // The precompile fails for want of gas only.
                        if iszero(staticcall(gas(), 0x02, sub(left, 1), 0x41, 0x00, 0x20)) { revert(0x00, 0x00) }
                        hash := mload(0x00)
                    }
                    mstore(kept, shr(1, index))
                    mstore(add(kept, 0x20), hash)
                    kept := add(kept, size)
                }
                to := kept
            }
            mstore(read, position)
            // What is left of them: the words of one leaf.
            to := mload(from)
            from := mload(add(from, 0x20))
        }
        return climbOne(read, count, to, bytes32(from));
    }

    /// @notice The same for one leaf, which is in the tree.
    /// @dev Most of a proof is this.
    function climbOne(
        Read memory read,
        uint256 count,
        uint256 index,
        bytes32 leaf
    ) internal view returns (bytes32 hash) {
        hash = leaf;
        assembly ("memory-safe") {
            let position := mload(read)
            // Free memory, which stays free.
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
                    mstore(add(left, xor(odd, 0x20)), calldataload(position))
                    position := add(position, 0x20)
                    // The precompile fails for want of gas only.
                    if iszero(staticcall(gas(), 0x02, from, 0x41, 0x00, 0x20)) { revert(0x00, 0x00) }
                    hash := mload(0x00)
                }
            }
            mstore(read, position)
        }
    }
}
