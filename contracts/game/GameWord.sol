// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Level, Position, Question} from "./GameTypes.sol";
import {Rounds} from "./Rounds.sol";

/// @title Clocks and position of a dispute as one word
/// @dev From the lowest bit: when the turn began, in seconds since 1970 (40 bits); seconds left on the two clocks (32 each); the side to
/// move (8); question (8); level (8); height (8); count (32); position (32).
library GameWord {
    uint256 private constant CLOCKS = 40;
    uint256 private constant CLOCK_BITS = 32;
    uint256 private constant TURN = 104;
    uint256 private constant QUESTION = 112;
    uint256 private constant LEVEL = 120;
    uint256 private constant HEIGHT = 128;
    uint256 private constant COUNT = 136;
    uint256 private constant POSITION = 168;

    function since(uint256 word) internal pure returns (uint256) {
        return uint40(word);
    }

    function clockOf(uint256 word, uint256 side) internal pure returns (uint256) {
        unchecked {
            return uint32(word >> (CLOCKS + CLOCK_BITS * side));
        }
    }

    function turn(uint256 word) internal pure returns (uint256) {
        return uint8(word >> TURN);
    }

    function question(uint256 word) internal pure returns (Question) {
        return Question(uint8(word >> QUESTION));
    }

    function level(uint256 word) internal pure returns (Level) {
        return Level(uint8(word >> LEVEL));
    }

    function height(uint256 word) internal pure returns (uint256) {
        return uint8(word >> HEIGHT);
    }

    function count(uint256 word) internal pure returns (uint256) {
        return uint32(word >> COUNT);
    }

    function position(uint256 word) internal pure returns (uint256) {
        return uint32(word >> POSITION);
    }

    /// @return a new word: full clocks, side 0 to move, and the position at zero
    function start(uint256 clock, uint256 time) internal pure returns (uint256) {
        return time | (clock << CLOCKS) | (clock << (CLOCKS + CLOCK_BITS));
    }

    /// @return the word after the mover has used its turn: `left` on its clock, and the other side to move since `time`
    function handedOver(uint256 word, uint256 left, uint256 time) internal pure returns (uint256) {
        unchecked {
            uint256 clock = CLOCKS + CLOCK_BITS * turn(word);
            uint256 kept = word & ~((uint256(type(uint32).max) << clock) | type(uint40).max);
            return (kept | (left << clock) | time) ^ (1 << TURN);
        }
    }

    function asksForChildren(uint256 word) internal pure returns (bool) {
        return uint8(word >> QUESTION) == uint8(Question.Children);
    }

    /// @return whether four nodes stand two levels below
    function isDeep(uint256 word) internal pure returns (bool) {
        return Rounds.isDeep(count(word), height(word), position(word));
    }

    /// @return whether four nodes stand two levels below that are shown as such, and not by what they commit to
    function asksForNodes(uint256 word) internal pure returns (bool) {
        return isDeep(word) && (height(word) > 2 || uint8(word >> LEVEL) == uint8(Level.Chunk));
    }

    /// @param way from 0 for the leftmost to 3
    /// @return the word two levels lower, at one of the four nodes there
    function descended(uint256 word, uint256 way) internal pure returns (uint256) {
        unchecked {
            uint256 kept = word & ((1 << POSITION) - 1);
            return (kept - (2 << HEIGHT)) | ((4 * position(word) + way) << POSITION);
        }
    }

    function positionOf(uint256 word) internal pure returns (Position memory p) {
        p.question = question(word);
        p.level = level(word);
        p.height = uint8(height(word));
        p.count = uint32(count(word));
        p.position = uint32(position(word));
    }

    /// @return the word with another position
    function placed(uint256 word, Position memory p) internal pure returns (uint256) {
        word &= (1 << QUESTION) - 1;
        word |= (uint256(uint8(p.question)) << QUESTION) | (uint256(uint8(p.level)) << LEVEL);
        return word | (uint256(p.height) << HEIGHT) | (uint256(p.count) << COUNT) | (uint256(p.position) << POSITION);
    }
}
