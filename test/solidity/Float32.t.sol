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
            for (uint256 at = 1; at < row.length; at += 12)
                assert(operation(_word(row, at), _word(row, at + 4)) == _word(row, at + 8));
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

    /// @dev What nobody may rely on canonical operands for: every result is canonical, and is that of the canonical operands.
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

    function testFuzz_ScalingAndSplittingAreExact(uint32 x) public pure {
        assert(Float32.ldexp(Float32.mantissa(x), Float32.exponentOf(x)) == Float32.canon(x));
    }

    function testFuzz_IntegersOf24BitsComeBack(uint32 i) public pure {
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

    function _word(bytes memory data, uint256 at) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := shr(224, mload(add(add(data, 0x20), at)))
        }
    }
}
