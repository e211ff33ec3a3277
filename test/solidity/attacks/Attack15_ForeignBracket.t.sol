// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {DisputeGame} from "../../../contracts/DisputeGame.sol";
import {Judge} from "../../../contracts/Judge.sol";
import {Pace} from "../../../contracts/game/Clocks.sol";
import {Claim, Context, GameState, PairId} from "../../../contracts/game/GameTypes.sol";
import {BracketId, IDisputeGame, JobParts, Player, Roster} from "../../../contracts/interfaces/IDisputeGame.sol";
import {Phase, State, Task} from "../../../contracts/interfaces/ITaskManager.sol";
import {JobId, RunRoot, TaskId} from "../../../contracts/libraries/Ids.sol";
import * as Tags from "../../../contracts/libraries/Tags.sol";
import {Terms} from "../../../contracts/libraries/Terms.sol";
import {JobFacts} from "../../../contracts/training/TrainingTypes.sol";
import {Openings} from "../Openings.sol";
import {vm} from "../Vm.sol";
import {TestWorld} from "../World.sol";

/// @dev An attacker plays a bracket against itself in a task of its own, in which the true claim loses, and
/// keeps it open. It must decide no dispute of another task. Real manager, vault and game.
contract Attack15_ForeignBracket is TestWorld {
    uint256 private constant GAS_BOND = 1 ether;
    uint32 private constant CLOCK = 1 hours;
    DisputeGame private game;
    JobParts private parts;

    function setUp() public override {
        build();
        Pace memory pace = Pace({clock: CLOCK, response: 60, recompute: 300});
        game = new DisputeGame(manager, new Judge(), pace, GAS_BOND);
        parts = JobParts({infoHash: "info", step: "step", init: "init", dataset: "dataset", fromCheckpoint: false});
    }

    function terms_() private view returns (Terms memory terms) {
        terms = defaultTerms();
        terms.committee = address(0);
        terms.game = address(game);
        uint256 longest = game.longestGame(terms.steps, terms.commitEvery);
        terms.periods.toPlay = uint32(longest);
        bytes memory head = abi.encodePacked(Tags.JOB, Tags.SPEC_VERSION, uint8(1), terms.steps, parts.infoHash);
        terms.job = JobId.wrap(sha256(abi.encodePacked(head, parts.step, parts.init, parts.dataset)));
    }

    function move(Terms memory terms, uint256[2] memory who, RunRoot[2] memory roots) private returns (TaskId task) {
        vm.prank(terms.client);
        task = manager.post(terms);
        for (uint256 i = 0; i < 2; i++) {
            vm.prank(owner(who[i]));
            manager.accept(task);
        }
        for (uint256 i = 0; i < 2; i++) {
            bytes32 hash = manager.commitmentOf(task, owner(who[i]), roots[i], "salt");
            vm.prank(owner(who[i]));
            manager.commit(task, i, hash);
        }
        for (uint256 i = 0; i < 2; i++) manager.reveal(task, i, roots[i], "salt");
        manager.compare(task);
    }

    /// @dev The attacker's own task, whose game it loses on purpose with the true claim. It loses nothing:
    /// its rewards are zero, and the task ends undecided.
    function prepare() private returns (Roster memory roster) {
        Terms memory mine = terms_();
        mine.client = owner(4);
        mine.salt = "mine";
        mine.reward = 0;
        mine.stake = 1;
        mine.bond = 1;
        // The true claim has the later seat, so it moves first. It doesn't.
        TaskId task = move(mine, [uint256(5), 6], [LIE, TRUTH]);
        Player[] memory players = new Player[](2);
        players[0] = Player({owner: owner(5), claim: LIE});
        players[1] = Player({owner: owner(6), claim: TRUTH});
        JobFacts memory job = JobFacts(mine.job, parts.step, parts.init, false, parts.dataset);
        roster = Roster(task, 1, uint40(block.timestamp), job, mine.steps, mine.commitEvery, players);
        BracketId bracket = game.open(mine, parts);
        uint256 dispute = game.pair(roster, 0, 1);
        PairId pair = PairId.wrap(((BracketId.unwrap(bracket) >> 16) << 16) | bytes32(uint256(1) << 8));
        Context memory c = Openings.contextOf(
            pair, [owner(6), owner(5)], job, mine.steps, mine.commitEvery,
            [Claim.wrap(RunRoot.unwrap(TRUTH)), Claim.wrap(RunRoot.unwrap(LIE))]
        );
        GameState memory state = Openings.start(c, CLOCK, CLOCK, block.timestamp);
        vm.warp(block.timestamp + CLOCK + 1);
        game.timeout(dispute, state, c);
        assert(game.bracketOf(bracket).standing == 1 && !game.bracketOf(bracket).closed);
        // Its own task ends undecided, and its stakes are free again.
        pastDeadline(task);
        manager.expire(mine);
        assert(lossOf(owner(5)) == 0 && lossOf(owner(6)) == 0);
    }

    /// @dev Also with a roster that says that it is of this task: then there is no such bracket.
    function _refusesToClose(address by, Terms memory terms, Roster memory roster) private {
        vm.prank(by);
        vm.expectRevert(IDisputeGame.NotBeforeThisGame.selector);
        game.close(terms, roster);
        TaskId own = roster.task;
        roster.task = manager.taskId(terms);
        vm.prank(by);
        vm.expectPartialRevert(IDisputeGame.NoSuchBracket.selector);
        game.close(terms, roster);
        roster.task = own;
    }

    /// @dev A lying provider would have the honest one slashed in the block in which the dispute begins.
    function test_aLyingProviderCannotCloseWithIt() public {
        Roster memory roster = prepare();
        Terms memory terms = terms_();
        TaskId task = move(terms, [uint256(0), 1], [TRUTH, LIE]);
        assertPhase(task, Phase.Playing);
        _refusesToClose(owner(1), terms, roster);
        assertPhase(task, Phase.Playing);
        assert(vault.accountOf(owner(0)).exposed == STAKE);
    }

    /// @dev A stranger would take both stakes of providers that agree on a right result.
    function test_aChallengerCannotCloseWithIt() public {
        Roster memory roster = prepare();
        Terms memory terms = terms_();
        TaskId task = move(terms, [uint256(0), 1], [TRUTH, TRUTH]);
        assertState(task, State.Challengeable);
        bytes32 hash = challengeHash(task, 2, LIE);
        vm.deal(owner(2), GAS_BOND);
        vm.prank(owner(2));
        manager.challenge{value: GAS_BOND}(terms, TRUTH, hash);
        closeWindow(terms);
        revealChallenge(terms, 2, LIE);
        assertPhase(task, Phase.Playing);
        _refusesToClose(owner(2), terms, roster);
        assertPhase(task, Phase.Playing);
        assert(vault.accountOf(owner(0)).exposed == STAKE && vault.accountOf(owner(1)).exposed == STAKE);
    }

    /// @dev A committee that has ruled rightly would be overruled by the loser.
    function test_whoEscalatesCannotCloseWithIt() public {
        Roster memory roster = prepare();
        Terms memory terms = terms_();
        terms.committee = COMMITTEE;
        TaskId task = move(terms, [uint256(0), 1], [TRUTH, LIE]);
        resolve(terms, secondLies(task));
        vm.deal(owner(1), GAS_BOND);
        vm.prank(owner(1));
        manager.escalate{value: GAS_BOND}(terms, ruling(1, list(TRUTH, LIE), 2), 1);
        _refusesToClose(owner(1), terms, roster);
        assertPhase(task, Phase.Playing);
        assert(vault.accountOf(owner(0)).exposed == STAKE);
    }
}
