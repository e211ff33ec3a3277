// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Fields} from "./Fields.sol";

/// @title The sizes of a run, of the disputed graph and of the disputed kernel, as one word
library SizeWord {
    using Fields for uint256;

    uint256 private constant STEPS = 0;
    uint256 private constant COMMIT_EVERY = 1;
    uint256 private constant INPUTS = 2;
    uint256 private constant OUTPUTS = 3;
    uint256 private constant KERNELS = 4;
    uint256 private constant ELEMENTS = 5;
    uint256 private constant FOLD_LEAVES = 6;

    function ofRun(uint256 steps, uint256 every) internal pure returns (uint256 sizes) {
        return sizes.with(STEPS, steps).with(COMMIT_EVERY, every);
    }

    function withGraph(
        uint256 sizes,
        uint256 inputs_,
        uint256 outputs_,
        uint256 kernels_
    ) internal pure returns (uint256) {
        return sizes.with(INPUTS, inputs_).with(OUTPUTS, outputs_).with(KERNELS, kernels_);
    }

    /// @param leaves of the tree below an element, 0 where there is none
    function withKernel(uint256 sizes, uint256 elements_, uint256 leaves) internal pure returns (uint256) {
        return sizes.with(ELEMENTS, elements_).with(FOLD_LEAVES, leaves);
    }

    function commitEvery(uint256 sizes) internal pure returns (uint256) {
        return sizes.field(COMMIT_EVERY);
    }

    /// @return leaves of the segment tree: the initial state, and one a segment
    function segments(uint256 sizes) internal pure returns (uint256) {
        uint256 every = sizes.field(COMMIT_EVERY);
        return 1 + (sizes.field(STEPS) + every - 1) / every;
    }

    /// @return steps of segment 1, 2, …; the last one may be shorter
    function stepsOf(uint256 sizes, uint256 segment) internal pure returns (uint256) {
        uint256 every = sizes.field(COMMIT_EVERY);
        uint256 left = sizes.field(STEPS) - (segment - 1) * every;
        return left < every ? left : every;
    }

    function inputs(uint256 sizes) internal pure returns (uint256) {
        return sizes.field(INPUTS);
    }

    function outputs(uint256 sizes) internal pure returns (uint256) {
        return sizes.field(OUTPUTS);
    }

    function kernels(uint256 sizes) internal pure returns (uint256) {
        return sizes.field(KERNELS);
    }

    /// @return elements of the disputed kernel's output
    function elements(uint256 sizes) internal pure returns (uint256) {
        return sizes.field(ELEMENTS);
    }

    function foldLeaves(uint256 sizes) internal pure returns (uint256) {
        return sizes.field(FOLD_LEAVES);
    }
}
