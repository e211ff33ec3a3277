// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Float32} from "./Float32.sol";
import {MicroStep} from "./MicroStep.sol";

/// @notice The source of one input of the scalar program, for one element and one fold index.
/// @param isRead whether the value is an element of a tensor, which a witness has to show; if not, it is
/// `bits`
/// @param tensor number of the tensor that is read (spec 5.1)
/// @param element of that tensor, row-major. It can lie outside the tensor only in a graph that must be
/// refused
/// @param bits the coordinate, the fold index, or the fill of the view; if an element is read, the fill as
/// well
/// @param clampRange the range that the value is clamped into (spec 4.3)
struct PointInput {
    bool isRead;
    uint256 tensor;
    uint256 element;
    uint256 bits;
    ClampRange clampRange;
}

enum ClampRange {
    None,
    Dot,
    Sum
}

/// @notice One scalar step of a map or a fold.
/// @param isFold whether the program takes the accumulator first
/// @param start the accumulator before k = 0, a pattern; 0 for a map
/// @param programFrom start of the program in the kernel's bytes
/// @param programTo its end
/// @param inputs of the program, without the accumulator
struct Point {
    bool isFold;
    uint256 start;
    uint256 programFrom;
    uint256 programTo;
    PointInput[] inputs;
}

/// @notice The tensors of a gather, by number, and its result for a row that does not exist.
struct Gather {
    uint256 source;
    uint256 index;
    uint256 fill;
}

/// @title One element of one kernel (spec 4, 5.3): what it reads and what it computes
/// @notice Gives the same results as src/repops/kernels/point.ts for the kernel of every graph that is not
/// refused, and a defined result for any bytes (spec 5.4). Nothing here reverts, unless there is too little
/// gas.
library KernelPoint {
    uint256 private constant FOLD = 2;
    uint256 private constant GATHER = 3;
    uint256 private constant OPERAND = 1;
    uint256 private constant COORDINATE = 2;
    uint256 private constant INDEX = 3;

    uint256 private constant WORD = 0xffffffff;
    /// @dev Rank of the output, after the kind and the element type; its extents follow.
    uint256 private constant RANK = 2;
    uint256 private constant EXTENTS = 3;
    uint256 private constant DOT_LEAST = (127 - 51) << 23;
    uint256 private constant DOT_MOST = (127 + 51) << 23;
    uint256 private constant SUM_LEAST = (127 - 102) << 23;
    uint256 private constant SUM_MOST = (127 + 102) << 23;

    /// @dev State of the decoder: the position in an argument, and the point in the iteration space.
    struct Cursor {
        uint256 position;
        uint256 rank;
        uint256 k;
        uint256[] coordinates;
    }

    function isFold(bytes calldata kernel) internal pure returns (bool) {
        return _byte(kernel, 0) == FOLD;
    }

    /// @return the accumulator of a fold before its first step, a pattern
    function start(bytes calldata kernel) internal pure returns (uint256) {
        unchecked {
            return _word(kernel, EXTENTS + 4 * _byte(kernel, RANK));
        }
    }

    function isGather(bytes calldata kernel) internal pure returns (bool) {
        return _byte(kernel, 0) == GATHER;
    }

    /// @notice What one step of a map or a fold reads. A kernel of any other kind, except gather, counts as a
    /// map.
    /// @param element of the output, row-major
    /// @param k fold index, 0 for a map
    function reads(bytes calldata kernel, uint256 element, uint256 k) internal pure returns (Point memory p) {
        Cursor memory c;
        unchecked {
            // Counts have 8 bits and extents 32 bits: no sum is near 2^256.
            c.k = k;
            c.rank = _byte(kernel, RANK);
            c.position = EXTENTS + 4 * c.rank;
            p.isFold = isFold(kernel);
            uint256 axes = 0;
            if (p.isFold) {
                p.start = start(kernel);
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
            p.inputs = _inputs(kernel, c, _byte(kernel, p.programTo), ints);
        }
    }

    /// @notice One scalar step.
    /// @param p the result of `reads`, with the patterns of the elements that are read as `bits` of those
    /// inputs
    /// @param accumulator the pattern before this step; a map does not use it
    /// @return the pattern of the result
    function step(bytes calldata kernel, Point memory p, uint256 accumulator) internal pure returns (uint256) {
        PointInput[] memory inputs = p.inputs;
        uint256 first = p.isFold ? 1 : 0;
        uint256[] memory values;
        uint256 clampRanges = 0;
        unchecked {
            values = new uint256[](first + inputs.length);
        }
        if (p.isFold) values[0] = accumulator;
        assembly ("memory-safe") {
            // Both lists have one word for each input; `values` has one more word before them.
            let to := add(add(values, 0x20), shl(5, first))
            let from := add(inputs, 0x20)
            for {
                let end := add(from, shl(5, mload(inputs)))
            } lt(from, end) {
                from := add(from, 0x20)
                to := add(to, 0x20)
            } {
                mstore(to, mload(add(mload(from), 0x60)))
                clampRanges := or(clampRanges, mload(add(mload(from), 0x80)))
            }
        }
        if (clampRanges != 0) _bringIntoRange(inputs, values, first);
        return MicroStep.run(kernel[p.programFrom:p.programTo], values);
    }

    /// @param values of the inputs from number `first` on
    function _bringIntoRange(PointInput[] memory inputs, uint256[] memory values, uint256 first) private pure {
        unchecked {
            for (uint256 i = 0; i < inputs.length; i++) {
                ClampRange clampRange = inputs[i].clampRange;
                if (clampRange == ClampRange.None) continue;
                (uint256 least, uint256 most) = clampRange == ClampRange.Dot ? (DOT_LEAST, DOT_MOST) : (SUM_LEAST, SUM_MOST);
                values[first + i] = Float32.limit(values[first + i], least, most);
            }
        }
    }

    function gather(bytes calldata kernel) internal pure returns (Gather memory g) {
        unchecked {
            uint256 position = EXTENTS + 4 * _byte(kernel, RANK);
            g.source = _word(kernel, position);
            g.index = _word(kernel, position + 4);
            g.fill = _word(kernel, position + 8);
        }
    }

    /// @param indexRank rank of the index tensor
    /// @return the element of the index tensor that chooses the row
    function gatherIndex(bytes calldata kernel, uint256 element, uint256 indexRank) internal pure returns (uint256) {
        return _quotient(element, _row(kernel, indexRank));
    }

    /// @param chosen the pattern of that element
    /// @param rows first extent of the source
    /// @return exists whether there is such a row; if not, the result is the fill
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

    /// @param count number of arguments, which begin at the cursor
    /// @param ints bit i: input i is an int
    function _inputs(
        bytes calldata kernel,
        Cursor memory c,
        uint256 count,
        uint256 ints
    ) private pure returns (PointInput[] memory inputs) {
        assembly ("memory-safe") {
            // An address for each input, then the structs of five words, all zero: calldata gives zeros after
            // its end.
            inputs := mload(0x40)
            mstore(inputs, count)
            let at := add(inputs, 0x20)
            let input := add(at, shl(5, count))
            let to := add(input, mul(count, 0xa0))
            mstore(0x40, to)
            calldatacopy(input, calldatasize(), sub(to, input))
            for {

            } lt(input, to) {
                input := add(input, 0xa0)
                at := add(at, 0x20)
            } {
                mstore(at, input)
            }
        }
        unchecked {
            uint256 position = c.position;
            for (uint256 i = 0; i < count; i++) {
                PointInput memory input = inputs[i];
                uint256 kind = _byte(kernel, position++);
                if (kind == OPERAND) {
                    position = _operand(kernel, position, c.coordinates, input, (ints >> i) & 1 == 0);
                } else if (kind == INDEX) {
                    input.bits = c.k & WORD;
                } else if (kind == COORDINATE) {
                    uint256 axis = _byte(kernel, position++);
                    if (axis < c.rank) input.bits = c.coordinates[axis];
                }
            }
        }
    }

    /// @dev A view of a checked graph has a stride for each axis. The coordinate of an axis that the space
    /// does not have is 0.
    /// @return nextPosition the position after the operand
    function _operand(
        bytes calldata kernel,
        uint256 position,
        uint256[] memory coordinates,
        PointInput memory input,
        bool isFloat
    ) private pure returns (uint256 nextPosition) {
        assembly ("memory-safe") {
            let end := add(kernel.offset, kernel.length)
            // From here on a number of four bytes is cut off, and counts as 0.
            let cut := sub(end, 3)
            let from := add(kernel.offset, position)
            // The tensor (4 bytes), the clampRange (1), the offset (4), the number of axes (1).
            let head := calldataload(from)
            mstore(add(input, 0x20), mul(shr(224, head), lt(from, cut)))
            let clampRange := mul(byte(4, head), lt(add(from, 4), end))
            mstore(add(input, 0x80), mul(clampRange, and(isFloat, lt(clampRange, 3))))
            let element := mul(signextend(3, shr(184, head)), lt(add(from, 5), cut))
            let axes := mul(byte(9, head), lt(add(from, 9), end))
            from := add(from, 10)
            let at := add(coordinates, 0x20)
            let last := add(at, shl(5, mload(coordinates)))
            // Strides of existing axes: all of them, if the space has at least as many axes.
            let next := add(from, shl(2, axes))
            let to := add(at, shl(5, axes))
            if gt(to, last) { to := last }
            for {

            } lt(at, to) {
                from := add(from, 4)
                at := add(at, 0x20)
            } {
                let stride := mul(signextend(3, shr(224, calldataload(from))), lt(from, cut))
                element := add(element, mul(stride, mload(at)))
            }
            from := next
            let inside := iszero(slt(element, 0))
            let bounded := mul(byte(0, calldataload(from)), lt(from, end))
            from := add(from, 1)
            if bounded {
                at := add(coordinates, 0x20)
                next := add(from, shl(3, axes))
                for {

                } lt(from, next) {
                    from := add(from, 8)
                    at := add(at, 0x20)
                } {
                    let coordinate
                    if lt(at, last) { coordinate := mload(at) }
                    let least := mul(signextend(3, shr(224, calldataload(from))), lt(from, cut))
                    to := add(from, 4)
                    to := mul(signextend(3, shr(224, calldataload(to))), lt(to, cut))
                    inside := and(inside, and(iszero(slt(coordinate, least)), slt(coordinate, to)))
                }
                mstore(add(input, 0x60), mul(shr(224, calldataload(from)), lt(from, cut)))
                from := add(from, 4)
            }
            mstore(input, inside)
            mstore(add(input, 0x40), mul(element, inside))
            nextPosition := sub(from, kernel.offset)
        }
    }

    /// @dev Writes the coordinates of element `index` of a shape of `count` extents at `from`, starting at
    /// coordinate `first`.
    function _unravel(
        bytes calldata kernel,
        uint256 from,
        uint256 index,
        uint256[] memory coordinates,
        uint256 first,
        uint256 count
    ) private pure {
        assembly ("memory-safe") {
            // If an extent is cut off, nothing after it could use it. So no extent is checked for being
            // there.
            from := add(kernel.offset, from)
            let to := add(coordinates, shl(5, add(first, 1)))
            for {

            } count {

            } {
                count := sub(count, 1)
                let extent := shr(224, calldataload(add(from, shl(2, count))))
                // For an extent of 0 both give 0.
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

    /// @dev Returns 0 for a divisor 0.
    function _quotient(uint256 a, uint256 b) private pure returns (uint256 quotient) {
        assembly ("memory-safe") {
            quotient := div(a, b)
        }
    }

    function _atMost(uint256 a, uint256 most) private pure returns (uint256) {
        return a < most ? a : most;
    }

    /// @dev The byte at `position`; 0 after the end.
    function _byte(bytes calldata data, uint256 position) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            if lt(position, data.length) {
                value := byte(0, calldataload(add(data.offset, position)))
            }
        }
    }

    /// @dev The number of four bytes at `position`; 0 if one of them is after the end.
    function _word(bytes calldata data, uint256 position) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            if iszero(gt(add(position, 4), data.length)) {
                value := shr(224, calldataload(add(data.offset, position)))
            }
        }
    }
}
