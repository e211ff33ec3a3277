// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {DisputeGame} from "../../../contracts/DisputeGame.sol";
import {Judge} from "../../../contracts/Judge.sol";
import {Pace} from "../../../contracts/game/Clocks.sol";
import {Claim, Context, GameState, PairId} from "../../../contracts/game/GameTypes.sol";
import {JobParts, Player, Roster} from "../../../contracts/interfaces/IDisputeGame.sol";
import {IGasBonds} from "../../../contracts/interfaces/IGasBonds.sol";
import {Phase, Resolution, State} from "../../../contracts/interfaces/ITaskManager.sol";
import {JobId, RunRoot, TaskId} from "../../../contracts/libraries/Ids.sol";
import * as Tags from "../../../contracts/libraries/Tags.sol";
import {Terms} from "../../../contracts/libraries/Terms.sol";
import {JobFacts} from "../../../contracts/training/TrainingTypes.sol";
import {Openings} from "../Openings.sol";
import {vm} from "../Vm.sol";
import {TestWorld} from "../World.sol";

/// @dev Attack 9: a challenger that never plays. It cost itself 150,000 gas and one wei of stake. The honest
/// side had to open the game, pair the players, post its bond, move, wait for the clock, and close: 400,000
/// gas and the bond at hand, and got nothing for it. Now the challenger posts the bond with its challenge and
/// opens the game itself. If it does not, one call ends the dispute, and half of the bond pays for it.
contract Attack09_SilentChallenger is TestWorld {
    uint256 private constant GWEI = 1e9;
    uint256 private constant BASE_FEE = 10 * GWEI;
    /// @dev The least that the constructor accepts at that base fee.
    uint256 private constant GAS_BOND = 8 * 1_650_000 * BASE_FEE;
    uint256 private constant CLOCK = 1 days;
    uint256 private constant CHALLENGER = 2;
    DisputeGame private game;
    JobParts private parts;

    function setUp() public override {
        super.setUp();
        vm.fee(BASE_FEE);
        Pace memory pace = Pace({clock: uint32(CLOCK), response: 600, recompute: 3600});
        game = new DisputeGame(manager, new Judge(), pace, GAS_BOND);
        parts = JobParts({infoHash: "info", step: "step", init: "init", dataset: "dataset", fromCheckpoint: false});
        vm.warp(1_800_000_000);
    }

    function gameAlone() private view returns (Terms memory terms) {
        terms = withGame();
        terms.committee = address(0);
        terms.game = address(game);
        terms.bond = 1;
        terms.periods.toPlay = 15 days;
        bytes memory head = abi.encodePacked(Tags.JOB, Tags.SPEC_VERSION, uint8(1), terms.steps, parts.infoHash);
        terms.job = JobId.wrap(sha256(abi.encodePacked(head, parts.step, parts.init, parts.dataset)));
    }

    /// @dev The challenger has revealed its claim and does nothing more.
    function silent(Terms memory terms) private returns (TaskId task) {
        task = agreed(terms);
        bytes32 hash = challengeHash(task, CHALLENGER, LIE);
        vm.deal(owner(CHALLENGER), GAS_BOND);
        vm.prank(owner(CHALLENGER));
        manager.challenge{value: GAS_BOND}(terms, TRUTH, hash);
        closeWindow(terms);
        revealChallenge(terms, CHALLENGER, LIE);
        assertPhase(task, Phase.Playing);
    }

    /// @return gas of a whole transaction: what the call takes, its calldata, and 21,000
    function send(address from, bytes memory data) private returns (uint256 gas) {
        uint256 tokens = 0;
        for (uint256 i = 0; i < data.length; i++) tokens += data[i] == 0 ? 1 : 4;
        vm.prank(from);
        uint256 before = gasleft();
        (bool taken, ) = address(game).call(data);
        gas = before - gasleft() + 21_000 + 4 * tokens;
        assert(taken);
    }

    function test_attack09_aSilentChallengerPaysForTheAccused() public {
        Terms memory terms = gameAlone();
        TaskId task = silent(terms);
        vm.warp(block.timestamp + CLOCK + 1);
        address accused = owner(1);
        assert(accused.balance == 0);
        uint256 gas = send(accused, abi.encodeCall(game.forfeit, (terms)));
        // Coverage counts by instructions of its own. What it takes is in test/contracts/game-gas.json.
        assert(gas < 250_000);
        assertState(task, State.Settled);
        assert(lossOf(owner(CHALLENGER)) == 1 && game.creditOf(accused) == GAS_BOND / 2);
        // At four times the base fee that the bond was chosen for, the accused still gains.
        assert(game.creditOf(accused) > gas * 4 * BASE_FEE);
        pastDeadline(task);
        manager.finalize(terms);
        assert(lossOf(owner(0)) == 0 && lossOf(owner(1)) == 0 && credit(owner(0)) == REWARD);
    }

    /// @dev However many are silent, and whatever they claim: one call ends all, and half of each bond is the
    /// accused's.
    function test_attack09_manySilentChallengers() public {
        Terms memory terms = gameAlone();
        TaskId task = agreed(terms);
        for (uint256 i = 2; i < 6; i++) {
            bytes32 hash = challengeHash(task, i, i % 2 == 0 ? LIE : LIE_2);
            vm.deal(owner(i), GAS_BOND);
            vm.prank(owner(i));
            manager.challenge{value: GAS_BOND}(terms, TRUTH, hash);
        }
        closeWindow(terms);
        for (uint256 i = 2; i < 6; i++) revealChallenge(terms, i, i % 2 == 0 ? LIE : LIE_2);
        vm.warp(block.timestamp + CLOCK + 1);
        vm.prank(owner(1));
        game.forfeit(terms);
        assertState(task, State.Settled);
        assert(game.creditOf(owner(1)) == 2 * GAS_BOND && game.creditOf(owner(0)) == 0);
        for (uint256 i = 2; i < 6; i++) assert(lossOf(owner(i)) == 1);
        pastDeadline(task);
        manager.finalize(terms);
        assert(lossOf(owner(0)) == 0 && lossOf(owner(1)) == 0);
    }

    /// @dev A stranger ends it: half of the bond is for the first seat that stands, not for one that is out.
    function test_attack09_whoeverEndsItTheAccusedIsPaid() public {
        Terms memory terms = gameAlone();
        TaskId task = committed(terms, list(TRUTH, TRUTH));
        reveal(task, 1, TRUTH);
        pastDeadline(task);
        manager.expire(terms);
        manager.compare(task);
        bytes32 hash = challengeHash(task, CHALLENGER, LIE);
        vm.deal(owner(CHALLENGER), GAS_BOND);
        vm.prank(owner(CHALLENGER));
        manager.challenge{value: GAS_BOND}(terms, TRUTH, hash);
        closeWindow(terms);
        revealChallenge(terms, CHALLENGER, LIE);
        vm.warp(block.timestamp + CLOCK + 1);
        game.forfeit(terms);
        assert(game.creditOf(owner(1)) == GAS_BOND / 2 && game.creditOf(owner(0)) == 0);
    }

    /// @dev Nobody is out before the challenger has had its clock.
    function test_attack09_aChallengerThatOpensInTimePlays() public {
        Terms memory terms = gameAlone();
        silent(terms);
        vm.warp(block.timestamp + CLOCK);
        vm.prank(owner(0));
        (bool taken, ) = address(game).call(abi.encodeCall(game.forfeit, (terms)));
        assert(!taken);
        game.open(terms, parts);
        vm.warp(block.timestamp + 1);
        vm.prank(owner(0));
        (taken, ) = address(game).call(abi.encodeCall(game.forfeit, (terms)));
        assert(!taken);
    }

    /// @dev It opens and pairs, and then never moves: it moves first, so it loses.
    function test_attack09_aChallengerThatOpensAndThenIsSilent() public {
        Terms memory terms = gameAlone();
        TaskId task = silent(terms);
        Roster memory roster = rosterOf(task, terms);
        vm.prank(owner(CHALLENGER));
        game.open(terms, parts);
        vm.prank(owner(CHALLENGER));
        game.pair(roster, 1, 2);
        (GameState memory state, Context memory context) = begun(roster, terms);
        vm.warp(block.timestamp + CLOCK + 1);
        address accused = owner(1);
        uint256 gas = send(accused, abi.encodeCall(game.timeout, (1, state, context)));
        gas += send(accused, abi.encodeCall(game.close, (terms, roster)));
        // Nobody else had to post, so half of the bond is for all that stand.
        assert(lossOf(owner(CHALLENGER)) == 1 && game.creditOf(accused) == GAS_BOND / 4);
        assert(game.creditOf(accused) > gas * 4 * BASE_FEE);
        assertState(task, State.Settled);
    }

    function test_attack09_aChallengeWithoutTheBondIsRefused() public {
        Terms memory terms = gameAlone();
        TaskId task = agreed(terms);
        bytes32 hash = challengeHash(task, CHALLENGER, LIE);
        vm.expectRevert(abi.encodeWithSelector(IGasBonds.WrongBond.selector, 0, GAS_BOND));
        vm.prank(owner(CHALLENGER));
        manager.challenge(terms, TRUTH, hash);
        assert(vault.accountOf(owner(CHALLENGER)).exposed == 0);
    }

    /// @dev A liar that takes a ruling to the game posts the bond as well.
    function test_attack09_anEscalationWithoutTheBondIsRefused() public {
        Terms memory terms = gameAlone();
        terms.committee = COMMITTEE;
        TaskId task = disputed(terms);
        Resolution memory r = secondLies(task);
        resolve(terms, r);
        vm.expectRevert(abi.encodeWithSelector(IGasBonds.WrongBond.selector, 0, GAS_BOND));
        vm.prank(owner(1));
        manager.escalate(terms, r, 1);
        vm.deal(owner(1), GAS_BOND);
        vm.prank(owner(1));
        manager.escalate{value: GAS_BOND}(terms, r, 1);
        assert(game.hasPrepaid(task, owner(1)));
        // Nobody opens the game, so the ruling takes effect. Once the task is final, the bond is free again.
        pastDeadline(task);
        manager.enforce(terms, r);
        pastDeadline(task);
        manager.finalize(terms);
        game.reclaim(terms, owner(1));
        assert(game.creditOf(owner(1)) == GAS_BOND && lossOf(owner(1)) == STAKE);
    }

    /// @dev An account that is no game takes no bond.
    function test_attack09_whereThereIsNoGameThereIsNoBond() public {
        Terms memory terms = withGame();
        TaskId task = agreed(terms);
        bytes32 hash = challengeHash(task, CHALLENGER, LIE);
        vm.deal(owner(CHALLENGER), 1);
        vm.expectRevert(abi.encodeWithSelector(IGasBonds.WrongBond.selector, 1, 0));
        vm.prank(owner(CHALLENGER));
        manager.challenge{value: 1}(terms, TRUTH, hash);
    }

    function rosterOf(TaskId task, Terms memory terms) private view returns (Roster memory roster) {
        Player[] memory players = new Player[](3);
        for (uint256 i = 0; i < 3; i++) players[i] = Player({owner: owner(i), claim: i < 2 ? TRUTH : LIE});
        roster.task = task;
        roster.dispute = 1;
        roster.since = uint40(block.timestamp);
        roster.job = JobFacts({
            id: terms.job,
            step: parts.step,
            init: parts.init,
            fromCheckpoint: false,
            dataset: parts.dataset
        });
        (roster.steps, roster.commitEvery) = (terms.steps, terms.commitEvery);
        roster.players = players;
    }

    /// @dev The dispute of players 2 and 1. The challenger moves first.
    function begun(Roster memory roster, Terms memory terms) private view returns (GameState memory, Context memory) {
        uint256 bracket = uint256(keccak256(abi.encode(roster.task, roster.dispute)));
        Claim[2] memory claims = [Claim.wrap(RunRoot.unwrap(LIE)), Claim.wrap(RunRoot.unwrap(TRUTH))];
        PairId pair = PairId.wrap(bytes32(((bracket >> 16) << 16) | (2 << 8) | 1));
        address[2] memory owners = [owner(2), owner(1)];
        Context memory context = Openings.contextOf(pair, owners, roster.job, terms.steps, terms.commitEvery, claims);
        return (Openings.start(context, CLOCK, CLOCK, block.timestamp), context);
    }
}
