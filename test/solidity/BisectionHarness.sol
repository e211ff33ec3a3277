// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Bisection} from "../../contracts/game/Bisection.sol";
import {Pace} from "../../contracts/game/Clocks.sol";
import {Claim, Context, PairId} from "../../contracts/game/GameTypes.sol";
import {IJudge} from "../../contracts/interfaces/IJudge.sol";
import {JobHash} from "../../contracts/training/JobHash.sol";
import {SizesLib} from "../../contracts/training/Sizes.sol";
import {TrainingMachine} from "../../contracts/training/TrainingMachine.sol";
import {JobFacts} from "../../contracts/training/TrainingTypes.sol";

/// @dev The game alone, without the contract that knows the players.
contract BisectionHarness is Bisection, TrainingMachine {
    mapping(PairId players => uint256) public losersOf;
    /// @dev Bit i: side i has posted its bond.
    mapping(PairId players => uint256) public postedBy;

    constructor(IJudge judge_, Pace memory pace_, uint256 gasBond_) Bisection(pace_, gasBond_) TrainingMachine(judge_) {}

    /// @dev Stores a state without the moves that lead to it.
    function put(uint256 dispute, bytes32 state) external {
        _states[dispute] = state;
    }

    function start(
        PairId players,
        address[2] calldata owners,
        JobFacts calldata job,
        uint32 steps,
        uint32 commitEvery,
        Claim[2] calldata claims
    ) external {
        Context memory c;
        c.players = players;
        c.owners = owners;
        c.job = JobHash.hashOf(job);
        c.sizes = SizesLib.ofRun(steps, commitEvery);
        c.claims = claims;
        _start(c, _clock);
    }

    function _begun(PairId players, uint256 side) internal override {
        _takeBond(postedBy[players] & (1 << side) != 0);
        postedBy[players] |= 1 << side;
    }

    function _ended(PairId players, uint256 losers) internal override {
        losersOf[players] = losers;
    }
}
