// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MicroStep} from "../../contracts/libraries/MicroStep.sol";
import * as Opcodes from "../../contracts/libraries/Opcodes.sol";
import {PointBatch} from "./PointBatch.sol";
import {vm} from "./Vm.sol";

/// @dev Runs a program in memory, and among calldata, that are not clean.
contract UncleanHarness {
    function run(bytes calldata program, uint256[] calldata inputs, bytes calldata dirt) external pure returns (uint256) {
        uint256[] memory values = inputs;
        assembly ("memory-safe") {
            let from := mload(0x40)
            for {
                let position := 0
            } lt(position, 0x4000) {
                position := add(position, 0x20)
            } {
                mstore(add(from, position), not(0))
            }
        }
        assert(dirt.length > 0);
        uint256 free;
        uint256 freeAfter;
        uint256 zero;
        assembly ("memory-safe") {
            free := mload(0x40)
        }
        uint256 result = MicroStep.run(program, values);
        assembly ("memory-safe") {
            freeAfter := mload(0x40)
            zero := mload(0x60)
        }
        // The empty arrays of Solidity are at the word that is always zero.
        assert(freeAfter == free && zero == 0);
        return result;
    }

    /// @return used gas of a program after this many bytes of memory were taken
    function gasAfter(bytes calldata program, uint256[] calldata inputs, uint256 taken) external view returns (uint256 used) {
        uint256[] memory values = inputs;
        bytes memory memory_ = new bytes(taken);
        used = gasleft();
        MicroStep.run(program, values);
        used -= gasleft();
        assert(memory_.length == taken);
    }
}

contract MicroStepTest {
    string private constant FILE = "test/vectors/programs.json";
    uint256 private constant WORD = 0xffffffff;

    PointBatch private batch = new PointBatch();
    UncleanHarness private unclean = new UncleanHarness();

    function test_EveryProgramGivesTheOutputsOfTheDefinition() public view {
        string memory json = vm.readFile(FILE);
        bytes[] memory programs = vm.parseJsonBytesArray(json, ".programs");
        bytes[] memory inputs = vm.parseJsonBytesArray(json, ".inputs");
        bytes[] memory outputs = vm.parseJsonBytesArray(json, ".outputs");
        assert(programs.length > 100 && inputs.length == programs.length && outputs.length == programs.length);
        for (uint256 i = 0; i < programs.length; i++) {
            uint256 arity = uint8(programs[i][0]);
            bytes memory results = batch.run(programs[i], arity, outputs[i].length / 4, inputs[i]);
            assert(keccak256(results) == keccak256(outputs[i]));
        }
    }

    /// @dev Spec 3.7, clause by clause.
    function test_BytesThatAreNoProgramHaveAResultToo() public view {
        uint256[] memory two = new uint256[](2);
        (two[0], two[1]) = (0x3f800000, 0x80000000);
        uint256[] memory none = new uint256[](0);
        // No value at all.
        assert(_run(hex"", none) == 0);
        assert(_run(hex"0000000000000000", two) == 0);
        // Inputs: missing ones are 0, a float passes canon, an int has 32 bits.
        assert(_run(hex"01", two) == 0x3f800000);
        assert(_run(hex"02", two) == 0);
        assert(_run(hex"0202", two) == 0x80000000);
        assert(_run(hex"0302", two) == 0);
        two[1] = 2 ** 32 + 7;
        assert(_run(hex"0202", two) == 7);
        // A constant that is cut off, and one that is not canonical.
        assert(_run(hex"000000010000000012", none) == 0x12000000);
        assert(_run(hex"0000010000000000ffffffff", none) == WORD);
        // An unknown code; a value that is not before the instruction, its own among them.
        assert(_run(hex"02020000010000003b000100", two) == 0);
        assert(_run(hex"020200000100000011000100", two) == 0);
        assert(_run(hex"0202000001000000ff000100", two) == 0);
        assert(_run(hex"020200000100000020010200", two) == 7);
        assert(_run(hex"020200000100000020ff0100", two) == 7);
        // Operands of other types: an int that canon turns into 0, a bool that is 7, a float that is chosen
        // from ints.
        assert(_run(hex"02020000010000000100010000", two) == 0x3f800000);
        assert(_run(hex"02020000010000000e010001", two) == 0x3f800000);
        assert(_run(hex"02020000010000000e010100", two) == 0);
        assert(_run(hex"02020000010000003a010000", two) == 0);
        assert(_run(hex"020200000100000038010000", two) == 1);
    }

    function test_ANumberIsNotBelowItself() public view {
        uint256[3] memory orders = [Opcodes.FLT, Opcodes.ILT, Opcodes.ULT];
        uint256[] memory same = new uint256[](2);
        for (uint256 i = 0; i < 6; i++) {
            same[0] = same[1] = i % 2 == 0 ? 0x3f800000 : 0xbf800000;
            bytes memory program = abi.encodePacked(hex"0203000001000000", uint8(orders[i / 2]), hex"000100");
            assert(_run(program, same) == 0);
            same[1] = 0x40000000;
            // As an unsigned number, what is negative else is the larger one.
            assert(_run(program, same) == (i == 5 ? 0 : 1));
        }
    }

    function test_MemoryThatIsNotCleanIsNotRead() public view {
        uint256[] memory two = new uint256[](2);
        two[1] = 7;
        assert(unclean.run(hex"", two, hex"ff") == 0);
        assert(unclean.run(hex"0202", two, hex"ff") == 7);
        // The instruction's own value, the one after it, and the last one that can be named, as each of three
        // operands.
        for (uint256 i = 0; i < 3; i++) {
            bytes1 number = [bytes1(0x02), 0x03, 0xff][i];
            assert(unclean.run(abi.encodePacked(hex"020300000100000020", number, hex"0100"), two, hex"ff") == 7);
            assert(unclean.run(abi.encodePacked(hex"02030000010000002001", number, hex"00"), two, hex"ff") == 7);
            assert(unclean.run(abi.encodePacked(hex"02030000010000002a0001", number), two, hex"ff") == 0);
        }
    }

    /// @dev The memory of a program follows that of its caller at once. Further away it would cost more gas
    /// than a block has.
    function test_TheCallersMemoryCostsNoGas() public view {
        uint256[] memory two = new uint256[](2);
        uint256 alone = unclean.gasAfter(hex"020200000100000020010200", two, 0);
        assert(unclean.gasAfter(hex"020200000100000020010200", two, 0x8000) < alone + 1000);
    }

    function test_AProgramEndsWhereItsBytesEnd() public view {
        bytes[] memory programs = vm.parseJsonBytesArray(vm.readFile(FILE), ".programs");
        uint256[] memory inputs = new uint256[](2);
        (inputs[0], inputs[1]) = (0x3fb504f3, 5);
        for (uint256 i = 0; i < 18; i++) {
            for (uint256 to = 0; to < programs[i].length && to < 100; to++) {
                bytes memory part = new bytes(to);
                for (uint256 j = 0; j < to; j++) part[j] = programs[i][j];
                assert(batch.runPart(programs[i], to, inputs) == _run(part, inputs));
            }
        }
    }

    /// @dev As many values as a header can name: 255 of each kind; an instruction can only name the first
    /// 256.
    function test_TheLargestHeader() public view {
        uint256[] memory one = new uint256[](1);
        one[0] = 5;
        bytes memory program = abi.encodePacked(hex"ffffffffff000000", new bytes(255 * 8));
        for (uint256 i = 0; i < 255; i++) program = abi.encodePacked(program, hex"20000000");
        assert(_run(program, one) == 10);
        assert(_run(hex"ffffffffff000000", one) == 0);
    }

    function testFuzz_AnyBytesGiveAWord(bytes calldata program, uint256[] calldata inputs, bytes calldata dirt) public view {
        uint256 result = _run(program, inputs);
        assert(result <= WORD);
        assert(unclean.run(program, inputs, abi.encodePacked(dirt, hex"ff")) == result);
    }

    function testFuzz_WhateverFollowsTheLastInstructionIsLeftOut(uint256 pick, bytes calldata more, uint256 input) public view {
        bytes[] memory programs = vm.parseJsonBytesArray(vm.readFile(FILE), ".programs");
        bytes memory program = programs[pick % programs.length];
        uint256[] memory inputs = new uint256[](uint8(program[0]));
        for (uint256 i = 0; i < inputs.length; i++) inputs[i] = uint256(keccak256(abi.encode(input, i))) & WORD;
        uint256 result = _run(program, inputs);
        assert(_run(abi.encodePacked(program, more), inputs) == result);
        assert(unclean.run(program, inputs, hex"ff") == result);
    }

    function _run(bytes memory program, uint256[] memory inputs) private view returns (uint256 result) {
        (result, ) = batch.gasOf(program, inputs);
    }
}
