// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice The number of zeros above the highest bit of a word; 256 for 0.
/// @dev CLZ (EIP-7939), which chains have from Osaka on. For other chains scripts/portable.ts compiles the
/// same contracts with contracts/portable/LeadingZeros.sol in the place of this file.
function leadingZeros(uint256 word) pure returns (uint256 zeros) {
    assembly ("memory-safe") {
        zeros := clz(word)
    }
}
