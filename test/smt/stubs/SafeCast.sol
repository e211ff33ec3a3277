// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title In the place of OpenZeppelin's, of which two functions are used
library SafeCast {
    function toUint128(uint256 value) internal pure returns (uint128) {
        require(value <= type(uint128).max);
        return uint128(value);
    }

    function toUint80(uint256 value) internal pure returns (uint80) {
        require(value <= type(uint80).max);
        return uint80(value);
    }
}
