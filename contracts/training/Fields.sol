// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title A word as eight numbers of 32 bits, the first lowest
/// @dev Indices are constants below 8.
library Fields {
    uint256 private constant BITS = 32;

    function field(uint256 word, uint256 index) internal pure returns (uint256) {
        unchecked {
            return uint32(word >> (BITS * index));
        }
    }

    /// @dev The field was zero before, and the value fits.
    function with(uint256 word, uint256 index, uint256 value) internal pure returns (uint256) {
        unchecked {
            return word | (value << (BITS * index));
        }
    }
}
