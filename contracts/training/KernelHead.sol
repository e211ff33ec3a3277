// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TensorType} from "../libraries/TensorType.sol";

/// @title What a dispute has to know of a kernel before it reaches the bottom: its output's type, and the
/// length of its folds (spec 5.3)
library KernelHead {
    uint256 private constant FOLD = 2;
    uint256 private constant MAX_LENGTH = 2 ** 22;
    /// @dev The most reads of a fold that is executed whole (spec 7.1).
    uint256 private constant WHOLE_READS = 8;

    /// @notice The bytes are no kernel. A kernel of a graph that is not refused never causes this error: it
    /// is as long as its counts say, and no fold is longer (src/graph/codec.ts,
    /// src/repops/kernels/kernel.ts).
    error NoKernel(bytes kernel);

    /// @return the encoded type of the output
    function typeOf(bytes calldata kernel) internal pure returns (bytes calldata) {
        require(kernel.length >= 3, NoKernel(kernel));
        uint256 end = 3 + 4 * uint256(uint8(kernel[2]));
        require(kernel.length >= end, NoKernel(kernel));
        return kernel[1:end];
    }

    /// @return elements of the output
    /// @return leaves of the tree below an element: the steps of a fold; 0 for a short fold, and for a kernel
    /// of another kind
    function sizes(bytes calldata kernel) internal pure returns (uint256 elements, uint256 leaves) {
        elements = TensorType.elements(typeOf(kernel));
        uint256 end;
        (leaves, end) = _fold(kernel);
        if (leaves == 0 || leaves > WHOLE_READS) return (elements, leaves);
        // After the axes: the program with its length (4 bytes), the number of arguments (1).
        require(kernel.length >= end + 4, NoKernel(kernel));
        end += 4 + uint32(bytes4(kernel[end:end + 4]));
        require(kernel.length > end, NoKernel(kernel));
        uint256 arguments_ = uint8(kernel[end]);
        if (leaves * (arguments_ > 0 ? arguments_ : 1) <= WHOLE_READS) leaves = 0;
    }

    /// @return length steps of a fold, 0 for a kernel of another kind
    function foldLength(bytes calldata kernel) internal pure returns (uint256 length) {
        (length, ) = _fold(kernel);
    }

    /// @return length steps of a fold, 0 for a kernel of another kind
    /// @return end end of the axes that it folds over
    function _fold(bytes calldata kernel) private pure returns (uint256 length, uint256 end) {
        if (uint8(kernel[0]) != FOLD) return (0, 0);
        // After the type: the start (4 bytes), the number of axes (1), their extents (4 each).
        uint256 from = 1 + typeOf(kernel).length + 5;
        require(kernel.length >= from, NoKernel(kernel));
        end = from + 4 * uint256(uint8(kernel[from - 1]));
        require(kernel.length >= end, NoKernel(kernel));
        length = 1;
        for (; from < end; from += 4) {
            length *= uint32(bytes4(kernel[from:from + 4]));
            // An extent of zero may follow.
            if (length > MAX_LENGTH) length = MAX_LENGTH + 1;
        }
        require(length <= MAX_LENGTH, NoKernel(kernel));
    }
}
