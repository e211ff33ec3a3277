// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Level, Position, Question} from "./GameTypes.sol";
import {TreeShape} from "./TreeShape.sol";

/// @notice Clocks and position of a dispute.
type GameWord is uint256;

using GameWordLib for GameWord global;

/// @title Clocks and position of a dispute as one word
/// @dev From the lowest bit: start of the turn, in seconds since 1970 (40 bits); seconds left on the two
/// clocks (32 each); the side to move (8); question (8); level (8); height (8); count (32); position (32).
library GameWordLib {
    uint256 private constant CLOCKS = 40;
    uint256 private constant CLOCK_BITS = 32;
    uint256 private constant TURN = 104;
    uint256 private constant QUESTION = 112;
    uint256 private constant LEVEL = 120;
    uint256 private constant HEIGHT = 128;
    uint256 private constant COUNT = 136;
    uint256 private constant POSITION = 168;

    function since(GameWord word) internal pure returns (uint256) {
        return uint40(GameWord.unwrap(word));
    }

    function clockOf(GameWord word, uint256 side) internal pure returns (uint256) {
        unchecked {
            return uint32(GameWord.unwrap(word) >> (CLOCKS + CLOCK_BITS * side));
        }
    }

    function turn(GameWord word) internal pure returns (uint256) {
        return uint8(GameWord.unwrap(word) >> TURN);
    }

    function question(GameWord word) internal pure returns (Question) {
        return Question(uint8(GameWord.unwrap(word) >> QUESTION));
    }

    function level(GameWord word) internal pure returns (Level) {
        return Level.wrap(uint8(GameWord.unwrap(word) >> LEVEL));
    }

    function height(GameWord word) internal pure returns (uint256) {
        return uint8(GameWord.unwrap(word) >> HEIGHT);
    }

    function count(GameWord word) internal pure returns (uint256) {
        return uint32(GameWord.unwrap(word) >> COUNT);
    }

    function position(GameWord word) internal pure returns (uint256) {
        return uint32(GameWord.unwrap(word) >> POSITION);
    }

    /// @return a new word: these clocks of side 0 and side 1, side 0 to move, position zero
    function start(uint256 first, uint256 second, uint256 time) internal pure returns (GameWord) {
        return GameWord.wrap(time | (first << CLOCKS) | (second << (CLOCKS + CLOCK_BITS)));
    }

    /// @return the word after the mover's turn: `left` on the mover's clock, and the other side to move since
    /// `time`
    function handedOver(GameWord word, uint256 left, uint256 time) internal pure returns (GameWord) {
        unchecked {
            uint256 clock = CLOCKS + CLOCK_BITS * turn(word);
            uint256 kept = GameWord.unwrap(word) & ~((uint256(type(uint32).max) << clock) | type(uint40).max);
            return GameWord.wrap((kept | (left << clock) | time) ^ (1 << TURN));
        }
    }

    function asksForChildren(GameWord word) internal pure returns (bool) {
        return uint8(GameWord.unwrap(word) >> QUESTION) == uint8(Question.Children);
    }

    /// @return whether there are four nodes two levels below
    function isDeep(GameWord word) internal pure returns (bool) {
        return TreeShape.isDeep(count(word), height(word), position(word));
    }

    /// @param way the number of the node, from 0 for the leftmost to 3
    /// @return the word with the position of one of the four nodes two levels below
    function descended(GameWord word, uint256 way) internal pure returns (GameWord) {
        unchecked {
            uint256 kept = GameWord.unwrap(word) & ((1 << POSITION) - 1);
            return GameWord.wrap((kept - (2 << HEIGHT)) | ((4 * position(word) + way) << POSITION));
        }
    }

    function positionOf(GameWord word) internal pure returns (Position memory p) {
        p.question = question(word);
        p.level = level(word);
        p.height = uint8(height(word));
        p.count = uint32(count(word));
        p.position = uint32(position(word));
    }

    /// @return the word with another position
    function placed(GameWord word, Position memory p) internal pure returns (GameWord) {
        uint256 bits = GameWord.unwrap(word) & ((1 << QUESTION) - 1);
        bits |= (uint256(uint8(p.question)) << QUESTION) | (uint256(Level.unwrap(p.level)) << LEVEL);
        bits |= (uint256(p.height) << HEIGHT) | (uint256(p.count) << COUNT) | (uint256(p.position) << POSITION);
        return GameWord.wrap(bits);
    }
}
