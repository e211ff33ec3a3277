// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Phase, State, Task} from "../interfaces/ITaskManager.sol";

/// @title A task as one word
/// @dev Reading and writing the struct field by field would cost some 4,000 gas a transaction more.
library TaskWord {
    /// @dev There are fewer than 256 seats, so the count stays in its byte.
    uint256 internal constant ONE_COMMITTED = 1 << 64;

    function pack(Task memory t) internal pure returns (uint256 word) {
        word = uint256(uint8(t.state)) | (uint256(uint8(t.phase)) << 8) | (uint256(t.deadline) << 16);
        word |= (uint256(t.seats) << 56) | (uint256(t.committed) << 64) | (uint256(t.challenges) << 72);
        word |= (uint256(t.dispute) << 80) | (uint256(t.demands) << 88) | (uint256(t.openDemands) << 96);
        word |= (uint256(t.revealed) << 104) | (uint256(t.out) << 128) | (uint256(t.pot) << 152);
    }

    function head(uint256 word) internal pure returns (State state, Phase phase, uint256 deadline) {
        return (State(uint8(word)), Phase(uint8(word >> 8)), uint40(word >> 16));
    }

    function unpack(uint256 word) internal pure returns (Task memory t) {
        t.state = State(uint8(word));
        t.phase = Phase(uint8(word >> 8));
        t.deadline = uint40(word >> 16);
        t.seats = uint8(word >> 56);
        t.committed = uint8(word >> 64);
        t.challenges = uint8(word >> 72);
        t.dispute = uint8(word >> 80);
        t.demands = uint8(word >> 88);
        t.openDemands = uint8(word >> 96);
        t.revealed = uint24(word >> 104);
        t.out = uint24(word >> 128);
        t.pot = uint88(word >> 152);
    }
}
