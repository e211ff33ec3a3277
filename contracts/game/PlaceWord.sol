// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Level} from "./GameTypes.sol";
import {Fields} from "./Fields.sol";

/// @title Where in a run a dispute stands, as one word: indices of the levels that have been passed
library PlaceWord {
    using Fields for uint256;

    uint256 private constant SEGMENT = 0;
    uint256 private constant STEP = 1;
    uint256 private constant KERNEL = 2;
    uint256 private constant ELEMENT = 3;
    uint256 private constant FOLD = 4;

    function segment(uint256 place) internal pure returns (uint256) {
        return place.field(SEGMENT);
    }

    /// @return the step within the segment, from 0
    function step(uint256 place) internal pure returns (uint256) {
        return place.field(STEP);
    }

    function kernel(uint256 place) internal pure returns (uint256) {
        return place.field(KERNEL);
    }

    /// @return the element in the kernel's output; or the entry of the state, when its assembly is disputed
    function element(uint256 place) internal pure returns (uint256) {
        return place.field(ELEMENT);
    }

    function fold(uint256 place) internal pure returns (uint256) {
        return place.field(FOLD);
    }

    /// @return place after a level was passed at `index`
    /// @param part in a chunk, the element that counts
    function passing(uint256 place, Level level, uint256 index, uint256 part) internal pure returns (uint256) {
        if (level == Level.Segment) return place.with(SEGMENT, index);
        if (level == Level.Step) return place.with(STEP, index);
        if (level == Level.Op) return place.with(KERNEL, index);
        if (level == Level.State) return place.with(ELEMENT, index);
        if (level == Level.Chunk) return place.with(ELEMENT, 64 * index + part);
        return place.with(FOLD, index);
    }
}
