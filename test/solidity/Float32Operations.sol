// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Float32} from "../../contracts/libraries/Float32.sol";

/// @dev The operations of Float32 by their codes (spec 3.2), for tests. An operation on one operand ignores
/// the second.
abstract contract Float32Operations {
    uint256 internal constant NOTHING = 0;
    uint256 internal constant DOT_RANGE = 0xfe;
    uint256 internal constant SUM_RANGE = 0xfd;

    error NoSuchOperation(uint256 code);

    function operationOf(
        uint256 code
    ) internal pure returns (function(uint256, uint256) internal pure returns (uint256)) {
        if (code == NOTHING) return _nothing;
        if (code == 0x01) return Float32.add;
        if (code == 0x02) return Float32.sub;
        if (code == 0x03) return Float32.mul;
        if (code == 0x04) return Float32.div;
        if (code == 0x05) return _sqrt;
        if (code == 0x06) return _neg;
        if (code == 0x07) return _abs;
        if (code == 0x08) return Float32.min;
        if (code == 0x09) return Float32.max;
        if (code == 0x0a) return _floor;
        if (code == 0x0b) return Float32.ldexp;
        if (code == 0x0c) return _mantissa;
        if (code == 0x0d) return _exponentOf;
        if (code == 0x0f) return _equal;
        if (code == 0x10) return _less;
        if (code == 0x30) return _fromInt;
        if (code == 0x31) return _fromUint;
        if (code == 0x32) return _toInt;
        if (code == 0x33) return _toUint;
        if (code == 0x34 || code == 0x35) return _canon;
        if (code == DOT_RANGE) return _dotRange;
        if (code == SUM_RANGE) return _sumRange;
        revert NoSuchOperation(code);
    }

    function _nothing(uint256 x, uint256) private pure returns (uint256) {
        return x;
    }

    function _sqrt(uint256 x, uint256) private pure returns (uint256) {
        return Float32.sqrt(x);
    }

    function _neg(uint256 x, uint256) private pure returns (uint256) {
        return Float32.neg(x);
    }

    function _abs(uint256 x, uint256) private pure returns (uint256) {
        return Float32.abs(x);
    }

    function _floor(uint256 x, uint256) private pure returns (uint256) {
        return Float32.floor(x);
    }

    function _mantissa(uint256 x, uint256) private pure returns (uint256) {
        return Float32.mantissa(x);
    }

    function _exponentOf(uint256 x, uint256) private pure returns (uint256) {
        return Float32.exponentOf(x);
    }

    function _equal(uint256 a, uint256 b) private pure returns (uint256) {
        return Float32.equal(a, b) ? 1 : 0;
    }

    function _less(uint256 a, uint256 b) private pure returns (uint256) {
        return Float32.less(a, b) ? 1 : 0;
    }

    function _fromInt(uint256 i, uint256) private pure returns (uint256) {
        return Float32.fromInt(i);
    }

    function _fromUint(uint256 i, uint256) private pure returns (uint256) {
        return Float32.fromUint(i);
    }

    function _toInt(uint256 x, uint256) private pure returns (uint256) {
        return Float32.toInt(x);
    }

    function _toUint(uint256 x, uint256) private pure returns (uint256) {
        return Float32.toUint(x);
    }

    function _canon(uint256 x, uint256) private pure returns (uint256) {
        return Float32.canon(x);
    }

    function _dotRange(uint256 x, uint256) private pure returns (uint256) {
        return Float32.limit(x, 0x26000000, 0x59000000);
    }

    function _sumRange(uint256 x, uint256) private pure returns (uint256) {
        return Float32.limit(x, 0x0c800000, 0x72800000);
    }
}
