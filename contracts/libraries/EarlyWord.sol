// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Terms} from "./Terms.sol";

/// @notice The terms that the early states need, packed, so that their calls need not carry the terms.
type EarlyWord is uint256;

using EarlyWordLib for EarlyWord global;

/// @title Terms of the early states as one word
/// @dev From the lowest bit: stake (80), providers (8), whether the game decides at once (8), whether seats
/// have a policy (8), and four periods (32 each).
library EarlyWordLib {
    /// @dev Without a committee a dispute goes to the game at once.
    function pack(Terms calldata terms) internal pure returns (EarlyWord) {
        bool byGame = terms.committee == address(0);
        uint256 word = byGame ? terms.periods.toPlay : terms.periods.toJudge;
        word = (word << 32) | terms.periods.toChallenge;
        word = (word << 32) | terms.periods.toReveal;
        word = (word << 32) | terms.periods.toCommit;
        word = (word << 8) | (terms.seatPolicy == address(0) ? 0 : 1);
        word = (word << 8) | (byGame ? 1 : 0);
        word = (word << 8) | terms.providers;
        return EarlyWord.wrap((word << 80) | terms.stake);
    }

    function stake(EarlyWord word) internal pure returns (uint256) {
        return uint80(EarlyWord.unwrap(word));
    }

    function providers(EarlyWord word) internal pure returns (uint256) {
        return uint8(EarlyWord.unwrap(word) >> 80);
    }

    function byGame(EarlyWord word) internal pure returns (bool) {
        return (EarlyWord.unwrap(word) >> 88) & 1 == 1;
    }

    function hasPolicy(EarlyWord word) internal pure returns (bool) {
        return (EarlyWord.unwrap(word) >> 96) & 1 == 1;
    }

    function toCommit(EarlyWord word) internal pure returns (uint256) {
        return uint32(EarlyWord.unwrap(word) >> 104);
    }

    function toReveal(EarlyWord word) internal pure returns (uint256) {
        return uint32(EarlyWord.unwrap(word) >> 136);
    }

    function toChallenge(EarlyWord word) internal pure returns (uint256) {
        return uint32(EarlyWord.unwrap(word) >> 168);
    }

    /// @return until the verdict of whoever decides first
    function toDecide(EarlyWord word) internal pure returns (uint256) {
        return uint32(EarlyWord.unwrap(word) >> 200);
    }
}
