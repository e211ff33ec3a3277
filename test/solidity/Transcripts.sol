// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Judge} from "../../contracts/Judge.sol";
import {Pace} from "../../contracts/game/Clocks.sol";
import {Context, GameState, Move} from "../../contracts/game/GameTypes.sol";
import {IBisection} from "../../contracts/interfaces/IBisection.sol";
import {Transcript} from "./Bisection.t.sol";
import {BisectionHarness} from "./BisectionHarness.sol";
import {vm} from "./Vm.sol";

/// @dev Disputes that are played from test/vectors/game.json, with bonds. `Bisection.t.sol` explains the
/// fields.
abstract contract Transcripts {
    bytes[] private encoded;
    BisectionHarness internal table;

    function readTranscripts() internal {
        encoded = vm.parseJsonBytesArray(vm.readFile("test/vectors/game.json"), ".encoded");
    }

    function transcripts() internal view returns (uint256) {
        return encoded.length;
    }

    function load(uint256 i) internal view returns (Transcript memory) {
        return abi.decode(encoded[i], (Transcript));
    }

    function lay(uint256 bond) internal {
        table = new BisectionHarness(new Judge(), Pace({clock: 4000, response: 600, recompute: 1800}), bond);
    }

    /// @dev Starts a dispute on a contract of its own.
    function begin(uint256 i, uint256 bond) internal returns (Transcript memory t) {
        lay(bond);
        t = load(i);
        start(t);
    }

    function start(Transcript memory t) internal {
        vm.warp(t.times[0]);
        table.start(t.players, t.owners, t.job, t.steps, t.commitEvery, t.claims);
    }

    function play_(Transcript memory t, uint256 j, uint256 bond) internal {
        vm.warp(t.times[j + 1]);
        (bool taken, ) = send(t.owners[j % 2], t.calls[j], j < 2 ? bond : 0);
        assert(taken && table.stateOf(1) == t.states[j + 1]);
    }

    function send(address from, bytes memory data, uint256 value) internal returns (bool, bytes memory) {
        vm.deal(from, value);
        vm.prank(from);
        return address(table).call{value: value}(data);
    }

    /// @return state the state that a move shows; the move must not be a plain one
    /// @return context the context that it shows
    function shownIn(bytes memory data) internal pure returns (GameState memory state, Context memory context) {
        bytes memory arguments = new bytes(data.length - 4);
        for (uint256 i = 0; i < arguments.length; i++) arguments[i] = data[i + 4];
        (, state, context, ) = abi.decode(arguments, (uint256, GameState, Context, Move));
    }
}
