// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Sizes} from "../game/GameTypes.sol";
import {Fields} from "./Fields.sol";

/// @title The sizes of a run, of the disputed graph and of the disputed kernel, as one word
library SizesLib {
    uint256 private constant STEPS = 0;
    uint256 private constant COMMIT_EVERY = 1;
    uint256 private constant INPUTS = 2;
    uint256 private constant OUTPUTS = 3;
    uint256 private constant KERNELS = 4;
    uint256 private constant ELEMENTS = 5;
    uint256 private constant FOLD_LEAVES = 6;
    uint256 private constant LISTS = 7;

    function ofRun(uint256 steps, uint256 every) internal pure returns (Sizes) {
        return Sizes.wrap(Fields.with(Fields.with(0, STEPS, steps), COMMIT_EVERY, every));
    }

    /// @param count lists of the dataset; 0 if it is one list, and no list of lists (spec 6.5)
    function withLists(Sizes sizes, uint256 count) internal pure returns (Sizes) {
        return Sizes.wrap(Fields.with(Sizes.unwrap(sizes), LISTS, count));
    }

    function withGraph(
        Sizes sizes,
        uint256 inputs_,
        uint256 outputs_,
        uint256 kernels_
    ) internal pure returns (Sizes) {
        uint256 word = Fields.with(Sizes.unwrap(sizes), INPUTS, inputs_);
        return Sizes.wrap(Fields.with(Fields.with(word, OUTPUTS, outputs_), KERNELS, kernels_));
    }

    /// @param leaves of the tree below an element; 0 if there is no such tree
    function withKernel(Sizes sizes, uint256 elements_, uint256 leaves) internal pure returns (Sizes) {
        uint256 word = Fields.with(Sizes.unwrap(sizes), ELEMENTS, elements_);
        return Sizes.wrap(Fields.with(word, FOLD_LEAVES, leaves));
    }

    function commitEvery(Sizes sizes) internal pure returns (uint256) {
        return _field(sizes, COMMIT_EVERY);
    }

    /// @return leaves of the segment tree: the initial state, and one for each segment
    function segments(Sizes sizes) internal pure returns (uint256) {
        uint256 every = _field(sizes, COMMIT_EVERY);
        return 1 + (_field(sizes, STEPS) + every - 1) / every;
    }

    /// @return training steps of a segment from 1 on; the last segment may be shorter
    function stepsOf(Sizes sizes, uint256 segment) internal pure returns (uint256) {
        uint256 every = _field(sizes, COMMIT_EVERY);
        uint256 left = _field(sizes, STEPS) - (segment - 1) * every;
        return left < every ? left : every;
    }

    function inputs(Sizes sizes) internal pure returns (uint256) {
        return _field(sizes, INPUTS);
    }

    function outputs(Sizes sizes) internal pure returns (uint256) {
        return _field(sizes, OUTPUTS);
    }

    function kernels(Sizes sizes) internal pure returns (uint256) {
        return _field(sizes, KERNELS);
    }

    /// @return elements of the disputed kernel's output
    function elements(Sizes sizes) internal pure returns (uint256) {
        return _field(sizes, ELEMENTS);
    }

    function foldLeaves(Sizes sizes) internal pure returns (uint256) {
        return _field(sizes, FOLD_LEAVES);
    }

    function lists(Sizes sizes) internal pure returns (uint256) {
        return _field(sizes, LISTS);
    }

    function _field(Sizes sizes, uint256 index) private pure returns (uint256) {
        return Fields.field(Sizes.unwrap(sizes), index);
    }
}
