// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Float32} from "./Float32.sol";
import {MicroStep} from "./MicroStep.sol";

/// @notice Where one input of the scalar program gets its value, for one element and one fold index.
/// @param isRead an element of a tensor is read, which has to be shown; else the value is `bits`
/// @param tensor number of the tensor that is read (spec 5.1)
/// @param element of that tensor, row-major. Only a graph that must be refused has one that the tensor does not have
/// @param bits the coordinate, the fold index, or the fill of the view; beside a read the fill too
/// @param ranging what the value is brought into (spec 4.3)
struct PointInput {
    bool isRead;
    uint256 tensor;
    uint256 element;
    uint256 bits;
    Ranging ranging;
}

enum Ranging {
    None,
    Dot,
    Sum
}

/// @notice One scalar step of a map or a fold.
/// @param isFold its program takes the accumulator first
/// @param start the accumulator before k = 0, a pattern; 0 for a map
/// @param programFrom where the program begins in the kernel's bytes
/// @param programTo where it ends
/// @param inputs of the program, without the accumulator
struct Point {
    bool isFold;
    uint256 start;
    uint256 programFrom;
    uint256 programTo;
    PointInput[] inputs;
}

/// @title One element of one kernel (spec 4, 5.3): what it reads and what it computes
/// @notice Gives what src/repops/point.ts gives for the kernel of every graph that is not refused, and a defined result for any bytes
/// (spec 5.4). Nothing here reverts but for want of gas.
library KernelPoint {
    uint256 private constant FOLD = 2;
    uint256 private constant GATHER = 3;
    uint256 private constant OPERAND = 1;
    uint256 private constant COORDINATE = 2;
    uint256 private constant INDEX = 3;

    uint256 private constant WORD = 0xffffffff;
    /// @dev Rank of the output, behind the kind and the element type; its extents follow.
    uint256 private constant RANK = 2;
    uint256 private constant EXTENTS = 3;
    uint256 private constant DOT_LEAST = (127 - 51) << 23;
    uint256 private constant DOT_MOST = (127 + 51) << 23;
    uint256 private constant SUM_LEAST = (127 - 102) << 23;
    uint256 private constant SUM_MOST = (127 + 102) << 23;

    /// @dev What decoding an argument takes: where it stands, and the point in the iteration space.
    struct Cursor {
        uint256 position;
        uint256 rank;
        uint256 k;
        uint256[] coordinates;
    }

    function isGather(bytes calldata kernel) internal pure returns (bool) {
        return _byte(kernel, 0) == GATHER;
    }

    /// @notice What one step of a map or a fold reads; a kernel of any other kind but gather is taken for a map.
    /// @param element of the output, row-major
    /// @param k fold index, 0 for a map
    function reads(bytes calldata kernel, uint256 element, uint256 k) internal pure returns (Point memory p) {
        Cursor memory c;
        unchecked {
            // Counts have 8 bits and extents 32: no sum comes near 2^256.
            c.k = k;
            c.rank = _byte(kernel, RANK);
            c.position = EXTENTS + 4 * c.rank;
            p.isFold = _byte(kernel, 0) == FOLD;
            uint256 axes = 0;
            if (p.isFold) {
                p.start = _word(kernel, c.position);
                axes = _byte(kernel, c.position + 4);
                c.position += 5;
            }
            c.coordinates = new uint256[](c.rank + axes);
            _unravel(kernel, EXTENTS, element, c.coordinates, 0, c.rank);
            _unravel(kernel, c.position, k, c.coordinates, c.rank, axes);
            c.position += 4 * axes;
            p.programFrom = _atMost(c.position + 4, kernel.length);
            p.programTo = _atMost(p.programFrom + _word(kernel, c.position), kernel.length);
            uint256 ints = _byte(kernel, p.programFrom + 1) >> (p.isFold ? 1 : 0);
            c.position = p.programTo + 1;
            p.inputs = new PointInput[](_byte(kernel, p.programTo));
            for (uint256 i = 0; i < p.inputs.length; i++) _input(kernel, c, p.inputs[i], (ints >> i) & 1 == 0);
        }
    }

    /// @notice One scalar step.
    /// @param p what `reads` gave
    /// @param accumulator the pattern before this step; a map does not use it
    /// @param operands patterns of what is read, in the order of the inputs; those that are missing are 0
    /// @return the pattern of the result
    function step(
        bytes calldata kernel,
        Point memory p,
        uint256 accumulator,
        uint256[] memory operands
    ) internal pure returns (uint256) {
        (accumulator, ) = _step(kernel, p, accumulator, operands, 0);
        return accumulator;
    }

    /// @notice A part of a fold: its steps k = from, …, to - 1.
    /// @param accumulator the pattern before step `from`
    /// @param operands patterns of what is read, step by step, in the order of the inputs
    /// @return the accumulator after the last step
    function fold(
        bytes calldata kernel,
        uint256 element,
        uint256 from,
        uint256 to,
        uint256 accumulator,
        uint256[] memory operands
    ) internal pure returns (uint256) {
        uint256 used = 0;
        for (uint256 k = from; k < to; k++) {
            uint256 free;
            assembly ("memory-safe") {
                free := mload(0x40)
            }
            (accumulator, used) = _step(kernel, reads(kernel, element, k), accumulator, operands, used);
            assembly ("memory-safe") {
                // Nothing that a step allocated is used again.
                mstore(0x40, free)
            }
        }
        return accumulator;
    }

    /// @notice The tensors of a gather, and what it gives for a row that does not exist.
    function gather(bytes calldata kernel) internal pure returns (uint256 source, uint256 index, uint256 fill) {
        unchecked {
            uint256 position = EXTENTS + 4 * _byte(kernel, RANK);
            return (_word(kernel, position), _word(kernel, position + 4), _word(kernel, position + 8));
        }
    }

    /// @param indexRank rank of the index tensor
    /// @return the element of the index tensor that chooses the row
    function gatherIndex(bytes calldata kernel, uint256 element, uint256 indexRank) internal pure returns (uint256) {
        return _quotient(element, _row(kernel, indexRank));
    }

    /// @param chosen the pattern of that element
    /// @param rows first extent of the source
    /// @return exists whether there is such a row; else the fill is taken
    /// @return sourceElement the element of the source
    function gatherSource(
        bytes calldata kernel,
        uint256 element,
        uint256 chosen,
        uint256 indexRank,
        uint256 rows
    ) internal pure returns (bool exists, uint256 sourceElement) {
        unchecked {
            uint256 row = _row(kernel, indexRank);
            if (chosen >> 31 != 0 || chosen >= rows) return (false, 0);
            return (true, chosen * row + element - _quotient(element, row) * row);
        }
    }

    /// @return used how many operands were used, those before counted
    function _step(
        bytes calldata kernel,
        Point memory p,
        uint256 accumulator,
        uint256[] memory operands,
        uint256 used
    ) private pure returns (uint256, uint256) {
        unchecked {
            uint256 first = p.isFold ? 1 : 0;
            uint256[] memory values = new uint256[](first + p.inputs.length);
            if (p.isFold) values[0] = accumulator;
            for (uint256 i = 0; i < p.inputs.length; i++) {
                PointInput memory input = p.inputs[i];
                uint256 bits = input.bits;
                if (input.isRead) {
                    bits = used < operands.length ? operands[used] : 0;
                    used++;
                }
                if (input.ranging == Ranging.Dot) bits = Float32.limit(bits, DOT_LEAST, DOT_MOST);
                else if (input.ranging == Ranging.Sum) bits = Float32.limit(bits, SUM_LEAST, SUM_MOST);
                values[first + i] = bits;
            }
            return (MicroStep.run(kernel[p.programFrom:p.programTo], values), used);
        }
    }

    /// @dev One argument; the cursor goes behind it. An argument of no known kind is the int 0.
    function _input(bytes calldata kernel, Cursor memory c, PointInput memory input, bool isFloat) private pure {
        unchecked {
            uint256 kind = _byte(kernel, c.position++);
            if (kind == OPERAND) return _operand(kernel, c, input, isFloat);
            if (kind == INDEX) input.bits = c.k & WORD;
            if (kind == COORDINATE) {
                uint256 axis = _byte(kernel, c.position++);
                if (axis < c.rank) input.bits = c.coordinates[axis];
            }
        }
    }

    /// @dev A view of a checked graph has a stride for each axis. Axes that the space does not have are at 0.
    function _operand(bytes calldata kernel, Cursor memory c, PointInput memory input, bool isFloat) private pure {
        unchecked {
            uint256 position = c.position;
            input.tensor = _word(kernel, position);
            uint256 ranging = _byte(kernel, position + 4);
            if (isFloat && ranging <= uint256(Ranging.Sum)) input.ranging = Ranging(ranging);
            uint256 axes = _byte(kernel, position + 9);
            (int256 element, bool inside) = _follow(kernel, position, axes, c.coordinates);
            position += 10 + 4 * axes;
            if (_byte(kernel, position++) != 0) {
                if (!_isWithin(kernel, position, axes, c.coordinates)) inside = false;
                position += 8 * axes;
                input.bits = _word(kernel, position);
                position += 4;
            }
            c.position = position;
            input.isRead = inside;
            if (inside) input.element = uint256(element);
        }
    }

    /// @dev Offset and strides of the operand at `position`.
    /// @return element that the view leads to
    /// @return exists whether it is not negative
    function _follow(
        bytes calldata kernel,
        uint256 position,
        uint256 axes,
        uint256[] memory coordinates
    ) private pure returns (int256 element, bool exists) {
        assembly ("memory-safe") {
            function signed(from, end) -> value {
                if iszero(gt(add(from, 4), end)) {
                    value := signextend(3, shr(224, calldataload(from)))
                }
            }
            let end := add(kernel.offset, kernel.length)
            let from := add(kernel.offset, add(position, 5))
            element := signed(from, end)
            from := add(from, 5)
            if gt(axes, mload(coordinates)) {
                axes := mload(coordinates)
            }
            for {
                let last := add(coordinates, shl(5, axes))
            } lt(coordinates, last) {
                from := add(from, 4)
            } {
                coordinates := add(coordinates, 0x20)
                element := add(element, mul(signed(from, end), mload(coordinates)))
            }
            exists := iszero(slt(element, 0))
        }
    }

    /// @return inside whether the point lies in the bounds, which stand at `position`
    function _isWithin(
        bytes calldata kernel,
        uint256 position,
        uint256 axes,
        uint256[] memory coordinates
    ) private pure returns (bool inside) {
        unchecked {
            inside = true;
            for (uint256 axis = 0; axis < axes; axis++) {
                int256 coordinate = axis < coordinates.length ? int256(coordinates[axis]) : int256(0);
                if (coordinate < _signed(kernel, position) || coordinate >= _signed(kernel, position + 4)) return false;
                position += 8;
            }
        }
    }

    /// @dev Element number `index` of a shape of `count` extents at `from`, as coordinates from number `first` on.
    function _unravel(
        bytes calldata kernel,
        uint256 from,
        uint256 index,
        uint256[] memory coordinates,
        uint256 first,
        uint256 count
    ) private pure {
        assembly ("memory-safe") {
            // Where an extent is cut off nothing follows that could see it, so none is asked whether it is there.
            from := add(kernel.offset, from)
            let to := add(coordinates, shl(5, add(first, 1)))
            for {

            } count {

            } {
                count := sub(count, 1)
                let extent := shr(224, calldataload(add(from, shl(2, count))))
                // By an extent of 0 both give 0.
                mstore(add(to, shl(5, count)), mod(index, extent))
                index := div(index, extent)
            }
        }
    }

    /// @return length elements in a row of a gather, modulo 2^256
    function _row(bytes calldata kernel, uint256 indexRank) private pure returns (uint256 length) {
        unchecked {
            length = 1;
            uint256 rank = _byte(kernel, RANK);
            for (uint256 axis = indexRank; axis < rank; axis++) length *= _word(kernel, EXTENTS + 4 * axis);
        }
    }

    /// @dev 0 for a divisor 0.
    function _quotient(uint256 a, uint256 b) private pure returns (uint256 quotient) {
        assembly ("memory-safe") {
            quotient := div(a, b)
        }
    }

    function _atMost(uint256 a, uint256 most) private pure returns (uint256) {
        return a < most ? a : most;
    }

    /// @dev The byte at `position`, 0 behind the end.
    function _byte(bytes calldata data, uint256 position) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            if lt(position, data.length) {
                value := byte(0, calldataload(add(data.offset, position)))
            }
        }
    }

    /// @dev The number of four bytes at `position`, 0 where one of them is behind the end.
    function _word(bytes calldata data, uint256 position) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            if iszero(gt(add(position, 4), data.length)) {
                value := shr(224, calldataload(add(data.offset, position)))
            }
        }
    }

    function _signed(bytes calldata data, uint256 position) private pure returns (int256) {
        return int32(uint32(_word(data, position)));
    }
}
