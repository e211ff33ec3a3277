// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Question} from "./GameTypes.sol";
import {GameWord} from "./GameWord.sol";

/// @notice How long moves may take, in seconds.
/// @param clock what each side has for all its moves together
/// @param response what a side has for each move, even if its clock has less left
/// @param recompute the same for a move that may need a training step to be recomputed. Every move is one,
/// except a move from children to children
struct Pace {
    uint32 clock;
    uint32 response;
    uint32 recompute;
}

/// @title Chess clocks with a guaranteed response time
/// @notice A side's clock runs while that side has to move. A turn may last as long as the clock has left, or
/// the guaranteed time if that is longer. A side that always plays as late as it can prolongs a dispute by
/// the guaranteed times of its moves, and by no more.
library Clocks {
    /// @return the last second of the turn
    function deadline(GameWord word, uint256 response, uint256 recompute) internal pure returns (uint256) {
        Question question = word.question();
        uint256 least = question == Question.Children ? response : recompute;
        uint256 clock = word.clockOf(word.turn());
        if (question == Question.Bottom) clock = _max(clock, word.clockOf(1 - word.turn()));
        // The sums of a 40-bit and a 32-bit number.
        unchecked {
            return word.since() + _max(clock, least);
        }
    }

    /// @notice Ends a turn: takes its time from the mover's clock, and starts the clock of the other side.
    function pass(GameWord word) internal view returns (GameWord) {
        uint256 used = block.timestamp - word.since();
        uint256 clock = word.clockOf(word.turn());
        return word.handedOver(clock > used ? clock - used : 0, block.timestamp);
    }

    function _max(uint256 a, uint256 b) private pure returns (uint256) {
        return a > b ? a : b;
    }
}
