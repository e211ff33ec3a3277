// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title A word as eight numbers of 32 bits; the first one is the lowest
/// @dev Indices are constants below 8.
library Fields {
    uint256 private constant BITS = 32;

    function field(uint256 word, uint256 index) internal pure returns (uint256) {
        unchecked {
            return uint32(word >> (BITS * index));
        }
    }

    /// @dev The field must have been zero before, and the value must fit.
    function with(uint256 word, uint256 index, uint256 value) internal pure returns (uint256) {
        unchecked {
            return word | (value << (BITS * index));
        }
    }
}
