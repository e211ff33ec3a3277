// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {KernelHead} from "./KernelHead.sol";

/// @notice Where one input of a scalar program gets its value.
/// @param reads whether it is an element of a tensor
/// @param tensor that is read
/// @param value the element's address where it reads; else the bits of a fill value or an int
/// @param ranging 0: none, 1: dot, 2: sum
struct Input {
    bool reads;
    uint256 tensor;
    uint256 value;
    uint256 ranging;
}

/// @notice One scalar step of a map or fold.
/// @param from where the program's encoding begins in the kernel's
/// @param to where it ends
/// @param start the accumulator before the first step of a fold
/// @param inputs without the accumulator
struct Step {
    uint256 from;
    uint256 to;
    uint256 start;
    Input[] inputs;
}

/// @title What one element of one kernel reads (spec 4.1 to 4.3, 5.3)
/// @dev The encoding is bound by the graph's root, and a graph with a malformed kernel must be refused before anyone runs it.
library KernelInputs {
    uint256 internal constant MAP = 1;
    uint256 internal constant FOLD = 2;
    uint256 internal constant GATHER = 3;
    uint256 private constant OPERAND = 1;
    uint256 private constant COORDINATE = 2;
    uint256 private constant MAX_AXES = 16;

    function kindOf(bytes calldata kernel) internal pure returns (uint256) {
        return uint8(kernel[0]);
    }

    /// @param element row-major number in the kernel's output
    /// @param k fold index, 0 for a map
    function stepAt(bytes calldata kernel, uint256 element, uint256 k) internal pure returns (Step memory step) {
        uint256 next = 1 + KernelHead.typeOf(kernel).length;
        uint256[] memory point = new uint256[](MAX_AXES);
        uint256 axes = uint8(kernel[2]);
        _unravel(kernel, 3, axes, element, point, 0);
        if (kindOf(kernel) == FOLD) {
            step.start = _u32(kernel, next);
            uint256 folded = uint8(kernel[next + 4]);
            _unravel(kernel, next + 5, folded, k, point, axes);
            next += 5 + 4 * folded;
        }
        step.from = next + 4;
        step.to = step.from + _u32(kernel, next);
        next = step.to + 1;
        step.inputs = new Input[](uint8(kernel[step.to]));
        for (uint256 i = 0; i < step.inputs.length; i++) {
            uint256 kind = uint8(kernel[next++]);
            if (kind == OPERAND) next = _operand(kernel, next, point, step.inputs[i]);
            else if (kind == COORDINATE) step.inputs[i].value = point[uint8(kernel[next++])];
            else step.inputs[i].value = k;
        }
    }

    /// @return source tensor of the rows
    /// @return index tensor of the rows' numbers
    /// @return fill bits for a row that does not exist
    function gather(bytes calldata kernel) internal pure returns (uint256 source, uint256 index, uint256 fill) {
        uint256 next = 1 + KernelHead.typeOf(kernel).length;
        return (_u32(kernel, next), _u32(kernel, next + 4), _u32(kernel, next + 8));
    }

    /// @dev Reads an operand's view, and follows it to an address or to its fill value.
    /// @return where the next arg begins
    function _operand(
        bytes calldata kernel,
        uint256 next,
        uint256[] memory point,
        Input memory input
    ) private pure returns (uint256) {
        input.tensor = _u32(kernel, next);
        input.ranging = uint8(kernel[next + 4]);
        int256 address_ = _i32(kernel, next + 5);
        uint256 axes = uint8(kernel[next + 9]);
        next += 10;
        for (uint256 axis = 0; axis < axes; axis++)
            address_ += _i32(kernel, next + 4 * axis) * int256(point[axis]);
        next += 4 * axes;
        bool bounded = uint8(kernel[next++]) == 1;
        input.reads = true;
        if (bounded) {
            for (uint256 axis = 0; axis < axes; axis++) {
                int256 coordinate = int256(point[axis]);
                uint256 range = next + 8 * axis;
                if (coordinate < _i32(kernel, range) || coordinate >= _i32(kernel, range + 4)) input.reads = false;
            }
            next += 8 * axes + 4;
        }
        input.value = input.reads ? uint256(address_) : _u32(kernel, next - 4);
        return next;
    }

    /// @dev Writes the coordinates of a row-major number, in a box whose extents stand at `from`, to `point[first …]`.
    function _unravel(
        bytes calldata kernel,
        uint256 from,
        uint256 axes,
        uint256 number,
        uint256[] memory point,
        uint256 first
    ) private pure {
        for (uint256 axis = axes; axis-- > 0; ) {
            uint256 extent = _u32(kernel, from + 4 * axis);
            point[first + axis] = number % extent;
            number /= extent;
        }
    }

    function _u32(bytes calldata kernel, uint256 from) private pure returns (uint256) {
        return uint32(bytes4(kernel[from:from + 4]));
    }

    function _i32(bytes calldata kernel, uint256 from) private pure returns (int256) {
        return int32(uint32(bytes4(kernel[from:from + 4])));
    }
}
