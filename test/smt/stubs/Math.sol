// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title In the place of OpenZeppelin's, which uses assembly
library Math {
    function min(uint256 a, uint256 b) internal pure returns (uint256) {
        return a < b ? a : b;
    }

    function max(uint256 a, uint256 b) internal pure returns (uint256) {
        return a > b ? a : b;
    }
}
