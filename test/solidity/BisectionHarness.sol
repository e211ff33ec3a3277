// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Bisection} from "../../contracts/game/Bisection.sol";
import {Pace} from "../../contracts/game/Clocks.sol";
import {IJudge} from "../../contracts/interfaces/IJudge.sol";
import {Context, JobFacts} from "../../contracts/game/GameTypes.sol";
import {JobHash} from "../../contracts/game/JobHash.sol";
import {SizeWord} from "../../contracts/game/SizeWord.sol";

/// @dev The game alone, without the contract that knows who plays.
contract BisectionHarness is Bisection {
    mapping(bytes32 players => uint256) public losersOf;

    constructor(IJudge judge_, Pace memory pace_, uint256 gasBond_) Bisection(judge_, pace_, gasBond_) {}

    /// @dev A state out of nowhere.
    function put(uint256 dispute, bytes32 state) external {
        _states[dispute] = state;
    }

    function start(
        bytes32 players,
        address[2] calldata owners,
        JobFacts calldata job,
        uint32 steps,
        uint32 commitEvery,
        bytes32[2] calldata claims
    ) external {
        Context memory c;
        c.players = players;
        c.owners = owners;
        c.job = JobHash.hashOf(job);
        c.sizes = SizeWord.ofRun(steps, commitEvery);
        c.claims = claims;
        _start(c);
    }

    /// @dev Nobody is out.
    function _losersOf(bytes32) internal pure override returns (uint256) {
        return 0;
    }

    function _ended(bytes32 players, uint256 losers) internal override {
        losersOf[players] = losers;
    }
}
