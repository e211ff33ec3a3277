// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {leadingZeros} from "../../contracts/libraries/LeadingZeros.sol";
import {leadingZeros as portable} from "../../contracts/portable/LeadingZeros.sol";
import {SelfTest} from "../../contracts/libraries/SelfTest.sol";

contract LeadingZerosTest {
    function test_CountsToTheHighestBit() public pure {
        assert(leadingZeros(0) == 256 && portable(0) == 256);
        for (uint256 i = 0; i < 256; i++) {
            uint256 power = 1 << i;
            assert(leadingZeros(power) == 255 - i && portable(power) == 255 - i);
            assert(portable(power | (power - 1)) == 255 - i);
        }
    }

    function testFuzz_BothCountTheSame(uint256 word, uint8 shift) public pure {
        assert(portable(word >> shift) == leadingZeros(word >> shift));
    }

    function test_ThisChainPassesTheSelfTest() public pure {
        SelfTest.checkWords();
        SelfTest.checkFloats();
    }
}
