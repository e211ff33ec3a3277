// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Float32Operations} from "../solidity/Float32Operations.sol";
import {Files} from "./Files.sol";

/// @dev Every operation of Float32 on the cases of a file: two operands and the result, 4 bytes each.
contract Float32Sweep is Float32Operations {
    error Mismatch(uint256 code, uint256 a, uint256 b, uint256 result, uint256 wanted, uint256 mismatches);

    function test_EveryOperationGivesTheBitsOfTheReference() public view {
        uint256 files = Files.count();
        for (uint256 i = 0; i < files; i++) this.sweep(i);
    }

    /// @dev A call of its own, which frees its memory.
    function sweep(uint256 file) external view {
        (uint256 code, bytes memory cases) = Files.read(file);
        assert(cases.length > 0 && cases.length % 12 == 0);
        function(uint256, uint256) internal pure returns (uint256) operation = operationOf(code);
        uint256 mismatches = 0;
        uint256 first = 0;
        for (uint256 at = 0; at < cases.length; at += 12) {
            uint256 row = Files.word(cases, at) >> 160;
            if (operation(row >> 64, (row >> 32) & 0xffffffff) == row & 0xffffffff) continue;
            if (mismatches++ == 0) first = row;
        }
        (uint256 a, uint256 b) = (first >> 64, (first >> 32) & 0xffffffff);
        if (mismatches > 0) revert Mismatch(code, a, b, operation(a, b), first & 0xffffffff, mismatches);
    }
}
