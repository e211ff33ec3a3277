// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {DisputeGame} from "../../contracts/DisputeGame.sol";
import {Judge} from "../../contracts/Judge.sol";
import {Pace} from "../../contracts/game/Clocks.sol";
import {Context, GameState} from "../../contracts/game/GameTypes.sol";
import {IBisection} from "../../contracts/interfaces/IBisection.sol";
import {Bracket, BracketId, IDisputeGame, Player, Roster} from "../../contracts/interfaces/IDisputeGame.sol";
import {IGasBonds} from "../../contracts/interfaces/IGasBonds.sol";
import {ITaskManager, Phase, State} from "../../contracts/interfaces/ITaskManager.sol";
import {RunRoot} from "../../contracts/libraries/Ids.sol";
import {BracketTable} from "./BracketTable.sol";
import {Openings} from "./Openings.sol";
import {vm} from "./Vm.sol";

/// @dev open, pair, fall, close, settle, forfeit: who may play whom, and who is out.
contract DisputeGameTest is BracketTable {
    function setUp() public {
        build();
    }

    function test_theJudgeIsThatOfTheConstructor() public {
        Judge judge = new Judge();
        DisputeGame other = new DisputeGame(game.manager(), judge, game.pace(), BOND);
        assert(address(other.judge()) == address(judge) && address(game.judge()) != address(judge));
    }

    function test_opensOnlyForATaskThatIsEscalatedToIt() public {
        RunRoot[] memory roots = rootsOf(2, 2);
        State[2] memory states = [State.Disputed, State.Final];
        Phase[2] memory phases = [Phase.Playing, Phase.Judging];
        for (uint256 i = 1; i < 4; i++) {
            manager.set(states[i & 1], phases[i >> 1], roots, 3, 0, TO_PLAY);
            vm.expectRevert(IDisputeGame.NotBeforeThisGame.selector);
            game.open(terms, parts);
        }
        bring(roots);
        terms.game = address(1);
        vm.expectRevert(IDisputeGame.NotBeforeThisGame.selector);
        game.open(terms, parts);
        terms.game = address(game);
        BracketId bracket = game.open(terms, parts);
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.BracketExists.selector, bracket));
        game.open(terms, parts);
        // Nor later, with another roster.
        manager.set(State.Disputed, Phase.Playing, rootsOf(3, 3), 7, 0, 2 * TO_PLAY);
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.BracketExists.selector, bracket));
        game.open(terms, parts);
    }

    function test_opensOnlyForTheJob() public {
        bring(rootsOf(2, 2));
        parts.fromCheckpoint = true;
        vm.expectRevert();
        game.open(terms, parts);
        nameJob();
        game.open(terms, parts);
    }

    /// @dev Seats that are out, or have revealed nothing, do not play.
    function test_theSeatsWhoseClaimsStandPlay() public {
        RunRoot[] memory roots = rootsOf(6, 3);
        // Seats 0 to 5 claim 1, 2, 3, 1, 2, 3. Seat 1 has not revealed, seat 2 is out.
        manager.set(State.Disputed, Phase.Playing, roots, 0x3d, 0x04, TO_PLAY);
        vm.warp(NOW + 5);
        BracketId bracket = game.open(terms, parts);
        vm.warp(NOW);
        Player[] memory players = new Player[](4);
        uint8[4] memory seats = [0, 3, 4, 5];
        for (uint256 i = 0; i < 4; i++) players[i] = Player({owner: owner(seats[i]), claim: roots[seats[i]]});
        Bracket memory b = game.bracketOf(bracket);
        assert(b.players == 4 && b.standing == 15 && b.posted == 0 && !b.closed);
        assert(b.roster == bytes20(keccak256(abi.encode(rosterOf(players)))));
        Roster memory other = rosterOf(players);
        other.players[0].claim = roots[1];
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.NoSuchBracket.selector, bracket));
        game.pair(other, 0, 1);
    }

    /// @dev Seats 0 and 3 have claim 0, seats 1 and 4 claim 1, seat 2 claim 2. The last claim has no
    /// neighbour.
    function test_pairsAreOfStandingPlayersWhoseClaimsMeet() public {
        (BracketId bracket, Roster memory roster) = open(rootsOf(5, 3));
        assert(game.pair(roster, 0, 1) == 1 && game.pair(roster, 1, 3) == 2);
        // Paired before; in the other order; with itself; equal claims; without such players; in a later
        // round.
        uint8[2][11] memory wrong =
            [[0, 1], [1, 0], [0, 0], [2, 2], [0, 3], [1, 4], [2, 5], [5, 9], [0, 2], [1, 2], [2, 3]];
        for (uint256 i = 0; i < 11; i++) refuses(roster, wrong[i][0], wrong[i][1]);
        assert(game.pair(roster, 0, 4) == 3 && game.pair(roster, 3, 4) == 4);
        silent(roster, 1, 1, 0);
        assert(game.bracketOf(bracket).standing == 29);
        // Seat 1 is out, and seat 4 still stands for its claim.
        refuses(roster, 1, 2);
        refuses(roster, 0, 2);
        silent(roster, 3, 4, 0);
        assert(game.bracketOf(bracket).standing == 13);
        assert(game.pair(roster, 0, 2) == 5 && game.pair(roster, 2, 3) == 6);
        roster.dispute++;
        vm.expectRevert();
        game.pair(roster, 2, 4);
    }

    /// @dev Seat 4 still stands for the claim of seat 1.
    function test_aPlayerThatIsOutIsPairedWithNobody() public {
        (, Roster memory roster) = open(rootsOf(5, 3));
        game.pair(roster, 0, 1);
        silent(roster, 1, 1, 0);
        refuses(roster, 1, 3);
        assert(game.pair(roster, 3, 4) == 2);
    }

    /// @dev Also of players that have no bit in the bracket's slot.
    function test_eachPairPlaysOnce() public {
        (, Roster memory roster) = open(rootsOf(10, 2));
        uint256 pairs = 0;
        for (uint256 second = 1; second < 10; second++)
            for (uint256 first = 1 - (second % 2); first < second; first += 2)
                assert(game.pair(roster, first, second) == ++pairs);
        assert(pairs == 25);
        for (uint256 second = 1; second < 10; second++)
            for (uint256 first = 1 - (second % 2); first < second; first += 2) refuses(roster, first, second);
    }

    /// @dev The later seat moves first. A player that has posted its bond does so before one that has not.
    function test_whoBringsADisputeMovesFirst() public {
        bring(rootsOf(4, 2));
        manager.prepay{value: BOND}(game, taskId(), 1);
        manager.prepay{value: BOND}(game, taskId(), 2);
        (, Roster memory roster) = open(rootsOf(4, 2));
        uint8[2][4] memory pairs = [[0, 3], [0, 1], [1, 2], [2, 3]];
        uint8[4] memory firsts = [3, 1, 2, 2];
        for (uint256 i = 0; i < 4; i++) {
            uint256 dispute = game.pair(roster, pairs[i][0], pairs[i][1]);
            uint256 second = pairs[i][0] + pairs[i][1] - firsts[i];
            (GameState memory state, ) = begun(roster, firsts[i], second, CLOCK, NOW);
            assert(game.stateOf(dispute) == keccak256(abi.encode(state)));
        }
    }

    /// @dev Its clock runs from the time at which the task came before the game.
    function test_theFirstMoversClockHasBeenRunning() public {
        (, Roster memory roster) = open(rootsOf(3, 2));
        vm.warp(NOW + 400);
        game.pair(roster, 0, 1);
        (GameState memory state, Context memory context) = begun(roster, 1, 0, CLOCK - 400, NOW + 400);
        assert(game.stateOf(1) == keccak256(abi.encode(state)));
        vm.warp(NOW + CLOCK);
        vm.expectRevert(abi.encodeWithSelector(IBisection.TooEarly.selector, NOW + CLOCK));
        game.timeout(1, state, context);
        // It always has the time for one move.
        vm.warp(NOW + CLOCK + 7);
        game.pair(roster, 1, 2);
        (state, context) = begun(roster, 2, 1, 0, NOW + CLOCK + 7);
        assert(game.stateOf(2) == keccak256(abi.encode(state)));
        vm.warp(NOW + CLOCK + 7 + RECOMPUTE);
        (bool taken, ) = openTree(2, state, context, 1, BOND);
        assert(taken);
    }

    /// @dev Nobody can begin a later round sooner than its claims are known.
    function test_aLaterRoundBeginsWithFullClocks() public {
        (, Roster memory roster) = open(rootsOf(3, 3));
        game.pair(roster, 0, 1);
        silent(roster, 1, 1, 0);
        game.pair(roster, 0, 2);
        (GameState memory state, ) = begun(roster, 2, 0, CLOCK, NOW + CLOCK + 1);
        assert(game.stateOf(2) == keccak256(abi.encode(state)));
    }

    function test_aPlayerThatIsOutPutsNobodyOut() public {
        (BracketId bracket, Roster memory roster) = open(rootsOf(4, 2));
        game.pair(roster, 0, 1);
        game.pair(roster, 1, 2);
        game.pair(roster, 2, 3);
        silent(roster, 2, 2, 1);
        assert(game.bracketOf(bracket).standing == 11);
        // Player 2 is out. Player 3 can't lose to it any more.
        silent(roster, 3, 3, 2);
        assert(game.bracketOf(bracket).standing == 11);
        silent(roster, 1, 1, 0);
        assert(game.bracketOf(bracket).standing == 9);
    }

    function test_closesOnceOneClaimStands() public {
        (BracketId bracket, Roster memory roster) = open(rootsOf(5, 3));
        game.pair(roster, 0, 1);
        game.pair(roster, 3, 4);
        vm.expectRevert(IDisputeGame.StillPlaying.selector);
        game.close(terms, roster);
        silent(roster, 1, 1, 0);
        silent(roster, 2, 4, 3);
        vm.expectRevert(IDisputeGame.StillPlaying.selector);
        game.close(terms, roster);
        // Claims 0 and 2 are left, of seats 0, 3 and 2.
        game.pair(roster, 0, 2);
        silentAt(roster, 3, 2, 0, CLOCK, block.timestamp);
        vm.expectRevert(IDisputeGame.StillPlaying.selector);
        game.settle(roster);
        game.close(terms, roster);
        (uint256 dispute, uint256 losers, bytes32 verdict) = manager.resolved();
        assert(dispute == 3 && losers == 6 && verdict == BracketId.unwrap(bracket));
        assert(game.bracketOf(bracket).closed);
        vm.expectRevert(IDisputeGame.NotPlaying.selector);
        game.close(terms, roster);
        vm.expectRevert(IDisputeGame.NotPlaying.selector);
        game.settle(roster);
    }

    /// @dev Seat i has claim i. Claims 0 and 1 still play when the first round is over, and so do 2 and 3.
    function test_claimsThatStillPlayWhenTheirRoundIsOverFall() public {
        (BracketId bracket, Roster memory roster) = open(rootsOf(5, 5));
        uint256 round = game.longestRound(terms.steps, terms.commitEvery);
        game.pair(roster, 0, 1);
        vm.warp(NOW + round);
        vm.expectRevert(IDisputeGame.StillPlaying.selector);
        game.fall(roster);
        vm.warp(NOW + round + 1);
        game.fall(roster);
        assert(game.bracketOf(bracket).standing == 16);
        vm.expectRevert(IDisputeGame.StillPlaying.selector);
        game.fall(roster);
        game.close(terms, roster);
        (, uint256 losers, ) = manager.resolved();
        assert(losers == 15);
        vm.expectRevert(IDisputeGame.StillPlaying.selector);
        game.fall(roster);
    }

    /// @dev Who has won its round goes on alone, although nobody has looked for two rounds. An earlier round
    /// is decided before a later one.
    function test_roundsThatAreOverAreDecidedInTheirOrder() public {
        (BracketId bracket, Roster memory roster) = open(rootsOf(4, 4));
        uint256 round = game.longestRound(terms.steps, terms.commitEvery);
        game.pair(roster, 0, 1);
        silent(roster, 1, 1, 0);
        vm.warp(NOW + 2 * round + 1);
        game.fall(roster);
        assert(game.bracketOf(bracket).standing == 1);
    }

    /// @dev The end of a dispute after its players' fall changes nothing.
    function test_aDisputeEndsWithoutEffectAfterTheFall() public {
        (BracketId bracket, Roster memory roster) = open(rootsOf(3, 3));
        game.pair(roster, 0, 1);
        vm.warp(NOW + game.longestRound(terms.steps, terms.commitEvery) + 1);
        game.fall(roster);
        assert(game.bracketOf(bracket).standing == 4);
        silent(roster, 1, 1, 0);
        assert(game.bracketOf(bracket).standing == 4);
        refuses(roster, 0, 2);
    }

    function test_severalCallsAreOneOrNone() public {
        (, Roster memory roster) = open(rootsOf(4, 2));
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(game.pair, (roster, 0, 1));
        calls[1] = abi.encodeCall(game.pair, (roster, 0, 2));
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.NoPair.selector, 0, 2));
        game.multicall(calls);
        calls[1] = abi.encodeCall(game.pair, (roster, 0, 3));
        game.multicall(calls);
        assert(game.stateOf(1) != 0 && game.stateOf(2) != 0 && game.stateOf(3) == 0);
    }

    /// @dev The value of one call would count for each of the calls in it.
    function test_noBondIsSentWithSeveralCalls() public {
        RunRoot[] memory roots = rootsOf(3, 2);
        (roots[1], roots[2]) = (roots[0], roots[1]);
        (, Roster memory roster) = open(roots);
        game.pair(roster, 0, 2);
        game.pair(roster, 1, 2);
        bytes[] memory calls = new bytes[](2);
        for (uint256 i = 0; i < 2; i++) {
            (GameState memory state, Context memory context) = begun(roster, 2, i, CLOCK, NOW);
            calls[i] = Openings.opening(i + 1, state, context, job(), bytes32(uint256(2)));
        }
        (bool taken, ) = address(game).call{value: BOND}(abi.encodeCall(game.multicall, (calls)));
        assert(!taken && address(game).balance == 0);
        vm.expectRevert(abi.encodeWithSelector(IGasBonds.WrongBond.selector, 0, BOND));
        game.multicall(calls);
        // The bond is posted with the first move alone.
        (bool posted, ) = address(game).call{value: BOND}(calls[0]);
        calls[0] = calls[1];
        assembly ("memory-safe") {
            mstore(calls, 1)
        }
        game.multicall(calls);
        assert(posted && address(game).balance == BOND && game.creditOf(address(this)) == 0);
    }

    /// @dev Nobody is paid for winning it: the manager's refusal is that of the game.
    function test_aBracketDecidesNoTaskThatIsOver() public {
        manager.prepay{value: BOND}(game, taskId(), 1);
        (BracketId bracket, Roster memory roster) = open(rootsOf(2, 2));
        game.pair(roster, 0, 1);
        silent(roster, 1, 1, 0);
        manager.end(State.Refunded);
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.WrongState.selector, State.Refunded, Phase.None));
        game.close(terms, roster);
        assert(!game.bracketOf(bracket).closed && game.creditOf(owner(0)) == 0);
        game.settle(roster);
        assert(game.bracketOf(bracket).closed && game.creditOf(owner(0)) == 0);
    }

    /// @dev Bonds do not wait for a dispute that begins after that of the bracket, and nobody falls then.
    function test_aLaterDisputeOfTheTaskIsNotTheBrackets() public {
        manager.prepay{value: BOND}(game, taskId(), 1);
        (, Roster memory roster) = open(rootsOf(3, 3));
        vm.warp(NOW + game.longestRound(terms.steps, terms.commitEvery) + 1);
        Phase[2] memory phases = [Phase.Judging, Phase.Playing];
        uint256 id = vm.snapshotState();
        for (uint256 i = 0; i < 2; i++) {
            manager.disputeAgain(phases[i]);
            vm.expectRevert(IDisputeGame.StillPlaying.selector);
            game.fall(roster);
            game.settle(roster);
            assert(game.creditOf(owner(1)) == BOND);
            vm.revertToState(id);
        }
        game.fall(roster);
    }

    /// @dev After the task's time for the game, a bracket takes no more players and no bonds. Seats 0 and 2
    /// claim the same.
    function test_anUndecidedBracketIsSettledOnce() public {
        (BracketId bracket, Roster memory roster) = open(rootsOf(3, 2));
        game.pair(roster, 0, 1);
        (GameState memory state, Context memory context) = begun(roster, 1, 0, CLOCK, NOW);
        manager.end(State.Refunded);
        game.settle(roster);
        assert(game.bracketOf(bracket).closed);
        vm.expectRevert(IDisputeGame.NotPlaying.selector);
        game.settle(roster);
        refuses(roster, 1, 2);
        (bool taken, bytes memory failure) = openTree(1, state, context, 2, BOND);
        assert(!taken && bytes4(failure) == IDisputeGame.NotPlaying.selector && address(game).balance == 0);
    }

    /// @dev Seat 2 has challenged the claim of seats 0 and 1.
    function challenged() private {
        RunRoot[] memory roots = rootsOf(3, 2);
        (roots[1], roots[2]) = (roots[0], roots[1]);
        terms.providers = 2;
        manager.prepay{value: BOND}(game, taskId(), 2);
        bring(roots);
    }

    function test_aChallengerThatDoesNotOpenForfeits() public {
        challenged();
        vm.warp(NOW + CLOCK);
        vm.expectRevert(abi.encodeWithSelector(IBisection.TooEarly.selector, NOW + CLOCK));
        game.forfeit(terms);
        vm.warp(NOW + CLOCK + 1);
        uint256 id = vm.snapshotState();
        address[3] memory senders = [owner(0), owner(1), address(0x57)];
        for (uint256 i = 0; i < 3; i++) {
            vm.prank(senders[i]);
            game.forfeit(terms);
            (uint256 dispute, uint256 losers, ) = manager.resolved();
            assert(dispute == 3 && losers == 2);
            assert(game.creditOf(owner(i % 2)) == BOND / 2 && game.creditOf(owner(1 - (i % 2))) == 0);
            assert(!game.hasPrepaid(taskId(), owner(2)));
            vm.revertToState(id);
        }
        // It may still open, and nobody can call it silent then.
        BracketId bracket = game.open(terms, parts);
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.BracketExists.selector, bracket));
        game.forfeit(terms);
    }

    function test_nobodyForfeitsADisputeThatNoChallengeHasBegun() public {
        challenged();
        vm.warp(NOW + CLOCK + 1);
        terms.providers = 3;
        vm.expectRevert(IDisputeGame.NotByChallenge.selector);
        game.forfeit(terms);
        (terms.providers, terms.committee) = (2, address(1));
        vm.expectRevert(IDisputeGame.NotByChallenge.selector);
        game.forfeit(terms);
        terms.committee = address(0);
        manager.end(State.Challengeable);
        vm.expectRevert(IDisputeGame.NotBeforeThisGame.selector);
        game.forfeit(terms);
    }

    function test_theLongestGameIsTheSumOfAllTimes() public view {
        // Segments 0 to 4 make a tree of height 3, three steps one of height 2.
        uint256 heights = 21 + 25 + 22 + 3 + 2;
        uint256 longest = 2 * 1000 + (heights / 2) * 60 + 14 * 300;
        assert(game.longestRound(10, 3) == longest);
        assert(game.longestRound(1, 1) == longest - 2 * 60);
        assert(game.longestGame(10, 3) == 5 * longest);
        assert(address(game.manager()) == address(manager));
    }

    function test_theBondCoversTheGasOfASideAtTheChainsPrice() public {
        Judge judge = new Judge();
        ITaskManager tasks = game.manager();
        Pace memory pace = game.pace();
        vm.fee(3 gwei);
        uint256 least = 4 * 2 * 1_650_000 * uint256(3 gwei);
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.BondTooSmall.selector, least - 1, least));
        new DisputeGame(tasks, judge, pace, least - 1);
        assert(new DisputeGame(tasks, judge, pace, least).gasBond() == least);
    }

    function refuses(Roster memory roster, uint256 first, uint256 second) private {
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.NoPair.selector, first, second));
        game.pair(roster, first, second);
    }

    /// @dev Side 0 of a dispute that began at once makes no move.
    function silent(Roster memory roster, uint256 dispute, uint256 first, uint256 second) private {
        silentAt(roster, dispute, first, second, CLOCK, NOW);
    }

    function silentAt(
        Roster memory roster,
        uint256 dispute,
        uint256 first,
        uint256 second,
        uint256 clock,
        uint256 since
    ) private {
        (GameState memory state, Context memory context) = begun(roster, first, second, clock, since);
        assert(game.stateOf(dispute) == keccak256(abi.encode(state)));
        uint256 last = since + (clock > RECOMPUTE ? clock : RECOMPUTE);
        if (block.timestamp <= last) vm.warp(last + 1);
        game.timeout(dispute, state, context);
        assert(game.stateOf(dispute) == 0);
    }
}
