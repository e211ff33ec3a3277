// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Phase, State, Task} from "../interfaces/ITaskManager.sol";

/// @notice A task, packed.
type TaskWord is uint256;

using TaskWordLib for TaskWord global;

/// @title A task as one word
/// @dev Reading and writing the struct field by field would cost about 4,000 gas more for each transaction.
library TaskWordLib {
    /// @dev There are fewer than 256 seats, so the count stays in its byte.
    uint256 internal constant ONE_COMMITTED = 1 << 64;

    function pack(Task memory t) internal pure returns (TaskWord word) {
        word = TaskWord.wrap(uint256(uint8(t.state)) | (uint256(uint8(t.phase)) << 8) | (uint256(t.deadline) << 16));
        word = TaskWord.wrap(
            ((uint256(t.seats) << 56) | (uint256(t.committed) << 64) | (uint256(t.challenges) << 72)) | TaskWord.unwrap(word)
        );
        word = TaskWord.wrap(
            ((uint256(t.dispute) << 96) | (uint256(t.demands) << 104) | (uint256(t.openDemands) << 112)) | TaskWord.unwrap(word)
        );
        word = TaskWord.wrap(
            ((uint256(t.revealed) << 120) | (uint256(t.out) << 144) | (uint256(t.pot) << 168)) | TaskWord.unwrap(word)
        );
    }

    function head(TaskWord word) internal pure returns (State state, Phase phase, uint256 deadline) {
        return (
            State(uint8(TaskWord.unwrap(word))),
            Phase(uint8(TaskWord.unwrap(word) >> 8)),
            uint40(TaskWord.unwrap(word) >> 16)
        );
    }

    function unpack(TaskWord word) internal pure returns (Task memory t) {
        t.state = State(uint8(TaskWord.unwrap(word)));
        t.phase = Phase(uint8(TaskWord.unwrap(word) >> 8));
        t.deadline = uint40(TaskWord.unwrap(word) >> 16);
        t.seats = uint8(TaskWord.unwrap(word) >> 56);
        t.committed = uint8(TaskWord.unwrap(word) >> 64);
        t.challenges = uint24(TaskWord.unwrap(word) >> 72);
        t.dispute = uint8(TaskWord.unwrap(word) >> 96);
        t.demands = uint8(TaskWord.unwrap(word) >> 104);
        t.openDemands = uint8(TaskWord.unwrap(word) >> 112);
        t.revealed = uint24(TaskWord.unwrap(word) >> 120);
        t.out = uint24(TaskWord.unwrap(word) >> 144);
        t.pot = uint88(TaskWord.unwrap(word) >> 168);
    }
}
