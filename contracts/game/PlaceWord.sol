// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Level} from "./GameTypes.sol";

/// @title Where in a run a dispute stands, as one word
/// @dev 32 bits each, from the lowest: index of the segment; of the step within the segment; of the kernel; of the state's entry, or of
/// the element in the kernel's output; of the fold. Then the fold's length (0 for what does not fold) and the number of elements.
library PlaceWord {
    uint256 private constant BITS = 32;
    uint256 private constant SEGMENT = 0;
    uint256 private constant STEP = 1;
    uint256 private constant KERNEL = 2;
    uint256 private constant ELEMENT = 3;
    uint256 private constant FOLD = 4;
    uint256 private constant FOLD_LENGTH = 5;
    uint256 private constant ELEMENTS = 6;

    function segment(uint256 place) internal pure returns (uint256) {
        return _get(place, SEGMENT);
    }

    function kernel(uint256 place) internal pure returns (uint256) {
        return _get(place, KERNEL);
    }

    function foldLength(uint256 place) internal pure returns (uint256) {
        return _get(place, FOLD_LENGTH);
    }

    function elements(uint256 place) internal pure returns (uint256) {
        return _get(place, ELEMENTS);
    }

    /// @return place after a level was passed at `index`
    /// @param part in a chunk, the element that counts
    function passing(uint256 place, Level level, uint256 index, uint256 part) internal pure returns (uint256) {
        if (level == Level.Segment) return _with(place, SEGMENT, index);
        if (level == Level.Step) return _with(place, STEP, index);
        if (level == Level.Op) return _with(place, KERNEL, index);
        if (level == Level.State) return _with(place, ELEMENT, index);
        if (level == Level.Chunk) return _with(place, ELEMENT, 64 * index + part);
        return _with(place, FOLD, index);
    }

    /// @return place below a kernel with an output of `elements_` elements and folds of `length`
    function within(uint256 place, uint256 elements_, uint256 length) internal pure returns (uint256) {
        return _with(_with(place, ELEMENTS, elements_), FOLD_LENGTH, length);
    }

    function _get(uint256 place, uint256 field) private pure returns (uint256) {
        return uint32(place >> (BITS * field));
    }

    /// @dev The field was zero before.
    function _with(uint256 place, uint256 field, uint256 value) private pure returns (uint256) {
        return place | (value << (BITS * field));
    }
}
