// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TensorType} from "../libraries/TensorType.sol";

/// @title What a dispute has to know of a kernel before it comes to the bottom: its output's type, and the length of its folds (spec 5.3)
library KernelHead {
    uint256 private constant FOLD = 2;
    uint256 private constant MAX_LENGTH = 2 ** 22;

    /// @notice The bytes are no kernel.
    error NoKernel(bytes kernel);

    /// @return the encoded type of the output
    function typeOf(bytes calldata kernel) internal pure returns (bytes calldata) {
        require(kernel.length >= 3, NoKernel(kernel));
        uint256 end = 3 + 4 * uint256(uint8(kernel[2]));
        require(kernel.length >= end, NoKernel(kernel));
        return kernel[1:end];
    }

    /// @return elements of the output
    /// @return length steps of a fold, 0 for a kernel of another kind
    function sizes(bytes calldata kernel) internal pure returns (uint256 elements, uint256 length) {
        bytes calldata encoded = typeOf(kernel);
        elements = TensorType.elements(encoded);
        if (uint8(kernel[0]) != FOLD) return (elements, 0);
        // Behind the type: the start (4 bytes), the number of axes (1), their extents (4 each).
        uint256 from = 1 + encoded.length + 5;
        require(kernel.length >= from, NoKernel(kernel));
        uint256 end = from + 4 * uint256(uint8(kernel[from - 1]));
        require(kernel.length >= end, NoKernel(kernel));
        length = 1;
        for (; from < end; from += 4) {
            length *= uint32(bytes4(kernel[from:from + 4]));
            require(length <= MAX_LENGTH, NoKernel(kernel));
        }
    }
}
