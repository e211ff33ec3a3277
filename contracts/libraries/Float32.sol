// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {leadingZeros} from "./LeadingZeros.sol";

/// @title The numbers vf32 (spec 2) and their arithmetic (spec 3.2), in integers
/// @notice A float is the pattern of a binary32 in the low 32 bits of a word. Every function takes its
/// operands through `canon`, so it has a result for any 32-bit patterns; results are canonical. Nothing here
/// reverts or loops. An int has 32 bits, a bool is 0 or 1.
/// @dev The unchecked arithmetic stays far from 2^256: significands have 24 bits, exponents have 9 bits and a
/// sign.
library Float32 {
    uint256 internal constant MIN_BITS = 0x01000000;
    uint256 internal constant MAX_BITS = 0x7f000000;

    uint256 private constant SIGN = 0x80000000;
    uint256 private constant MAGNITUDE = 0x7fffffff;
    uint256 private constant INFINITY = 0x7f800000;
    uint256 private constant FRACTION = 0x7fffff;
    /// @dev The leading bit of a significand, which a pattern does not store.
    uint256 private constant LEADING = 0x800000;
    uint256 private constant ONE = 0x3f800000;
    uint256 private constant MINUS_ONE = 0xbf800000;
    uint256 private constant WORD = 0xffffffff;
    /// @dev A magnitude m belongs to a nonzero canonical float if m - MIN_BITS is at most this.
    uint256 private constant SPAN = MAX_BITS - MIN_BITS;

    /// @notice spec 2.2
    function canon(uint256 x) internal pure returns (uint256 r) {
        assembly ("memory-safe") {
            let magnitude := and(x, 0x7fffffff)
            r := x
            if gt(sub(magnitude, 0x01000000), 0x7e000000) {
                // Too large, but no NaN: the maximum. Otherwise zero.
                r := mul(lt(sub(magnitude, 0x7f000001), 0x800000), or(0x7f000000, and(x, 0x80000000)))
            }
        }
    }

    /// @notice Magnitudes below `low` become +0, those above `high` become ±`high`; NaN becomes +0 (spec
    /// 4.3).
    /// @param low at least MIN_BITS
    /// @param high at most MAX_BITS
    function limit(uint256 x, uint256 low, uint256 high) internal pure returns (uint256) {
        uint256 magnitude = x & MAGNITUDE;
        if (magnitude < low || magnitude > INFINITY) return 0;
        return magnitude > high ? (x & SIGN) | high : x;
    }

    function add(uint256 a, uint256 b) internal pure returns (uint256 r) {
        bool rare;
        if ((a ^ b) & SIGN == 0) {
            assembly ("memory-safe") {
                let half := 0x3fffffffffffffffffffffffffffffffffffffffffffffffffffffffff
                let large := a
                let small := b
                if lt(a, b) {
                    large := b
                    small := a
                }
                // The sign stays above the exponent.
                let top := shr(23, large)
                // A shift by more than 230 leaves nothing. What it drops cannot change the rounding.
                let n := add(
                    shl(230, or(and(large, 0x7fffff), 0x800000)),
                    shl(sub(add(shr(23, small), 230), top), or(and(small, 0x7fffff), 0x800000))
                )
                // Moves the leading bit to 2^254 and the last bit that stays to 2^231.
                let lower := lt(n, 0x4000000000000000000000000000000000000000000000000000000000000000)
                n := shl(lower, n)
                r := add(shl(23, sub(top, lower)), shr(231, add(n, add(half, and(shr(231, n), 1)))))
                // The common case: the larger operand is from 2^-95 to 2^97. A smaller operand that is no
                // float is too small to change the sum.
                rare := iszero(and(add(large, 0x10000000), 0x60000000))
            }
        } else {
            uint256 n;
            uint256 top;
            assembly ("memory-safe") {
                let large := a
                let small := xor(b, 0x80000000)
                if lt(a, small) {
                    large := b
                    small := xor(a, 0x80000000)
                }
                top := shr(23, small)
                // Exact: both operands are from 2^-63 to 2^65.
                n := sub(
                    shl(sub(shr(23, large), top), or(and(large, 0x7fffff), 0x800000)),
                    or(and(small, 0x7fffff), 0x800000)
                )
                rare := iszero(mul(n, and(and(add(large, 0x20000000), add(small, 0x20000000)), 0x40000000)))
            }
            uint256 zeros = leadingZeros(n);
            assembly ("memory-safe") {
                let half := 0x3fffffffffffffffffffffffffffffffffffffffffffffffffffffffff
                n := shl(sub(zeros, 1), n)
                r := add(shl(23, sub(add(top, 231), zeros)), shr(231, add(n, add(half, and(shr(231, n), 1)))))
            }
        }
        if (rare) return _addAny(a, b);
    }

    function sub(uint256 a, uint256 b) internal pure returns (uint256) {
        // If b is +0, the flipped pattern is -0, which counts as +0.
        return add(a, b ^ SIGN);
    }

    function mul(uint256 a, uint256 b) internal pure returns (uint256 r) {
        bool rare;
        assembly ("memory-safe") {
            let product := mul(or(and(a, 0x7fffff), 0x800000), or(and(b, 0x7fffff), 0x800000))
            // Now 2^47 ≤ product < 2^48, and the last bit that stays is 2^24.
            let lower := lt(product, 0x800000000000)
            product := shl(lower, product)
            let x := and(a, 0x7f800000)
            let y := and(b, 0x7f800000)
            r := add(
                sub(add(x, y), shl(23, lower)),
                // The constant subtracts 127 from the exponent, and adds half of the last bit, less one.
                sar(24, add(add(product, and(shr(24, product), 1)), 0xffffffffffffffffffffffffffffffffffffffffffffffffffc08000007fffff))
            )
            // The common case: everything is from 2^-61 to 2^67, so nothing is zero or at an end of the
            // range.
            rare := gt(or(or(sub(x, 0x21000000), sub(y, 0x21000000)), sub(r, 0x21000000)), 0x3fffffff)
            r := or(r, and(xor(a, b), 0x80000000))
        }
        if (rare) return _mulAny(a, b);
    }

    /// @notice x/0 is ±2^127 by the sign of x, and 0/0 is 0.
    function div(uint256 a, uint256 b) internal pure returns (uint256) {
        unchecked {
            (a, b) = (canon(a), canon(b));
            if (a == 0) return 0;
            if (b == 0) return (a & SIGN) | MAX_BITS;
            // The quotient has 59 bits or more. The quotient of 24 bits by 24 bits is never a tie, and stays
            // 2^-50 away from any tie. So the bits that are cut off do not matter.
            uint256 quotient = (((a & FRACTION) | LEADING) << 60) / ((b & FRACTION) | LEADING);
            return _round((a ^ b) & SIGN, ((a >> 23) & 0xff) - ((b >> 23) & 0xff) + 321, quotient);
        }
    }

    /// @notice Returns 0 for x below 0.
    function sqrt(uint256 x) internal pure returns (uint256) {
        unchecked {
            x = canon(x);
            if (x == 0 || x & SIGN != 0) return 0;
            // Half of an odd exponent would be a fraction, so one factor 2 moves into the radicand.
            uint256 exponent = x >> 23;
            uint256 radicand = ((x & FRACTION) | LEADING) << (32 + (exponent & 1));
            // A root is never a tie. So it only matters whether there is anything after its first 27 bits. If
            // there is nothing, one more bit changes nothing.
            uint256 root = Math.sqrt(radicand) | 1;
            return _round(0, (exponent >> 1) + 290, root);
        }
    }

    function neg(uint256 x) internal pure returns (uint256) {
        x = canon(x);
        return x == 0 ? 0 : x ^ SIGN;
    }

    function abs(uint256 x) internal pure returns (uint256) {
        return canon(x) & MAGNITUDE;
    }

    function min(uint256 a, uint256 b) internal pure returns (uint256) {
        return canon(less(b, a) ? b : a);
    }

    function max(uint256 a, uint256 b) internal pure returns (uint256) {
        return canon(less(a, b) ? b : a);
    }

    /// @notice The largest integer not above x.
    function floor(uint256 x) internal pure returns (uint256) {
        unchecked {
            x = canon(x);
            uint256 magnitude = x & MAGNITUDE;
            if (magnitude < ONE) return x & SIGN == 0 ? 0 : MINUS_ONE;
            uint256 exponent = magnitude >> 23;
            if (exponent >= 150) return x;
            uint256 below = (1 << (150 - exponent)) - 1;
            // A carry from the fraction gives the next power of two, which is correct.
            if (x & SIGN != 0) x += below;
            return x & ~below;
        }
    }

    /// @notice x · 2^n
    /// @param n a signed int, any
    function ldexp(uint256 x, uint256 n) internal pure returns (uint256) {
        unchecked {
            x = canon(x);
            if (x == 0) return 0;
            int256 magnitude = int256(x & MAGNITUDE) + int256(int32(uint32(n))) * int256(LEADING);
            if (magnitude < int256(MIN_BITS)) return 0;
            return (x & SIGN) | (magnitude > int256(MAX_BITS) ? MAX_BITS : uint256(magnitude));
        }
    }

    /// @return m in [1, 2) with the sign of x = m · 2^e; 0 for x = 0
    function mantissa(uint256 x) internal pure returns (uint256 m) {
        x = canon(x);
        return x == 0 ? 0 : (x & (SIGN | FRACTION)) | ONE;
    }

    /// @return e of x = m · 2^e, a signed int; 0 for x = 0
    function exponentOf(uint256 x) internal pure returns (uint256 e) {
        unchecked {
            x = canon(x);
            return x == 0 ? 0 : (((x >> 23) & 0xff) - 127) & WORD;
        }
    }

    function equal(uint256 a, uint256 b) internal pure returns (bool) {
        return canon(a) == canon(b);
    }

    function less(uint256 a, uint256 b) internal pure returns (bool below) {
        bool rare;
        assembly ("memory-safe") {
            // Nonzero if the operand is neither 0 nor canonical.
            let oddA := mul(a, gt(sub(and(a, 0x7fffffff), 0x01000000), 0x7e000000))
            let oddB := mul(b, gt(sub(and(b, 0x7fffffff), 0x01000000), 0x7e000000))
            rare := gt(or(oddA, oddB), 0)
        }
        if (rare) (a, b) = (canon(a), canon(b));
        assembly ("memory-safe") {
            // Patterns are ordered as floats are, once those of negative floats are reversed and placed below
            // the others.
            let s := shr(31, a)
            let t := shr(31, b)
            below := lt(xor(a, sub(shl(s, 0x80000000), s)), xor(b, sub(shl(t, 0x80000000), t)))
        }
    }

    /// @notice The float nearest to a signed int, ties to even.
    function fromInt(uint256 i) internal pure returns (uint256) {
        unchecked {
            return i & SIGN == 0 ? fromUint(i) : SIGN | fromUint(2 ** 32 - i);
        }
    }

    /// @notice The float nearest to an unsigned int, ties to even.
    function fromUint(uint256 i) internal pure returns (uint256) {
        return i == 0 ? 0 : _round(0, 381, i);
    }

    /// @return i a signed int: x without its fraction, at most 2^31 - 1 and at least -2^31
    function toInt(uint256 x) internal pure returns (uint256 i) {
        unchecked {
            x = canon(x);
            uint256 whole = _whole(x);
            if (x & SIGN != 0) return (0 - (whole > SIGN ? SIGN : whole)) & WORD;
            return whole > MAGNITUDE ? MAGNITUDE : whole;
        }
    }

    /// @return i an unsigned int: x without its fraction, at most 2^32 - 1; 0 for x below 0
    function toUint(uint256 x) internal pure returns (uint256 i) {
        x = canon(x);
        if (x & SIGN != 0) return 0;
        i = _whole(x);
        if (i > WORD) i = WORD;
    }

    /// @dev The sum by its definition, for any operands.
    function _addAny(uint256 a, uint256 b) private pure returns (uint256) {
        unchecked {
            // In most cases it is a 0 that leads here.
            if (a & MAGNITUDE == 0) return canon(b);
            if (b & MAGNITUDE == 0) return canon(a);
            (a, b) = (canon(a), canon(b));
            if (a == 0) return b;
            if (b == 0) return a;
            if (a & MAGNITUDE < b & MAGNITUDE) (a, b) = (b, a);
            uint256 exponent = (a >> 23) & 0xff;
            uint256 large = ((a & FRACTION) | LEADING) << 230;
            uint256 small = (((b & FRACTION) | LEADING) << 230) >> (exponent - ((b >> 23) & 0xff));
            return _round(a & SIGN, exponent + 1, (a ^ b) & SIGN == 0 ? large + small : large - small);
        }
    }

    /// @dev The product by its definition, for any operands.
    function _mulAny(uint256 a, uint256 b) private pure returns (uint256) {
        unchecked {
            // In most cases it is a 0 that leads here.
            if (a == 0 || b == 0) return 0;
            (a, b) = (canon(a), canon(b));
            if (a == 0 || b == 0) return 0;
            uint256 product = ((a & FRACTION) | LEADING) * ((b & FRACTION) | LEADING);
            return _round((a ^ b) & SIGN, ((a >> 23) & 0xff) + ((b >> 23) & 0xff) + 81, product);
        }
    }

    /// @dev |x| without its fraction, for a canonical x.
    function _whole(uint256 x) private pure returns (uint256) {
        unchecked {
            uint256 significand = (x & FRACTION) | LEADING;
            uint256 exponent = (x >> 23) & 0xff;
            return exponent < 150 ? significand >> (150 - exponent) : significand << (exponent - 150);
        }
    }

    /// @dev Computes ±significand · 2^(exponent - 381), rounded to 24 bits, ties to even, then canonical.
    /// @param significand below 2^255; if it is 0, the exponent must be below 258
    function _round(uint256 sign, uint256 exponent, uint256 significand) private pure returns (uint256 r) {
        uint256 zeros = leadingZeros(significand);
        assembly ("memory-safe") {
            // Moves the leading bit to 2^254 and the last bit that stays to 2^231.
            let n := shl(sub(zeros, 1), significand)
            let half := 0x3fffffffffffffffffffffffffffffffffffffffffffffffffffffffff
            // The leading bit adds one to the exponent; a carry from the rounding adds one more.
            r := add(shl(23, sub(exponent, zeros)), shr(231, add(n, add(half, and(shr(231, n), 1)))))
            switch lt(sub(r, 0x01000000), 0x7e000001)
            case 1 {
                r := or(r, sign)
            }
            default {
                r := mul(sgt(r, 0x7f000000), or(0x7f000000, sign))
            }
        }
    }
}
