// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Float32} from "./Float32.sol";
import * as Opcodes from "./Opcodes.sol";

/// @title The interpreter of scalar programs (spec 3.2 to 3.4)
/// @notice Gives the bits of src/repops/programs/interpret.ts for every canonical program, and a defined
/// result for any other bytes (spec 3.7). So the author of a job cannot write a step that nobody can prove.
/// It never reverts, and runs at most 255 instructions.
/// @dev Values are words of 32 bits: the pattern of a float, an int, or 0 and 1. Frequent instructions are
/// checked for first.
/// A new instruction is a new row in src/repops/programs/instructions.ts. `npm run contracts` gives its code
/// a name in Opcodes.sol. It then needs a line here: in `_onFloats` if its code is below `FIRST_OF_INTS`,
/// otherwise in `_onOthers`; with a third operand (`_third`), in `_execute`.
/// A code without a line gives 0, as an unknown code does. test/contracts/microstep.test.ts checks every
/// code.
library MicroStep {
    uint256 private constant HEADER = 8;
    uint256 private constant WORD = 0xffffffff;

    /// @dev Codes of instructions on floats alone are below this.
    uint256 private constant FIRST_OF_INTS = 0x20;

    /// @param program encoded (spec 3.4)
    /// @param inputs a pattern each, in the low 32 bits; missing ones are 0, surplus ones are ignored
    /// @return output the pattern of the last value
    function run(bytes calldata program, uint256[] memory inputs) internal pure returns (uint256 output) {
        uint256 free;
        assembly ("memory-safe") {
            free := mload(0x40)
        }
        (uint256 values, uint256 next, uint256 position, uint256 end) = _load(program, inputs);
        next = _execute(values, next, position, end);
        assembly ("memory-safe") {
            if gt(next, values) {
                output := mload(sub(next, 0x20))
            }
            // The memory that was allocated is not used again.
            mstore(0x40, free)
        }
    }

    /// @dev Loads program, inputs and constants into memory.
    /// @return values position of value 0; each value takes a word, and there is room for all
    /// @return next position of the value of the first instruction
    /// @return position position of the first instruction; each takes 4 bytes
    /// @return end end of the instructions
    function _load(
        bytes calldata program,
        uint256[] memory inputs
    ) private pure returns (uint256 values, uint256 next, uint256 position, uint256 end) {
        uint256 head;
        assembly ("memory-safe") {
            position := mload(0x40)
            mstore(position, 0)
            let length := program.length
            if gt(length, HEADER) {
                length := HEADER
            }
            calldatacopy(position, program.offset, length)
            head := mload(position)
            let constants := add(byte(2, head), byte(3, head))
            let count := add(byte(0, head), add(constants, byte(4, head)))
            let size := add(HEADER, shl(2, add(constants, byte(4, head))))
            length := program.length
            if gt(length, size) {
                length := size
            }
            calldatacopy(position, program.offset, length)
            // Missing bytes are 0: that is what reads after the end of the calldata give.
            calldatacopy(add(position, length), calldatasize(), sub(size, length))
            end := add(position, size)
            // The last instruction is loaded as a word, which begins 4 bytes before its end.
            values := and(add(end, 0x3f), not(0x1f))
            next := values
            mstore(0x40, add(values, shl(5, count)))
        }
        // The inputs that are given; bit i of the mask: input i is an int.
        uint256 ints = (head >> 240) & 0xff;
        uint256 from;
        uint256 to;
        uint256 given;
        assembly ("memory-safe") {
            from := add(inputs, 0x20)
            given := add(from, shl(5, mload(inputs)))
            to := add(from, shl(5, shr(248, head)))
        }
        while (from < to) {
            uint256 value = 0;
            assembly ("memory-safe") {
                if lt(from, given) {
                    value := and(mload(from), WORD)
                }
                from := add(from, 0x20)
            }
            if (ints & 1 == 0) value = Float32.canon(value);
            ints >>= 1;
            assembly ("memory-safe") {
                mstore(next, value)
                next := add(next, 0x20)
            }
        }
        assembly ("memory-safe") {
            position := add(position, HEADER)
            let first := add(position, shl(2, add(byte(2, head), byte(3, head))))
            for {

            } lt(position, first) {
                position := add(position, 4)
            } {
                mstore(next, shr(224, mload(position)))
                next := add(next, 0x20)
            }
        }
    }

    /// @return the position after the last value
    function _execute(uint256 values, uint256 next, uint256 position, uint256 end) private pure returns (uint256) {
        while (position < end) {
            uint256 code;
            uint256 a;
            uint256 b;
            assembly ("memory-safe") {
                // Four bytes: the code and three numbers of values. A value that is not before this one
                // counts as 0.
                let word := mload(position)
                code := byte(0, word)
                let from := add(values, and(shr(235, word), 0x1fe0))
                a := mul(mload(from), lt(from, next))
                from := add(values, and(shr(227, word), 0x1fe0))
                b := mul(mload(from), lt(from, next))
            }
            if (code < FIRST_OF_INTS) {
                if (code == Opcodes.FMUL) a = Float32.mul(a, b);
                else if (code == Opcodes.FADD) a = Float32.add(a, b);
                else if (code == Opcodes.FSUB) a = Float32.sub(a, b);
                else if (code == Opcodes.FMAX) a = Float32.max(a, b);
                else if (code == Opcodes.FSEL) a = Float32.canon(a != 0 ? b : _third(values, next, position));
                else a = _onFloats(code, a, b);
            } else {
                if (code == Opcodes.IADD) a = _sum(a, b);
                else if (code == Opcodes.IXOR) a ^= b;
                else if (code == Opcodes.IROTL) a = _rotated(a, b);
                else if (code == Opcodes.ISEL) a = a != 0 ? b : _third(values, next, position);
                else a = _onOthers(code, a, b);
            }
            assembly ("memory-safe") {
                mstore(next, a)
                next := add(next, 0x20)
                position := add(position, 4)
            }
        }
        return next;
    }

    /// @dev The third operand, which only FSEL and ISEL have.
    function _third(uint256 values, uint256 next, uint256 position) private pure returns (uint256 c) {
        assembly ("memory-safe") {
            let from := add(values, and(shr(219, mload(position)), 0x1fe0))
            c := mul(mload(from), lt(from, next))
        }
    }

    function _onFloats(uint256 code, uint256 a, uint256 b) private pure returns (uint256) {
        if (code == Opcodes.FMIN) return Float32.min(a, b);
        if (code == Opcodes.FLT) return Float32.less(a, b) ? 1 : 0;
        if (code == Opcodes.FDIV) return Float32.div(a, b);
        if (code == Opcodes.FABS) return Float32.abs(a);
        if (code == Opcodes.FFLOOR) return Float32.floor(a);
        if (code == Opcodes.FNEG) return Float32.neg(a);
        if (code == Opcodes.FLDEXP) return Float32.ldexp(a, b);
        if (code == Opcodes.FMANT) return Float32.mantissa(a);
        if (code == Opcodes.FEXP) return Float32.exponentOf(a);
        if (code == Opcodes.FSQRT) return Float32.sqrt(a);
        if (code == Opcodes.FEQ) return Float32.equal(a, b) ? 1 : 0;
        return 0;
    }

    function _onOthers(uint256 code, uint256 a, uint256 b) private pure returns (uint256 r) {
        // Shifts may set bits above the low 32; they are cut off at the end.
        unchecked {
            if (code == Opcodes.IAND) return a & b;
            if (code == Opcodes.ISHR) return a >> (b & 31);
            if (code == Opcodes.F2I) return Float32.toInt(a);
            if (code == Opcodes.I2F) return Float32.fromInt(a);
            if (code == Opcodes.IEQ) return a == b ? 1 : 0;
            if (code == Opcodes.IMUL) return (a * b) & WORD;
            if (code == Opcodes.ILT) return int32(uint32(a)) < int32(uint32(b)) ? 1 : 0;
            if (code == Opcodes.FBITS) return Float32.canon(a);
            if (code == Opcodes.ISUB) return (a - b) & WORD;
            if (code == Opcodes.ISHL) return (a << (b & 31)) & WORD;
            if (code == Opcodes.ISAR) return uint32(int32(uint32(a)) >> (b & 31));
            if (code == Opcodes.ULT) return a < b ? 1 : 0;
            if (code == Opcodes.IOR) return a | b;
            if (code == Opcodes.U2F) return Float32.fromUint(a);
            if (code == Opcodes.F2U) return Float32.toUint(a);
            if (code == Opcodes.BITSF) return Float32.canon(a);
            if (code == Opcodes.BAND) return a != 0 && b != 0 ? 1 : 0;
            if (code == Opcodes.BOR) return a != 0 || b != 0 ? 1 : 0;
            if (code == Opcodes.BNOT) return a == 0 ? 1 : 0;
            return 0;
        }
    }

    function _sum(uint256 a, uint256 b) private pure returns (uint256) {
        unchecked {
            return (a + b) & WORD;
        }
    }

    function _rotated(uint256 a, uint256 b) private pure returns (uint256) {
        a <<= b & 31;
        return (a | (a >> 32)) & WORD;
    }
}
