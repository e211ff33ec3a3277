// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Float32Operations} from "./Float32Operations.sol";

/// @dev What an operation costs.
contract Float32Gas is Float32Operations {
    /// @return the gas between the call of an operation and its return, without the call through a pointer
    function gasOf(uint256 code, uint256 a, uint256 b) external view returns (uint256) {
        return _measure(operationOf(code), a, b) - _measure(operationOf(NOTHING), a, b);
    }

    function _measure(
        function(uint256, uint256) internal pure returns (uint256) operation,
        uint256 a,
        uint256 b
    ) private view returns (uint256) {
        uint256 before = gasleft();
        operation(a, b);
        return before - gasleft();
    }
}
