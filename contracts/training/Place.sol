// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Level, Place} from "../game/GameTypes.sol";
import {Fields} from "./Fields.sol";
import {CHUNK, OP, SEGMENT as SEGMENTS, STATE, STEP as STEPS} from "./TrainingTypes.sol";

/// @title Where in a run a dispute stands, as one word: indices of the levels that have been passed
library PlaceLib {
    uint256 private constant SEGMENT = 0;
    uint256 private constant STEP = 1;
    uint256 private constant KERNEL = 2;
    uint256 private constant ELEMENT = 3;
    uint256 private constant FOLD = 4;

    function segment(Place place) internal pure returns (uint256) {
        return Fields.field(Place.unwrap(place), SEGMENT);
    }

    /// @return the step within the segment, from 0
    function step(Place place) internal pure returns (uint256) {
        return Fields.field(Place.unwrap(place), STEP);
    }

    function kernel(Place place) internal pure returns (uint256) {
        return Fields.field(Place.unwrap(place), KERNEL);
    }

    /// @return the element in the kernel's output; if the state update is disputed, the entry of the state
    function element(Place place) internal pure returns (uint256) {
        return Fields.field(Place.unwrap(place), ELEMENT);
    }

    function fold(Place place) internal pure returns (uint256) {
        return Fields.field(Place.unwrap(place), FOLD);
    }

    /// @return place the place after a level was passed at `index`
    /// @param part number of the disputed element in a chunk
    function passing(Place place, Level level, uint256 index, uint256 part) internal pure returns (Place) {
        if (level == SEGMENTS) return _with(place, SEGMENT, index);
        if (level == STEPS) return _with(place, STEP, index);
        if (level == OP) return _with(place, KERNEL, index);
        if (level == STATE) return _with(place, ELEMENT, index);
        if (level == CHUNK) return _with(place, ELEMENT, 64 * index + part);
        return _with(place, FOLD, index);
    }

    function _with(Place place, uint256 index, uint256 value) private pure returns (Place) {
        return Place.wrap(Fields.with(Place.unwrap(place), index, value));
    }
}
