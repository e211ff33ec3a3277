// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {KernelHead} from "../../contracts/training/KernelHead.sol";
import {vm} from "./Vm.sol";

contract KernelHeadTest {
    function sizes(bytes calldata kernel) external pure returns (uint256 elements, uint256 leaves) {
        return KernelHead.sizes(kernel);
    }

    function foldLength(bytes calldata kernel) external pure returns (uint256) {
        return KernelHead.foldLength(kernel);
    }

    /// @dev The length times the number of arguments decides (spec 7.1).
    function test_aFoldIsShortUpToEightReads() public view {
        for (uint256 length = 1; length <= 10; length++)
            for (uint256 arguments_ = 0; arguments_ <= 9; arguments_++) {
                (uint256 elements, uint256 leaves) = this.sizes(_fold(abi.encodePacked(uint32(length)), arguments_));
                bool isShort = length * (arguments_ == 0 ? 1 : arguments_) <= 8;
                assert(elements == 6 && leaves == (isShort ? 0 : length));
            }
    }

    function test_anAxisWithoutElementsMakesAFoldWithoutSteps() public view {
        bytes memory axes = abi.encodePacked(uint32(1 << 22), uint32(4), uint32(0));
        (, uint256 leaves) = this.sizes(_fold(axes, 2));
        assert(leaves == 0 && this.foldLength(_fold(axes, 2)) == 0);
        axes = abi.encodePacked(uint32(1 << 11), uint32(1 << 11));
        (, leaves) = this.sizes(_fold(axes, 2));
        assert(leaves == 1 << 22 && this.foldLength(_fold(axes, 2)) == 1 << 22);
    }

    function test_aKernelOfAnotherKindHasNoFold() public view {
        bytes memory map = hex"010102000000020000000300000000";
        (uint256 elements, uint256 leaves) = this.sizes(map);
        assert(elements == 6 && leaves == 0 && this.foldLength(map) == 0);
    }

    function test_whatIsCutIsNoKernel() public {
        bytes memory kernel = _fold(abi.encodePacked(uint32(3)), 2);
        for (uint256 length = 1; length < kernel.length - 2; length++) {
            bytes memory cut = this.cut(kernel, length);
            vm.expectRevert(abi.encodeWithSelector(KernelHead.NoKernel.selector, cut));
            this.sizes(cut);
        }
        bytes memory long = _fold(abi.encodePacked(uint32(1 << 22), uint32(2)), 2);
        vm.expectRevert(abi.encodeWithSelector(KernelHead.NoKernel.selector, long));
        this.sizes(long);
    }

    /// @dev What is read ends before the kernel does, and what comes then does not matter.
    function test_aKernelHasToHoldWhatIsRead() public view {
        (uint256 elements, uint256 leaves) = this.sizes(hex"010100");
        assert(elements == 1 && leaves == 0);
        (elements, leaves) = this.sizes(hex"0101020000000200000003");
        assert(elements == 6 && leaves == 0);
        assert(this.foldLength(hex"0201000000000000") == 1);
        assert(this.foldLength(this.cut(_fold(abi.encodePacked(uint32(3)), 2), 20)) == 3);
    }

    /// @dev A product of so many extents has more than 256 bits.
    function test_aLongFoldIsNoKernelHoweverLongItIs() public {
        bytes memory axes;
        for (uint256 i = 0; i < 9; i++) axes = bytes.concat(axes, hex"ffffffff");
        bytes memory kernel = _fold(axes, 1);
        vm.expectRevert(abi.encodeWithSelector(KernelHead.NoKernel.selector, kernel));
        this.foldLength(kernel);
        assert(this.foldLength(_fold(bytes.concat(axes, hex"00000000"), 1)) == 0);
    }

    function cut(bytes calldata kernel, uint256 length) external pure returns (bytes memory) {
        return kernel[:length];
    }

    /// @dev Two by three elements, a program of eight bytes, and arguments of which only the number is read.
    function _fold(bytes memory axes, uint256 arguments_) private pure returns (bytes memory) {
        bytes memory head = abi.encodePacked(bytes3(0x020102), uint32(2), uint32(3), uint32(0), uint8(axes.length / 4));
        return abi.encodePacked(head, axes, uint32(8), uint64(0), uint8(arguments_), uint16(0));
    }
}
