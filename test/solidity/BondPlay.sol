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

/// @dev The same two players in several disputes at once. They move, are late, prove and withdraw at random.
contract BondPlay is Transcripts {
    address private constant STRANGER = address(0x57);
    uint256 private constant AT_ONCE = 5;
    uint256 private immutable bond;
    address[2] private owners;
    /// @dev For each dispute: which transcript, how many moves were made, and whether it has ended.
    uint256[] private which;
    uint256[] private moved;
    bool[] private ended;
    uint256 public lost;
    uint256 public attempts;
    uint256 public successes;
    mapping(uint256 kind => uint256) public count;

    constructor(uint256 bond_) {
        bond = bond_;
        readTranscripts();
        lay(bond_);
        owners = load(0).owners;
        for (uint256 i = 0; i < AT_ONCE; i++) add(i);
    }

    function add(uint256 i) private {
        start(load(i % transcripts()));
        which.push(i % transcripts());
        moved.push(0);
        ended.push(false);
    }

    function balance() external view returns (uint256) {
        return address(table).balance;
    }

    function running() external view returns (uint256 bonds) {
        for (uint256 i = 0; i < which.length; i++) if (!ended[i]) bonds += bond * (moved[i] < 2 ? moved[i] : 2);
    }

    function credits() external view returns (uint256) {
        return table.creditOf(owners[0]) + table.creditOf(owners[1]);
    }

    function act(uint256 seed) external {
        uint256 i = which.length - 1 - ((seed >> 8) % AT_ONCE);
        uint256 kind = seed % 32;
        Transcript memory t = load(which[i]);
        if (kind == 0) return withdraw(owners[(seed >> 16) % 2]);
        if (ended[i]) return add(seed >> 16);
        if (moved[i] == t.calls.length) return end(i, t, kind < 16);
        if (kind == 1) return late(i, t);
        // Sometimes with a value that may be wrong.
        uint256 value = moved[i] < 2 ? bond : 0;
        if (kind == 2) value = (seed >> 16) % (2 * bond);
        if (kind == 3) value = bond - value;
        vm.warp(t.times[moved[i] + 1]);
        bool taken = attempt(1, t.owners[moved[i] % 2], numbered(t.calls[moved[i]], i), value);
        if (taken) moved[i]++;
    }

    function late(uint256 i, Transcript memory t) private {
        if (bytes4(t.calls[moved[i]]) != IBisection.turn.selector) return;
        (GameState memory state, Context memory context) = shownIn(t.calls[moved[i]]);
        vm.warp(t.times[moved[i]] + 4001);
        bytes memory data = abi.encodeCall(IBisection.timeout, (i + 1, state, context));
        if (attempt(2, STRANGER, data, 0)) ended[i] = true;
    }

    function end(uint256 i, Transcript memory t, bool isLate) private {
        bool proves = !isLate && t.proof.length > 0;
        vm.warp(t.times[t.calls.length] + (proves ? 7 : 4001));
        bytes memory data = proves
            ? numbered(t.proof, i)
            : abi.encodeCall(IBisection.timeout, (i + 1, t.last, t.context));
        if (!attempt(proves ? 3 : 2, STRANGER, data, 0)) return;
        ended[i] = true;
        if (!proves && t.losers == 3) lost += 2 * bond;
    }

    function withdraw(address owner) private {
        uint256 credit = table.creditOf(owner);
        attempt(credit > 0 ? 4 : 0, owner, abi.encodeCall(table.withdraw, (payable(owner))), 0);
    }

    /// @dev A failed call is no error.
    function attempt(uint256 kind, address from, bytes memory data, uint256 value) private returns (bool taken) {
        attempts++;
        (taken, ) = send(from, data, value);
        if (taken) successes++;
        if (taken || kind == 0) count[kind]++;
    }

    /// @return the call with the number of the dispute, which is the first argument of every call
    function numbered(bytes memory data, uint256 i) private pure returns (bytes memory) {
        assembly ("memory-safe") {
            mstore(add(data, 0x24), add(i, 1))
        }
        return data;
    }
}
