// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Gather, KernelPoint, Point} from "../../contracts/libraries/KernelPoint.sol";
import {MicroStep} from "../../contracts/libraries/MicroStep.sol";

/// @dev Runs programs and steps of kernels, many in a call, for tests that compare thousands.
contract PointBatch {
    /// @param inputs words of 4 bytes each, big-endian: `arity` of them for each of `count` runs
    /// @return results 4 bytes each
    function run(
        bytes calldata program,
        uint256 arity,
        uint256 count,
        bytes calldata inputs
    ) external pure returns (bytes memory results) {
        results = new bytes(4 * count);
        uint256[] memory values = new uint256[](arity);
        for (uint256 i = 0; i < count; i++) {
            for (uint256 j = 0; j < arity; j++) values[j] = _word(inputs, arity * i + j);
            _put(results, i, MicroStep.run(program, values));
        }
    }

    /// @return the result, and the gas of running a program
    function gasOf(bytes calldata program, uint256[] calldata inputs) external view returns (uint256, uint256) {
        uint256[] memory values = inputs;
        uint256 before = gasleft();
        uint256 result = MicroStep.run(program, values);
        return (result, before - gasleft());
    }

    /// @dev A program that is followed by something in the calldata.
    function runPart(bytes calldata program, uint256 to, uint256[] calldata inputs) external pure returns (uint256) {
        return MicroStep.run(program[:to], inputs);
    }

    /// @dev A kernel that is followed by something in the calldata.
    function readsPart(
        bytes calldata kernel,
        uint256 to,
        uint256 element,
        uint256 k
    ) external pure returns (Point memory) {
        return KernelPoint.reads(kernel[:to], element, k);
    }

    function isGather(bytes calldata kernel) external pure returns (bool) {
        return KernelPoint.isGather(kernel);
    }

    function reads(bytes calldata kernel, uint256 element, uint256 k) external pure returns (Point memory) {
        return KernelPoint.reads(kernel, element, k);
    }

    /// @dev With something after the kernel in the calldata.
    function readsAmong(
        bytes calldata kernel,
        uint256 element,
        uint256 k,
        bytes calldata dirt
    ) external pure returns (Point memory) {
        assert(dirt.length > 0);
        return KernelPoint.reads(kernel, element, k);
    }

    /// @param operands patterns of what is read, in the order of the inputs; missing ones are 0
    /// @return the result, and the gas of decoding and of the step
    function step(
        bytes calldata kernel,
        uint256 element,
        uint256 k,
        uint256 accumulator,
        uint256[] calldata operands
    ) external view returns (uint256, uint256, uint256) {
        uint256 before = gasleft();
        Point memory p = KernelPoint.reads(kernel, element, k);
        uint256 decoding = before - gasleft();
        _give(p, operands, 0);
        before = gasleft();
        uint256 result = KernelPoint.step(kernel, p, accumulator);
        return (result, decoding, before - gasleft());
    }

    /// @notice A part of a fold: its steps from k = from to k = to - 1.
    /// @param operands patterns of what is read, step by step
    function fold(
        bytes calldata kernel,
        uint256 element,
        uint256 from,
        uint256 to,
        uint256 accumulator,
        uint256[] calldata operands
    ) external pure returns (uint256) {
        uint256 used = 0;
        for (uint256 k = from; k < to; k++) {
            Point memory p = KernelPoint.reads(kernel, element, k);
            used = _give(p, operands, used);
            accumulator = KernelPoint.step(kernel, p, accumulator);
        }
        return accumulator;
    }

    function gather(bytes calldata kernel) external pure returns (uint256, uint256, uint256) {
        Gather memory g = KernelPoint.gather(kernel);
        return (g.source, g.index, g.fill);
    }

    function gatherIndex(bytes calldata kernel, uint256 element, uint256 indexRank) external pure returns (uint256) {
        return KernelPoint.gatherIndex(kernel, element, indexRank);
    }

    function gatherSource(
        bytes calldata kernel,
        uint256 element,
        uint256 chosen,
        uint256 indexRank,
        uint256 rows
    ) external pure returns (bool, uint256) {
        return KernelPoint.gatherSource(kernel, element, chosen, indexRank, rows);
    }

    /// @return how many operands have been used, including earlier ones
    function _give(Point memory p, uint256[] calldata operands, uint256 used) private pure returns (uint256) {
        for (uint256 i = 0; i < p.inputs.length; i++) {
            if (!p.inputs[i].isRead) continue;
            p.inputs[i].bits = used < operands.length ? operands[used] : 0;
            used++;
        }
        return used;
    }

    function _word(bytes calldata words, uint256 i) private pure returns (uint256) {
        return uint32(bytes4(words[4 * i:4 * i + 4]));
    }

    function _put(bytes memory results, uint256 i, uint256 result) private pure {
        assert(result < 2 ** 32);
        assembly ("memory-safe") {
            // The word after the last result is overwritten by the next one, or stays zero.
            let position := add(add(results, 0x20), mul(4, i))
            mstore(position, or(mload(position), shl(224, result)))
        }
    }
}
