// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {DisputeGame} from "../../contracts/DisputeGame.sol";
import {Judge} from "../../contracts/Judge.sol";
import {Pace} from "../../contracts/game/Clocks.sol";
import {Claim, Context, GameState, PairId} from "../../contracts/game/GameTypes.sol";
import {BracketId, JobParts, Player, Roster} from "../../contracts/interfaces/IDisputeGame.sol";
import {ITaskManager, Phase, Resolution, State, Task} from "../../contracts/interfaces/ITaskManager.sol";
import {JobId, RunRoot, TaskId} from "../../contracts/libraries/Ids.sol";
import * as Tags from "../../contracts/libraries/Tags.sol";
import {Terms} from "../../contracts/libraries/Terms.sol";
import {JobFacts} from "../../contracts/training/TrainingTypes.sol";
import {Openings} from "./Openings.sol";
import {vm} from "./Vm.sol";

/// @dev A task manager that answers what the test wants.
contract FakeManager {
    Task private _task;
    RunRoot[] private _roots;
    Resolution public resolved;

    /// @param toPlay seconds that the game has from now on
    function set(
        State state,
        Phase phase,
        RunRoot[] memory roots,
        uint24 revealed,
        uint24 out,
        uint256 toPlay
    ) external {
        _task.state = state;
        _task.phase = phase;
        _task.deadline = uint40(block.timestamp + toPlay);
        _task.dispute = 3;
        _task.seats = uint8(roots.length);
        _task.revealed = revealed;
        _task.out = out;
        _roots = roots;
    }

    function end(State state) external {
        (_task.state, _task.phase) = (state, Phase.None);
    }

    /// @dev The next dispute of the task.
    function disputeAgain(Phase phase) external {
        (_task.state, _task.phase) = (State.Disputed, phase);
        _task.dispute++;
    }

    function taskOf(TaskId) external view returns (Task memory) {
        return _task;
    }

    function seatOf(TaskId, uint256 seat) external view returns (address, bytes32) {
        return (address(uint160(0xb0000 + seat)), RunRoot.unwrap(_roots[seat]));
    }

    function resolve(Terms calldata, Resolution calldata resolution) external {
        bool plays = _task.state == State.Disputed && _task.phase == Phase.Playing;
        require(plays, ITaskManager.WrongState(_task.state, _task.phase));
        resolved = resolution;
        (_task.state, _task.phase) = (State.Challengeable, Phase.None);
    }

    /// @dev What a challenger or an appellant posts.
    function prepay(DisputeGame game, TaskId task, uint256 seat) external payable {
        game.prepay{value: msg.value}(task, address(uint160(0xb0000 + seat)));
    }
}

/// @dev A bracket of the game about players that the test invents, and the moves that begin their disputes.
abstract contract BracketTable {
    uint256 internal constant BOND = 1 ether;
    uint256 internal constant CLOCK = 1000;
    uint256 internal constant RECOMPUTE = 300;
    uint32 internal constant TO_PLAY = 20_000;
    uint256 internal constant NOW = 1_800_000_000;
    FakeManager internal manager;
    DisputeGame internal game;
    Terms internal terms;
    JobParts internal parts;

    function build() internal {
        manager = new FakeManager();
        Pace memory pace = Pace({clock: uint32(CLOCK), response: 60, recompute: uint32(RECOMPUTE)});
        game = new DisputeGame(ITaskManager(address(manager)), new Judge(), pace, BOND);
        parts = JobParts({infoHash: "info", step: "step", init: "init", dataset: "dataset", fromCheckpoint: false});
        terms.game = address(game);
        terms.steps = 10;
        terms.commitEvery = 3;
        terms.periods.toPlay = TO_PLAY;
        nameJob();
        vm.warp(NOW);
        vm.deal(address(this), 1000 * BOND);
    }

    function owner(uint256 seat) internal pure returns (address) {
        return address(uint160(0xb0000 + seat));
    }

    function taskId() internal view returns (TaskId) {
        return TaskId.wrap(keccak256(abi.encode(block.chainid, address(manager), terms)));
    }

    /// @dev The task is before the game with these claims, all standing.
    function bring(RunRoot[] memory roots) internal {
        manager.set(State.Disputed, Phase.Playing, roots, uint24((1 << roots.length) - 1), 0, TO_PLAY);
    }

    function open(RunRoot[] memory roots) internal returns (BracketId bracket, Roster memory roster) {
        bring(roots);
        roster = rosterOf(roots);
        bracket = game.open(terms, parts);
    }

    /// @dev A roster of all seats, as of now.
    function rosterOf(RunRoot[] memory roots) internal view returns (Roster memory) {
        Player[] memory players = new Player[](roots.length);
        for (uint256 i = 0; i < roots.length; i++) players[i] = Player({owner: owner(i), claim: roots[i]});
        return rosterOf(players);
    }

    function rosterOf(Player[] memory players) internal view returns (Roster memory) {
        return
            Roster({
                task: taskId(),
                dispute: 3,
                since: uint40(block.timestamp),
                job: job(),
                steps: terms.steps,
                commitEvery: terms.commitEvery,
                players: players
            });
    }

    /// @return roots of seats whose claims open into the trees 1 to `distinct`, then 1 again
    function rootsOf(uint256 count, uint256 distinct) internal view returns (RunRoot[] memory roots) {
        roots = new RunRoot[](count);
        for (uint256 i = 0; i < count; i++) roots[i] = Openings.claimOf(job(), terms.commitEvery, bytes32(1 + (i % distinct)));
    }

    /// @param first number of the player of side 0
    function pairOf(BracketId bracket, uint256 first, uint256 second) internal pure returns (PairId) {
        return PairId.wrap(((BracketId.unwrap(bracket) >> 16) << 16) | bytes32((first << 8) | second));
    }

    /// @dev The state of two players' dispute at its start.
    /// @param first number of the player of side 0
    /// @param clock what it has left
    function begun(
        Roster memory roster,
        uint256 first,
        uint256 second,
        uint256 clock,
        uint256 since
    ) internal pure returns (GameState memory state, Context memory context) {
        context = contextOf(roster, first, second);
        state = Openings.start(context, clock, CLOCK, since);
    }

    function contextOf(Roster memory roster, uint256 first, uint256 second) private pure returns (Context memory) {
        (Player memory one, Player memory other) = (roster.players[first], roster.players[second]);
        Claim[2] memory claims = [Claim.wrap(RunRoot.unwrap(one.claim)), Claim.wrap(RunRoot.unwrap(other.claim))];
        return
            Openings.contextOf(
                pairOf(BracketId.wrap(keccak256(abi.encode(roster.task, roster.dispute))), first, second),
                [one.owner, other.owner],
                roster.job,
                roster.steps,
                roster.commitEvery,
                claims
            );
    }

    /// @dev Side 0 makes its first move now.
    /// @param tree what its claim opens into
    function openTree(
        uint256 dispute,
        GameState memory state,
        Context memory context,
        uint256 tree,
        uint256 value
    ) internal returns (bool taken, bytes memory failure) {
        bytes memory data = Openings.opening(dispute, state, context, job(), bytes32(tree));
        return address(game).call{value: value}(data);
    }

    function job() internal view returns (JobFacts memory) {
        return
            JobFacts({
                id: terms.job,
                step: parts.step,
                init: parts.init,
                fromCheckpoint: parts.fromCheckpoint,
                dataset: parts.dataset
            });
    }

    function nameJob() internal {
        uint8 kind = parts.fromCheckpoint ? 2 : 1;
        bytes memory head = abi.encodePacked(Tags.JOB, Tags.SPEC_VERSION, kind, terms.steps, parts.infoHash);
        terms.job = JobId.wrap(sha256(abi.encodePacked(head, parts.step, parts.init, parts.dataset)));
    }
}
