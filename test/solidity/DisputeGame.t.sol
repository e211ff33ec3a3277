// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {DisputeGame} from "../../contracts/DisputeGame.sol";
import {Judge} from "../../contracts/Judge.sol";
import {Pace} from "../../contracts/game/Clocks.sol";
import {Claim, Context, GameState, PairId} from "../../contracts/game/GameTypes.sol";
import {GameWord, GameWordLib} from "../../contracts/game/GameWord.sol";
import {IBisection} from "../../contracts/interfaces/IBisection.sol";
import {Bracket, BracketId, IDisputeGame, JobParts, Player, Roster} from "../../contracts/interfaces/IDisputeGame.sol";
import {ITaskManager, Phase, Resolution, State, Task} from "../../contracts/interfaces/ITaskManager.sol";
import {JobId, RunRoot, TaskId} from "../../contracts/libraries/Ids.sol";
import {Terms} from "../../contracts/libraries/Terms.sol";
import {JobHash} from "../../contracts/training/JobHash.sol";
import {SizesLib} from "../../contracts/training/Sizes.sol";
import {JobFacts} from "../../contracts/training/TrainingTypes.sol";
import {Openings} from "./Openings.sol";
import {vm} from "./Vm.sol";

/// @dev A task manager that answers what the test wants.
contract FakeManager {
    Task private _task;
    RunRoot[] private _roots;
    Resolution public resolved;
    RunRoot[] private _claims;

    function set(State state, Phase phase, RunRoot[] memory roots, uint24 revealed, uint24 out) external {
        _task.state = state;
        _task.phase = phase;
        _task.dispute = 3;
        _task.seats = uint8(roots.length);
        _task.revealed = revealed;
        _task.out = out;
        _roots = roots;
    }

    function taskOf(TaskId) external view returns (Task memory) {
        return _task;
    }

    function seatOf(TaskId, uint256 seat) external view returns (address, bytes32) {
        return (address(uint160(seat)), RunRoot.unwrap(_roots[seat]));
    }

    function resolve(Terms calldata, Resolution calldata resolution) external {
        resolved = resolution;
    }
}

contract DisputeGameTest {
    uint256 private constant BOND = 1 ether;
    FakeManager private manager;
    DisputeGame private game;
    Terms private terms;
    JobParts private parts;

    function setUp() public {
        manager = new FakeManager();
        Pace memory pace = Pace({clock: 1000, response: 60, recompute: 300});
        game = new DisputeGame(ITaskManager(address(manager)), new Judge(), pace, BOND);
        parts = JobParts({info: "info", step: "step", init: "init", dataset: "dataset", fromCheckpoint: false});
        terms.game = address(game);
        terms.steps = 10;
        terms.commitEvery = 3;
        _nameJob();
        vm.warp(1_800_000_000);
    }

    function test_theJudgeIsThatOfTheConstructor() public {
        Judge judge = new Judge();
        DisputeGame other = new DisputeGame(game.manager(), judge, game.pace(), BOND);
        assert(address(other.judge()) == address(judge) && address(game.judge()) != address(judge));
    }

    function test_opensOnlyForATaskThatIsEscalatedToIt() public {
        RunRoot[] memory roots = _roots(2, 2);
        State[2] memory states = [State.Disputed, State.Final];
        Phase[2] memory phases = [Phase.Playing, Phase.Judging];
        for (uint256 i = 1; i < 4; i++) {
            manager.set(states[i & 1], phases[i >> 1], roots, 3, 0);
            vm.expectRevert(IDisputeGame.NotBeforeThisGame.selector);
            game.open(terms, parts);
        }
        manager.set(State.Disputed, Phase.Playing, roots, 3, 0);
        terms.game = address(1);
        vm.expectRevert(IDisputeGame.NotBeforeThisGame.selector);
        game.open(terms, parts);
        terms.game = address(game);
        game.open(terms, parts);
        vm.expectRevert();
        game.open(terms, parts);
    }

    function test_opensOnlyForTheJob() public {
        manager.set(State.Disputed, Phase.Playing, _roots(2, 2), 3, 0);
        parts.fromCheckpoint = true;
        vm.expectRevert();
        game.open(terms, parts);
        _nameJob();
        game.open(terms, parts);
    }

    /// @dev Seats that are out, or have revealed nothing, do not play.
    function test_theSeatsWhoseClaimsStandPlay() public {
        RunRoot[] memory roots = _roots(6, 3);
        // Seats 0 to 5 claim 1, 2, 3, 1, 2, 3. Seat 1 has not revealed, seat 2 is out.
        manager.set(State.Disputed, Phase.Playing, roots, 0x3d, 0x04);
        BracketId bracket = game.open(terms, parts);
        Player[] memory players = new Player[](4);
        uint8[4] memory seats = [0, 3, 4, 5];
        for (uint256 i = 0; i < 4; i++)
            players[i] = Player({owner: address(uint160(seats[i])), claim: RunRoot.wrap(bytes32(1 + (uint256(seats[i]) % 3)))});
        assert(BracketId.unwrap(bracket) == keccak256(abi.encode(_roster(players))));
        Bracket memory b = game.bracketOf(bracket);
        assert(b.players == 4 && b.standing == 15);
    }

    function test_pairsAreOfStandingPlayersWithDifferentClaims() public {
        (BracketId bracket, Roster memory roster) = _open(5, 3);
        assert(game.pair(roster, 0, 1) == 1 && game.pair(roster, 1, 2) == 2);
        // Paired before; in the other order; with itself; equal claims; without such players.
        uint8[2][7] memory wrong = [[0, 1], [1, 0], [2, 2], [0, 3], [1, 4], [2, 5], [5, 9]];
        for (uint256 i = 0; i < 7; i++) _refuses(roster, wrong[i][0], wrong[i][1]);
        _timeout(roster, bracket, 1, 0, 1, 1_800_000_000);
        assert(game.bracketOf(bracket).standing == 30);
        _refuses(roster, 0, 2);
        assert(game.pair(roster, 2, 3) == 3);
        roster.dispute++;
        vm.expectRevert();
        game.pair(roster, 2, 4);
    }

    function test_aPlayerThatIsOutPutsNobodyOut() public {
        (BracketId bracket, Roster memory roster) = _open(3, 3);
        game.pair(roster, 0, 1);
        game.pair(roster, 1, 2);
        game.pair(roster, 0, 2);
        _timeout(roster, bracket, 1, 0, 1, 1_800_000_000);
        assert(game.bracketOf(bracket).standing == 6);
        // Player 0 is out, and soon player 1 is too. Neither may lose again, nor may the player that stands
        // lose to them.
        _timeout(roster, bracket, 3, 0, 2, 1_800_000_000);
        assert(game.bracketOf(bracket).standing == 6);
        _timeout(roster, bracket, 2, 1, 2, 1_800_000_000);
        assert(game.bracketOf(bracket).standing == 4);
    }

    /// @dev A player need not continue against one that is out: it gets the bonds at once, whichever side has
    /// to move.
    function test_aStandingPlayerWinsAgainstOneThatIsOut() public {
        (, Roster memory roster) = _openWith(_claims());
        game.pair(roster, 0, 1);
        game.pair(roster, 0, 2);
        game.pair(roster, 1, 2);
        (GameState memory first, Context memory c1) = _begun(roster, 0, 1);
        (GameState memory second, Context memory c2) = _begun(roster, 0, 2);
        (GameState memory third, Context memory c3) = _begun(roster, 1, 2);
        // Player 0 opens against player 2, then loses to player 1 by its silence; player 1 opens against
        // player 2.
        second = _openTree(2, second, c2, roster);
        third = _openTree(3, third, c3, roster);
        vm.expectRevert(abi.encodeWithSelector(IBisection.TooEarly.selector, 1_800_001_007));
        game.timeout(2, second, c2);
        vm.warp(1_800_001_001);
        game.timeout(1, first, c1);
        vm.expectRevert(abi.encodeWithSelector(IBisection.TooEarly.selector, 1_800_001_007));
        game.timeout(3, third, c3);
        vm.expectRevert();
        game.timeout(2, second, c3);
        uint256 id = vm.snapshotState();
        game.timeout(2, second, c2);
        assert(game.creditOf(roster.players[2].owner) == BOND && game.creditOf(roster.players[0].owner) == 0);
        assert(game.stateOf(2) == 0 && game.bracketOf(BracketId.wrap(keccak256(abi.encode(roster)))).standing == 6);
        vm.expectRevert();
        game.timeout(2, second, c2);
        // Player 2 is late in the dispute that player 1 has begun: player 1 stands, and gets only its own
        // bond.
        vm.revertToState(id);
        vm.warp(1_800_001_008);
        game.timeout(3, third, c3);
        assert(game.creditOf(roster.players[1].owner) == BOND);
        // Players 0 and 2 are both out now, so only the clock decides.
        vm.warp(1_800_001_007);
        vm.expectRevert(abi.encodeWithSelector(IBisection.TooEarly.selector, 1_800_001_007));
        game.timeout(2, second, c2);
        vm.warp(1_800_001_008);
        game.timeout(2, second, c2);
        assert(game.creditOf(roster.players[0].owner) == BOND && address(game).balance == 2 * BOND);
        assert(game.bracketOf(BracketId.wrap(keccak256(abi.encode(roster)))).standing == 2);
    }

    function test_aStandingPlayerMaySettleADisputeWithoutBonds() public {
        (BracketId bracket, Roster memory roster) = _openWith(_claims());
        game.pair(roster, 0, 1);
        game.pair(roster, 0, 2);
        (GameState memory state, Context memory context) = _begun(roster, 0, 2);
        _timeout(roster, bracket, 1, 0, 1, 1_800_000_000);
        game.timeout(2, state, context);
        assert(game.stateOf(2) == 0 && game.creditOf(roster.players[2].owner) == 0);
    }

    function test_closesOnceOneClaimStands() public {
        (BracketId bracket, Roster memory roster) = _open(5, 3);
        game.pair(roster, 0, 1);
        game.pair(roster, 3, 4);
        game.pair(roster, 0, 2);
        vm.expectRevert(IDisputeGame.StillPlaying.selector);
        game.close(terms, roster);
        _timeout(roster, bracket, 1, 0, 1, 1_800_000_000);
        _timeout(roster, bracket, 2, 3, 4, 1_800_000_000);
        vm.expectRevert(IDisputeGame.StillPlaying.selector);
        game.close(terms, roster);
        // Claims 2 and 3 are left, of seats 1, 2 and 4.
        game.pair(roster, 1, 2);
        _timeout(roster, bracket, 4, 1, 2, block.timestamp);
        game.pair(roster, 2, 4);
        _timeout(roster, bracket, 5, 2, 4, block.timestamp);
        game.close(terms, roster);
        (uint256 dispute, uint256 losers, bytes32 verdict) = manager.resolved();
        assert(dispute == 3 && losers == 5 && verdict == BracketId.unwrap(bracket));
    }

    function test_theLongestGameIsTheSumOfAllTimes() public view {
        // Segments 0 to 4 make a tree of height 3, three steps one of height 2.
        uint256 heights = 21 + 25 + 22 + 3 + 2;
        uint256 longest = 2 * 1000 + (heights / 2) * 60 + 13 * 300;
        assert(game.longestGame(10, 3) == longest);
        assert(game.longestGame(1, 1) == longest - 2 * 60);
        assert(address(game.manager()) == address(manager));
    }

    function _refuses(Roster memory roster, uint256 first, uint256 second) private {
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.NoPair.selector, first, second));
        game.pair(roster, first, second);
    }

    /// @dev Lets the first side of a dispute, which has to move first, run out of time.
    function _timeout(
        Roster memory roster,
        BracketId bracket,
        uint256 dispute,
        uint256 first,
        uint256 second,
        uint256 since
    ) private {
        GameState memory state;
        Context memory context;
        context.players = _pairOf(bracket, first, second);
        context.owners = [roster.players[first].owner, roster.players[second].owner];
        context.job = JobHash.hashOf(roster.job);
        context.sizes = SizesLib.ofRun(roster.steps, roster.commitEvery);
        context.claims = [_claimOf(roster.players[first]), _claimOf(roster.players[second])];
        context.past = keccak256(abi.encode(context.claims));
        state.context = keccak256(abi.encode(context));
        state.word = GameWord.wrap(GameWord.unwrap(GameWordLib.start(1000, since)) | (5 << 136));
        assert(game.stateOf(dispute) == keccak256(abi.encode(state)));
        if (block.timestamp <= since + 1000) {
            vm.warp(since + 1000);
            vm.expectRevert();
            game.timeout(dispute, state, context);
            vm.warp(since + 1001);
        }
        game.timeout(dispute, state, context);
    }

    function _open(uint256 count, uint256 distinct) private returns (BracketId bracket, Roster memory roster) {
        return _openWith(_roots(count, distinct));
    }

    function _openWith(RunRoot[] memory roots) private returns (BracketId bracket, Roster memory roster) {
        manager.set(State.Disputed, Phase.Playing, roots, uint24((1 << roots.length) - 1), 0);
        bracket = game.open(terms, parts);
        Player[] memory players = new Player[](roots.length);
        for (uint256 i = 0; i < roots.length; i++)
            players[i] = Player({owner: address(uint160(i)), claim: roots[i]});
        roster = _roster(players);
    }

    function _roster(Player[] memory players) private view returns (Roster memory) {
        TaskId task = TaskId.wrap(keccak256(abi.encode(block.chainid, address(manager), terms)));
        return Roster({
            task: task,
            dispute: 3,
            job: _job(),
            steps: terms.steps,
            commitEvery: terms.commitEvery,
            players: players
        });
    }

    /// @return roots of three seats whose claims open into the trees 1, 2 and 3
    function _claims() private view returns (RunRoot[] memory roots) {
        roots = new RunRoot[](3);
        for (uint256 i = 0; i < 3; i++) roots[i] = Openings.claimOf(_job(), terms.commitEvery, bytes32(i + 1));
    }

    function _pairOf(BracketId bracket, uint256 first, uint256 second) private pure returns (PairId) {
        return PairId.wrap(((BracketId.unwrap(bracket) >> 16) << 16) | bytes32((first << 8) | second));
    }

    function _claimOf(Player memory player) private pure returns (Claim) {
        return Claim.wrap(RunRoot.unwrap(player.claim));
    }

    /// @dev The state of two players' dispute at its start.
    function _begun(
        Roster memory roster,
        uint256 first,
        uint256 second
    ) private view returns (GameState memory state, Context memory context) {
        (Player memory one, Player memory other) = (roster.players[first], roster.players[second]);
        PairId players = _pairOf(BracketId.wrap(keccak256(abi.encode(roster))), first, second);
        address[2] memory owners = [one.owner, other.owner];
        Claim[2] memory claims = [_claimOf(one), _claimOf(other)];
        context = Openings.contextOf(players, owners, roster.job, roster.steps, roster.commitEvery, claims);
        state = Openings.start(context, 1000, 1_800_000_000);
    }

    /// @dev Side 0 makes its first move, seven seconds after the start.
    function _openTree(
        uint256 dispute,
        GameState memory state,
        Context memory context,
        Roster memory roster
    ) private returns (GameState memory) {
        uint256 side = uint8(uint256(PairId.unwrap(context.players)) >> 8);
        vm.warp(1_800_000_007);
        vm.deal(address(this), BOND);
        bytes memory data = Openings.opening(dispute, state, context, roster.job, bytes32(side + 1));
        (bool taken, ) = address(game).call{value: BOND}(data);
        assert(taken);
        return Openings.opened(state, bytes32(side + 1), block.timestamp);
    }

    /// @return roots of seats that claim 1, 2, up to `distinct`, then 1, 2 again
    function _roots(uint256 count, uint256 distinct) private pure returns (RunRoot[] memory roots) {
        roots = new RunRoot[](count);
        for (uint256 i = 0; i < count; i++) roots[i] = RunRoot.wrap(bytes32(1 + (i % distinct)));
    }

    function _job() private view returns (JobFacts memory) {
        return
            JobFacts({
                id: terms.job,
                step: parts.step,
                init: parts.init,
                fromCheckpoint: parts.fromCheckpoint,
                dataset: parts.dataset
            });
    }

    function _nameJob() private {
        uint8 kind = parts.fromCheckpoint ? 2 : 1;
        bytes memory head = abi.encodePacked(hex"0b", uint32(2), kind, terms.steps, uint32(4), parts.info);
        terms.job = JobId.wrap(sha256(abi.encodePacked(head, parts.step, parts.init, parts.dataset)));
    }
}
