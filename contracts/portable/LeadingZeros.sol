// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice The number of zeros above the highest bit of a word; 256 for 0.
/// @dev For chains without CLZ. In the portable build it takes the place of
/// contracts/libraries/LeadingZeros.sol.
function leadingZeros(uint256 word) pure returns (uint256 zeros) {
    assembly ("memory-safe") {
        // The index of the highest bit, from its own highest bit down: each step halves what is searched.
        let index := shl(7, gt(word, 0xffffffffffffffffffffffffffffffff))
        index := or(index, shl(6, gt(shr(index, word), 0xffffffffffffffff)))
        index := or(index, shl(5, gt(shr(index, word), 0xffffffff)))
        index := or(index, shl(4, gt(shr(index, word), 0xffff)))
        index := or(index, shl(3, gt(shr(index, word), 0xff)))
        index := or(index, shl(2, gt(shr(index, word), 0x0f)))
        index := or(index, shl(1, gt(shr(index, word), 0x03)))
        index := or(index, gt(shr(index, word), 0x01))
        // For 0 the index is 0 too.
        zeros := add(sub(255, index), iszero(word))
    }
}
