// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Float32} from "../../contracts/libraries/Float32.sol";
import {Float32Operations} from "./Float32Operations.sol";
import {vm} from "./Vm.sol";

contract Float32Test is Float32Operations {
    uint256 private constant SIGN = 0x80000000;
    uint256 private constant INFINITY = 0x7f800000;

    bytes[] private encoded;

    function setUp() public {
        encoded = vm.parseJsonBytesArray(vm.readFile("test/vectors/floats.json"), ".encoded");
        assert(encoded.length == 23);
    }

    function test_EveryVectorHasItsBits() public view {
        for (uint256 i = 0; i < encoded.length; i++) {
            bytes memory row = encoded[i];
            function(uint256, uint256) internal pure returns (uint256) operation = operationOf(uint8(row[0]));
            assert(row.length > 3000);
            for (uint256 from = 1; from < row.length; from += 12)
                assert(operation(_word(row, from), _word(row, from + 4)) == _word(row, from + 8));
        }
    }

    function testFuzz_CanonGivesCanonicalFloats(uint32 x) public pure {
        uint256 y = Float32.canon(x);
        uint256 magnitude = y & ~SIGN;
        assert(y == 0 || (magnitude >= Float32.MIN_BITS && magnitude <= Float32.MAX_BITS));
        assert(Float32.canon(y) == y);
        if (y != 0) assert(x & SIGN == y & SIGN && x & ~SIGN <= INFINITY);
        else assert(x & ~SIGN < Float32.MIN_BITS || x & ~SIGN > INFINITY);
    }

    /// @dev No caller has to pass canonical operands: every result is canonical, and equals the result for
    /// the canonical operands.
    function testFuzz_OperandsPassCanon(uint8 pick, uint32 a, uint32 b) public pure {
        uint8[10] memory codes = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
        function(uint256, uint256) internal pure returns (uint256) operation = operationOf(codes[pick % 10]);
        uint256 y = operation(a, b);
        assert(y == Float32.canon(y));
        assert(y == operation(Float32.canon(a), Float32.canon(b)));
    }

    function testFuzz_SumsAndProductsCommute(uint32 a, uint32 b) public pure {
        assert(Float32.add(a, b) == Float32.add(b, a));
        assert(Float32.mul(a, b) == Float32.mul(b, a));
        assert(Float32.sub(a, b) == Float32.neg(Float32.sub(b, a)));
        assert(Float32.add(a, 0) == Float32.canon(a) && Float32.mul(a, 0x3f800000) == Float32.canon(a));
        assert(Float32.sub(a, a) == 0 && Float32.mul(a, 0) == 0);
    }

    function testFuzz_DivisionUndoesPowersOfTwo(uint32 a, uint8 exponent) public pure {
        uint256 power = uint256(exponent) << 23;
        if (power == 0 || Float32.canon(power) != power) return;
        int32 n = int32(uint32(exponent)) - 127;
        assert(Float32.mul(a, power) == Float32.ldexp(a, uint32(n)));
        assert(Float32.div(a, power) == Float32.ldexp(a, uint32(-n)));
    }

    function testFuzz_OrderIsTotal(uint32 a, uint32 b) public pure {
        uint256 ways = Float32.less(a, b) ? 1 : 0;
        if (Float32.less(b, a)) ways++;
        if (Float32.equal(a, b)) ways++;
        assert(ways == 1);
        (uint256 low, uint256 high) = (Float32.min(a, b), Float32.max(a, b));
        assert(!Float32.less(high, low));
        assert(Float32.less(a, b) == (Float32.sub(a, b) & SIGN != 0) || Float32.sub(a, b) == 0);
    }

    function test_ComparingTakesTheFirstPatternAfterTheRangeForItsEnd() public pure {
        assert(!Float32.less(0x7f000000, 0x7f000001) && !Float32.less(0x7f000001, 0x7f000000));
        assert(!Float32.less(0xff000000, 0xff000001) && !Float32.less(0xff000001, 0xff000000));
        assert(!Float32.less(0, 0x00ffffff) && !Float32.less(0x80ffffff, 0) && !Float32.less(0x80000000, 0));
        assert(Float32.less(0, 0x01000000) && Float32.less(0x81000000, 0x80000000));
    }

    function testFuzz_ScalingAndSplittingAreExact(uint32 x) public pure {
        assert(Float32.ldexp(Float32.mantissa(x), Float32.exponentOf(x)) == Float32.canon(x));
    }

    function testFuzz_IntegersOf24BitsSurviveTheRoundTrip(uint32 i) public pure {
        uint256 small = i & 0xffffff;
        assert(Float32.toUint(Float32.fromUint(small)) == small);
        assert(Float32.toInt(Float32.fromInt(small)) == small);
        assert(Float32.toInt(Float32.neg(Float32.fromInt(small))) == (2 ** 32 - small) % 2 ** 32);
        assert(Float32.floor(Float32.fromInt(i)) == Float32.fromInt(i));
    }

    function testFuzz_FloorIsTheLargestIntegerNotAbove(uint32 x) public pure {
        uint256 low = Float32.floor(x);
        assert(!Float32.less(x, low));
        if (low & ~SIGN < 0x4b000000) assert(Float32.less(x, Float32.add(low, 0x3f800000)));
    }

    /// @dev Sums of integers, computed without the library.
    function testFuzz_SumsOfIntegersAreTheNearest(int24 i, int24 j, uint8 shift) public pure {
        shift %= 27;
        int256 exact = int256(i) * int256(2 ** shift) + j;
        assert(Float32.add(_scaled(i, shift), _nearest(j)) == _nearest(exact));
        assert(Float32.sub(_nearest(j), _scaled(i, shift)) == _nearest(j - int256(i) * int256(2 ** shift)));
    }

    /// @dev Half a unit in the last place more or less, and the neighbours of that.
    function testFuzz_TiesGoToTheEvenOne(uint24 fraction, uint8 shift, uint8 which) public pure {
        shift = 2 + (shift % 23);
        int256 large = int256(uint256(fraction | 0x800000)) * int256(2 ** shift);
        int256 small = int256(2 ** (shift - 1)) + int256(uint256(which % 3)) - 1;
        assert(Float32.add(_nearest(large), _nearest(small)) == _nearest(large + small));
        assert(Float32.sub(_nearest(large), _nearest(small)) == _nearest(large - small));
        assert(Float32.add(_nearest(-large), _nearest(small)) == _nearest(small - large));
        assert(Float32.fromUint(uint256((large + small) % 2 ** 32)) == _nearest((large + small) % 2 ** 32));
    }

    function testFuzz_ProductsOfIntegersAreTheNearest(int24 i, int24 j) public pure {
        assert(Float32.mul(_nearest(i), _nearest(j)) == _nearest(int256(i) * j));
        // 13 bits times 12 bits that end in 1: half of the products are ties.
        (int256 a, int256 b) = (int256(i) | 0x1001, int256(j) | 0x801);
        (a, b) = (a % 0x2000, b % 0x1000);
        assert(Float32.mul(_nearest(a), _nearest(b)) == _nearest(a * b));
    }

    /// @dev The slow way gives the same bits as the fast one, so only gas shows which way is taken.
    function test_OrdinaryOperandsTakeTheFastWay() public view {
        // Exponents for which the fast way is safe: at both ends and between.
        uint32[2][6] memory sums = [
            [uint32(0x3faf5c29), 0x3e99999a],
            [uint32(0x3e99999a), 0x3faf5c29],
            [uint32(0x20400000), 0x20000000],
            [uint32(0x5fc00000), 0x5f800000],
            [uint32(0x5f800000), 0x20000000],
            [uint32(0x20000001), 0x5fffffff]
        ];
        for (uint256 i = 0; i < 6; i++)
            for (uint256 signs = 0; signs < 4; signs++) {
                uint256 a = sums[i][0] | ((signs & 1) << 31);
                uint256 b = sums[i][1] | ((signs >> 1) << 31);
                assert(_isShort(Float32.add, a, b, 0x72800001, 0xf2800003));
                assert(_isShort(Float32.sub, a, b, 0x72800001, 0x72800003));
            }
        uint32[2][6] memory products = [
            [uint32(0x3faf5c29), 0x3e99999a],
            [uint32(0x21000000), 0x5f800000],
            [uint32(0x5f800000), 0x21000000],
            [uint32(0x60800000), 0x3f800000],
            [uint32(0x3f800000), 0x60ffffff],
            [uint32(0x3f800000), 0x21000000]
        ];
        for (uint256 i = 0; i < 6; i++)
            for (uint256 signs = 0; signs < 4; signs++) {
                uint256 a = products[i][0] | ((signs & 1) << 31);
                uint256 b = products[i][1] | ((signs >> 1) << 31);
                assert(_isShort(Float32.mul, a, b, 0x72800001, 0x72800001));
            }
        assert(_isShort(operationOf(0x10), 0x3f800000, 0xbf800000, 0x7f800000, 0x7f800000));
        // Operands of one sign: a larger one from 2^-95 to 2^97, and any smaller one.
        assert(_isShort(Float32.add, 0x10000000, 0, 0x72800001, 0xf2800003));
        assert(_isShort(Float32.add, 0x01000000, 0x6fffffff, 0x72800001, 0xf2800003));
    }

    function _isShort(
        function(uint256, uint256) internal pure returns (uint256) operation,
        uint256 a,
        uint256 b,
        uint256 longA,
        uint256 longB
    ) private view returns (bool) {
        return 4 * _gas(operation, a, b) < 3 * _gas(operation, longA, longB);
    }

    function _gas(
        function(uint256, uint256) internal pure returns (uint256) operation,
        uint256 a,
        uint256 b
    ) private view returns (uint256) {
        uint256 before = gasleft();
        operation(a, b);
        return before - gasleft();
    }

    /// @dev i · 2^shift, which is exact.
    function _scaled(int256 i, uint256 shift) private pure returns (uint256) {
        return _nearest(i * int256(2 ** shift));
    }

    /// @return x the float nearest to an integer, ties to even
    function _nearest(int256 i) private pure returns (uint256 x) {
        if (i == 0) return 0;
        uint256 magnitude = uint256(i < 0 ? -i : i);
        uint256 unit = 1;
        while (magnitude / unit >= 2 ** 24) unit *= 2;
        uint256 quotient = magnitude / unit;
        uint256 twice = 2 * (magnitude % unit);
        if (twice > unit || (twice == unit && quotient % 2 == 1)) quotient++;
        uint256 exponent = 150;
        for (; unit > 1; unit /= 2) exponent++;
        if (quotient == 2 ** 24) (quotient, exponent) = (2 ** 23, exponent + 1);
        for (; quotient < 2 ** 23; quotient *= 2) exponent--;
        return (i < 0 ? SIGN : 0) + exponent * 2 ** 23 + quotient - 2 ** 23;
    }

    function _word(bytes memory data, uint256 from) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := shr(224, mload(add(add(data, 0x20), from)))
        }
    }
}
