// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Point, PointInput, ClampRange} from "../../contracts/libraries/KernelPoint.sol";
import {PointBatch} from "./PointBatch.sol";
import {vm} from "./Vm.sol";

contract KernelPointTest {
    string private constant FILE = "test/vectors/kernels.json";

    PointBatch private batch = new PointBatch();
    /// @dev The position of the next word of a vector.
    uint256 private position;

    function test_StepsOfEveryKernelReadAndGiveWhatTheDefinitionSays() public {
        string memory json = vm.readFile(FILE);
        bytes[] memory kernels = vm.parseJsonBytesArray(json, ".kernels");
        bytes[] memory points = vm.parseJsonBytesArray(json, ".points");
        assert(kernels.length > 100 && points.length == kernels.length);
        for (uint256 i = 0; i < kernels.length; i++) {
            assert(!batch.isGather(kernels[i]));
            position = 0;
            while (position < points[i].length) _checkStep(kernels[i], points[i]);
        }
    }

    function test_GathersChooseTheElementsOfTheDefinition() public {
        string memory json = vm.readFile(FILE);
        bytes[] memory kernels = vm.parseJsonBytesArray(json, ".gathers");
        bytes[] memory choices = vm.parseJsonBytesArray(json, ".choices");
        assert(kernels.length > 0 && choices.length == kernels.length);
        for (uint256 i = 0; i < kernels.length; i++) {
            bytes memory words = choices[i];
            position = 0;
            assert(batch.isGather(kernels[i]));
            (uint256 source, uint256 index, uint256 fill) = batch.gather(kernels[i]);
            assert(source == _next(words) && index == _next(words) && fill == _next(words));
            uint256 indexRank = _next(words);
            uint256 rows = _next(words);
            while (position < words.length) {
                uint256 element = _next(words);
                assert(batch.gatherIndex(kernels[i], element, indexRank) == _next(words));
                (bool exists, uint256 sourceElement) =
                    batch.gatherSource(kernels[i], element, _next(words), indexRank, rows);
                assert((exists ? 1 : 0) == _next(words) && sourceElement == _next(words));
            }
        }
    }

    function testFuzz_AnyBytesHaveAStep(
        bytes calldata kernel,
        uint32 element,
        uint32 k,
        uint32 accumulator,
        uint256[] calldata operands
    ) public view {
        (uint256 result, , ) = batch.step(kernel, element, k, accumulator, operands);
        assert(result < 2 ** 32);
        batch.gather(kernel);
        batch.gatherIndex(kernel, element, k);
        batch.gatherSource(kernel, element, accumulator, k, element);
    }

    function testFuzz_AChangedKernelHasAStep(
        uint256 pick,
        uint256 byteAt,
        bytes1 to,
        uint256 cut,
        uint32 element,
        uint32 k
    ) public view {
        bytes[] memory kernels = vm.parseJsonBytesArray(vm.readFile(FILE), ".kernels");
        bytes memory kernel = kernels[pick % kernels.length];
        kernel[byteAt % kernel.length] = to;
        cut = cut % (4 * kernel.length);
        if (cut < kernel.length)
            assembly ("memory-safe") {
                mstore(kernel, cut)
            }
        uint256[] memory none = new uint256[](0);
        (uint256 result, , ) = batch.step(kernel, element, k, 0, none);
        assert(result < 2 ** 32);
        Point memory p = batch.reads(kernel, element, k);
        assert(p.programFrom <= p.programTo && p.programTo <= kernel.length);
        Point memory among = batch.readsAmong(kernel, element, k, _dirt());
        assert(keccak256(abi.encode(p)) == keccak256(abi.encode(among)));
    }

    function testFuzz_WhateverFollowsTheLastArgIsLeftOut(
        uint256 pick,
        bytes calldata more,
        uint32 element,
        uint32 k
    ) public view {
        bytes[] memory kernels = vm.parseJsonBytesArray(vm.readFile(FILE), ".kernels");
        bytes memory kernel = kernels[pick % kernels.length];
        Point memory p = batch.reads(kernel, element, k);
        Point memory longer = batch.reads(abi.encodePacked(kernel, more), element, k);
        assert(keccak256(abi.encode(p)) == keccak256(abi.encode(longer)));
    }

    function test_AKernelEndsWhereItsBytesEnd() public view {
        bytes[] memory kernels = vm.parseJsonBytesArray(vm.readFile(FILE), ".kernels");
        for (uint256 i = 0; i < kernels.length; i += 16) {
            bytes memory kernel = kernels[i];
            for (uint256 to = 0; to < kernel.length && to < 400; to++) {
                bytes memory part = new bytes(to);
                for (uint256 j = 0; j < to; j++) part[j] = kernel[j];
                Point memory p = batch.readsPart(kernel, to, 77, 5);
                assert(keccak256(abi.encode(p)) == keccak256(abi.encode(batch.reads(part, 77, 5))));
            }
        }
    }

    /// @dev A number with a missing byte counts as 0: here the fill of a view.
    function test_NumbersThatAreCutOff() public view {
        bytes memory kernel = hex"01010000000008010000000000000001010000000500000000030001" hex"3f8000";
        Point memory p = batch.reads(kernel, 0, 0);
        assert(p.inputs[0].isRead && p.inputs[0].element == 3 && p.inputs[0].bits == 0);
    }

    /// @dev A view with two strides over a space without axes, and with bounds about 0 and about 1.
    function test_AxesThatTheSpaceLacksAreAtZero() public view {
        bytes memory head = hex"010100000000080100000000000000010100000005000000000302";
        bytes memory strides = hex"0000000700000009";
        bytes memory fill = hex"3f800000";
        bytes memory inside = hex"0100000000000000010000000000000001";
        bytes memory outside = hex"0100000000000000010000000100000002";
        Point memory p = batch.reads(abi.encodePacked(head, strides, inside, fill), 0, 0);
        assert(p.inputs[0].isRead && p.inputs[0].tensor == 5 && p.inputs[0].element == 3);
        p = batch.reads(abi.encodePacked(head, strides, outside, fill), 0, 0);
        assert(!p.inputs[0].isRead && p.inputs[0].bits == 0x3f800000);
    }

    /// @dev A fold over four steps for an output without axes: axis 0 is one that it folds over.
    function test_OnlyAnAxisOfTheOutputHasACoordinate() public view {
        bytes memory fold = hex"020100000000000100000004_0000000801010000000000000102";
        Point memory p = batch.reads(bytes.concat(fold, hex"00"), 0, 2);
        assert(p.isFold && p.inputs.length == 1 && !p.inputs[0].isRead && p.inputs[0].bits == 0);
    }

    /// @dev Longer than anything that a kernel could read after its end.
    function _dirt() private pure returns (bytes memory dirt) {
        dirt = new bytes(8192);
        for (uint256 i = 0; i < dirt.length; i += 32)
            assembly ("memory-safe") {
                mstore(add(add(dirt, 0x20), i), not(0))
            }
    }

    function _checkStep(bytes memory kernel, bytes memory words) private {
        uint256 element = _next(words);
        uint256 k = _next(words);
        uint256 accumulator = _next(words);
        uint256 result = _next(words);
        Point memory p = batch.reads(kernel, element, k);
        assert(p.inputs.length == _next(words));
        uint256[] memory operands = new uint256[](p.inputs.length);
        uint256 reads = 0;
        for (uint256 i = 0; i < p.inputs.length; i++) {
            PointInput memory input = p.inputs[i];
            bool isRead = _next(words) == 1;
            assert(input.isRead == isRead && input.clampRange == ClampRange(_next(words)));
            uint256 tensor = _next(words);
            uint256 sourceElement = _next(words);
            if (isRead) assert(input.tensor == tensor && input.element == sourceElement);
            uint256 bits = _next(words);
            if (!isRead) assert(input.bits == bits);
            uint256 operand = _next(words);
            if (isRead) operands[reads++] = operand;
        }
        (uint256 got, , ) = batch.step(kernel, element, k, accumulator, operands);
        assert(got == result);
        if (p.isFold) assert(batch.fold(kernel, element, k, k + 1, accumulator, operands) == result);
    }

    function _next(bytes memory words) private returns (uint256 word) {
        uint256 from = position;
        assembly ("memory-safe") {
            word := shr(224, mload(add(add(words, 0x20), from)))
        }
        position = from + 4;
    }
}
