// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Float32} from "./Float32.sol";

/// @title The interpreter of scalar programs (spec 3.2 to 3.4)
/// @notice Gives the bits of src/repops/programs/interpret.ts for every canonical program, and a defined result for any bytes whatever (spec
/// 3.7): whoever writes a job can't write a step that nobody can prove. It never reverts, and runs at most 255 instructions.
/// @dev Values are words of 32 bits: the pattern of a float, an int, or 0 and 1. What is frequent is asked for first.
library MicroStep {
    uint256 private constant HEADER = 8;
    uint256 private constant WORD = 0xffffffff;

    uint256 private constant FADD = 0x01;
    uint256 private constant FSUB = 0x02;
    uint256 private constant FMUL = 0x03;
    uint256 private constant FDIV = 0x04;
    uint256 private constant FSQRT = 0x05;
    uint256 private constant FNEG = 0x06;
    uint256 private constant FABS = 0x07;
    uint256 private constant FMIN = 0x08;
    uint256 private constant FMAX = 0x09;
    uint256 private constant FFLOOR = 0x0a;
    uint256 private constant FLDEXP = 0x0b;
    uint256 private constant FMANT = 0x0c;
    uint256 private constant FEXP = 0x0d;
    uint256 private constant FSEL = 0x0e;
    uint256 private constant FEQ = 0x0f;
    uint256 private constant FLT = 0x10;
    uint256 private constant IADD = 0x20;
    uint256 private constant ISUB = 0x21;
    uint256 private constant IMUL = 0x22;
    uint256 private constant IAND = 0x23;
    uint256 private constant IOR = 0x24;
    uint256 private constant IXOR = 0x25;
    uint256 private constant ISHL = 0x26;
    uint256 private constant ISHR = 0x27;
    uint256 private constant ISAR = 0x28;
    uint256 private constant IROTL = 0x29;
    uint256 private constant ISEL = 0x2a;
    uint256 private constant IEQ = 0x2b;
    uint256 private constant ILT = 0x2c;
    uint256 private constant ULT = 0x2d;
    uint256 private constant I2F = 0x30;
    uint256 private constant U2F = 0x31;
    uint256 private constant F2I = 0x32;
    uint256 private constant F2U = 0x33;
    uint256 private constant FBITS = 0x34;
    uint256 private constant BITSF = 0x35;
    uint256 private constant BAND = 0x38;
    uint256 private constant BOR = 0x39;
    uint256 private constant BNOT = 0x3a;
    /// @dev Codes of instructions on floats alone are below.
    uint256 private constant FIRST_OF_INTS = 0x20;

    /// @param program encoded (spec 3.4)
    /// @param inputs a pattern each, in the low 32 bits; those that are missing are 0, those too many are left out
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
            // Nothing that was allocated is used again.
            mstore(0x40, free)
        }
    }

    /// @dev Brings program, inputs and constants into memory.
    /// @return values where value 0 stands, a word each; there is room for all
    /// @return next where the value of the first instruction belongs
    /// @return position where the first instruction stands, in 4 bytes each
    /// @return end of the instructions
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
            // What is missing is 0, which is what is read behind the end of the calldata.
            calldatacopy(add(position, length), calldatasize(), sub(size, length))
            end := add(position, size)
            // The last instruction is loaded as a word, which begins 4 bytes before its end.
            values := and(add(end, 0x3f), not(0x1f))
            next := values
            mstore(0x40, add(values, shl(5, count)))
        }
        // Those of the inputs that are given; bit i of the mask: input i is an int.
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

    /// @return where the value behind the last one would stand
    function _execute(uint256 values, uint256 next, uint256 position, uint256 end) private pure returns (uint256) {
        while (position < end) {
            uint256 code;
            uint256 a;
            uint256 b;
            assembly ("memory-safe") {
                // Four bytes: the code and three numbers of values. A value that does not stand before this one is 0.
                let word := mload(position)
                code := byte(0, word)
                let from := add(values, and(shr(235, word), 0x1fe0))
                a := mul(mload(from), lt(from, next))
                from := add(values, and(shr(227, word), 0x1fe0))
                b := mul(mload(from), lt(from, next))
            }
            if (code < FIRST_OF_INTS) {
                if (code == FMUL) a = Float32.mul(a, b);
                else if (code == FADD) a = Float32.add(a, b);
                else if (code == FSUB) a = Float32.sub(a, b);
                else if (code == FMAX) a = Float32.max(a, b);
                else if (code == FSEL) a = Float32.canon(a != 0 ? b : _third(values, next, position));
                else a = _onFloats(code, a, b);
            } else {
                if (code == IADD) a = _sum(a, b);
                else if (code == IXOR) a ^= b;
                else if (code == IROTL) a = _rotated(a, b);
                else if (code == ISEL) a = a != 0 ? b : _third(values, next, position);
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

    /// @dev The third operand, which only a choice has.
    function _third(uint256 values, uint256 next, uint256 position) private pure returns (uint256 c) {
        assembly ("memory-safe") {
            let from := add(values, and(shr(219, mload(position)), 0x1fe0))
            c := mul(mload(from), lt(from, next))
        }
    }

    function _onFloats(uint256 code, uint256 a, uint256 b) private pure returns (uint256) {
        if (code == FMIN) return Float32.min(a, b);
        if (code == FLT) return Float32.less(a, b) ? 1 : 0;
        if (code == FDIV) return Float32.div(a, b);
        if (code == FABS) return Float32.abs(a);
        if (code == FFLOOR) return Float32.floor(a);
        if (code == FNEG) return Float32.neg(a);
        if (code == FLDEXP) return Float32.ldexp(a, b);
        if (code == FMANT) return Float32.mantissa(a);
        if (code == FEXP) return Float32.exponentOf(a);
        if (code == FSQRT) return Float32.sqrt(a);
        if (code == FEQ) return Float32.equal(a, b) ? 1 : 0;
        return 0;
    }

    function _onOthers(uint256 code, uint256 a, uint256 b) private pure returns (uint256 r) {
        // Shifts may bring bits above the 32; they are cut off at the end.
        unchecked {
            if (code == IAND) return a & b;
            if (code == ISHR) return a >> (b & 31);
            if (code == F2I) return Float32.toInt(a);
            if (code == I2F) return Float32.fromInt(a);
            if (code == IEQ) return a == b ? 1 : 0;
            if (code == IMUL) return (a * b) & WORD;
            if (code == ILT) return int32(uint32(a)) < int32(uint32(b)) ? 1 : 0;
            if (code == FBITS) return Float32.canon(a);
            if (code == ISUB) return (a - b) & WORD;
            if (code == ISHL) return (a << (b & 31)) & WORD;
            if (code == ISAR) return uint32(int32(uint32(a)) >> (b & 31));
            if (code == ULT) return a < b ? 1 : 0;
            if (code == IOR) return a | b;
            if (code == U2F) return Float32.fromUint(a);
            if (code == F2U) return Float32.toUint(a);
            if (code == BITSF) return Float32.canon(a);
            if (code == BAND) return a != 0 && b != 0 ? 1 : 0;
            if (code == BOR) return a != 0 || b != 0 ? 1 : 0;
            if (code == BNOT) return a == 0 ? 1 : 0;
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
