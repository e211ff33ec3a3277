// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Float32Operations} from "./Float32Operations.sol";

/// @dev The gas of an operation.
contract Float32Gas is Float32Operations {
    /// @return the gas between the call of an operation and its return, without the call through a pointer
    function gasOf(uint256 code, uint256 a, uint256 b) external view returns (uint256) {
        return _measure(operationOf(code), a, b) - _measure(operationOf(NOTHING), a, b);
    }

    /// @param cases of two operands and a result, 4 bytes each
    /// @return most the gas of the most expensive case
    function mostOf(uint256 code, bytes calldata cases) external view returns (uint256 most) {
        function(uint256, uint256) internal pure returns (uint256) operation = operationOf(code);
        uint256 nothing = _measure(operationOf(NOTHING), 0, 0);
        for (uint256 from = 0; from < cases.length; from += 12) {
            uint256 gas = _measure(operation, uint32(bytes4(cases[from:])), uint32(bytes4(cases[from + 4:]))) - nothing;
            if (gas > most) most = gas;
        }
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
