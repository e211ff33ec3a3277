// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {DisputeGame} from "../../../contracts/DisputeGame.sol";
import {Judge} from "../../../contracts/Judge.sol";
import {Pace} from "../../../contracts/game/Clocks.sol";
import {Claim, Context, GameState, PairId} from "../../../contracts/game/GameTypes.sol";
import {BracketId, IDisputeGame, JobParts, Player, Roster} from "../../../contracts/interfaces/IDisputeGame.sol";
import {Phase, State} from "../../../contracts/interfaces/ITaskManager.sol";
import {JobId, RunRoot, TaskId} from "../../../contracts/libraries/Ids.sol";
import * as Tags from "../../../contracts/libraries/Tags.sol";
import {Terms} from "../../../contracts/libraries/Terms.sol";
import {JobFacts} from "../../../contracts/training/TrainingTypes.sol";
import {Openings} from "../Openings.sol";
import {vm} from "../Vm.sol";
import {TestWorld} from "../World.sol";

/// @dev Attack 10: every challenger's seat of a task is a liar's, each with another lie. When all pairs
/// played at once, an honest seat had 22 disputes at the same time, and one missed deadline in any of them
/// cost its stake. Now it meets one claim at a time, in at most five rounds, and nobody waits for liars that
/// don't play with each other.
contract Attack10_ManyLiars is TestWorld {
    uint256 private constant GAS_BOND = 0.1 ether;
    uint256 private constant CLOCK = 1 days;
    uint256 private constant LIARS = 22;
    uint256 private constant ROUNDS = 5;
    DisputeGame private game;
    JobParts private parts;
    Dispute[] private disputes;
    uint256 private ended;

    struct Dispute {
        GameState state;
        Context context;
    }

    function setUp() public override {
        super.setUp();
        for (uint256 i = 8; i < 2 + LIARS; i++) fund(owner(i));
        Pace memory pace = Pace({clock: uint32(CLOCK), response: 600, recompute: 3600});
        vm.fee(0);
        game = new DisputeGame(manager, new Judge(), pace, GAS_BOND);
        parts = JobParts({infoHash: "info", step: "step", init: "init", dataset: "dataset", fromCheckpoint: false});
        vm.warp(1_800_000_000);
    }

    function gameAlone() private view returns (Terms memory terms) {
        terms = withGame();
        terms.committee = address(0);
        terms.game = address(game);
        terms.periods.toPlay = uint32(game.longestGame(terms.steps, terms.commitEvery));
        bytes memory head = abi.encodePacked(Tags.JOB, Tags.SPEC_VERSION, uint8(1), terms.steps, parts.infoHash);
        terms.job = JobId.wrap(sha256(abi.encodePacked(head, parts.step, parts.init, parts.dataset)));
    }

    /// @dev What the liar with this seat claims.
    function lie(uint256 seat) private pure returns (RunRoot) {
        return RunRoot.wrap(keccak256(abi.encode("lie", seat)));
    }

    /// @dev All liars have challenged and have a seat, and one of them has opened the bracket.
    function flooded(Terms memory terms) private returns (TaskId task, Roster memory roster) {
        task = agreed(terms);
        for (uint256 i = 2; i < 2 + LIARS; i++) {
            bytes32 hash = challengeHash(task, i, lie(i));
            vm.deal(owner(i), GAS_BOND);
            vm.prank(owner(i));
            manager.challenge{value: GAS_BOND}(terms, TRUTH, hash);
        }
        closeWindow(terms);
        for (uint256 i = 2; i < 2 + LIARS; i++) revealChallenge(terms, i, lie(i));
        assertPhase(task, Phase.Playing);
        roster = rosterOf(task, terms);
        game.open(terms, parts);
    }

    function rosterOf(TaskId task, Terms memory terms) private view returns (Roster memory roster) {
        Player[] memory players = new Player[](2 + LIARS);
        for (uint256 i = 0; i < players.length; i++) players[i] = Player({owner: owner(i), claim: i < 2 ? TRUTH : lie(i)});
        JobFacts memory job = JobFacts(terms.job, parts.step, parts.init, false, parts.dataset);
        return Roster(task, 1, uint40(block.timestamp), job, terms.steps, terms.commitEvery, players);
    }

    /// @dev The later player moves first, since it has posted its bond, and is silent.
    function begin(Roster memory roster, uint256 player, uint256 silent) private {
        uint256 bracket = uint256(keccak256(abi.encode(roster.task, roster.dispute)));
        PairId pair = PairId.wrap(bytes32(((bracket >> 16) << 16) | (silent << 8) | player));
        Claim[2] memory claims = [claimOf(roster, silent), claimOf(roster, player)];
        address[2] memory owners = [owner(silent), owner(player)];
        Context memory c = Openings.contextOf(pair, owners, roster.job, roster.steps, roster.commitEvery, claims);
        Dispute storage d = disputes.push();
        (d.state, d.context) = (Openings.start(c, CLOCK, CLOCK, block.timestamp), c);
        assert(game.pair(roster, player, silent) == disputes.length);
    }

    /// @dev All disputes that have begun end by the silence of the side that moves first.
    function end() private {
        vm.warp(block.timestamp + CLOCK + 1);
        for (; ended < disputes.length; ended++)
            game.timeout(ended + 1, disputes[ended].state, disputes[ended].context);
    }

    function claimOf(Roster memory roster, uint256 player) private pure returns (Claim) {
        return Claim.wrap(RunRoot.unwrap(roster.players[player].claim));
    }

    function standing(Roster memory roster) private view returns (uint256) {
        return game.bracketOf(BracketId.wrap(keccak256(abi.encode(roster.task, roster.dispute)))).standing;
    }

    function settled(Terms memory terms, TaskId task, Roster memory roster) private {
        game.close(terms, roster);
        assertState(task, State.Settled);
        // Half of all bonds is shared by the two that were accused. Neither has had to post one.
        assert(game.creditOf(owner(0)) == (LIARS * GAS_BOND) / 4 && game.creditOf(owner(1)) == (LIARS * GAS_BOND) / 4);
        pastDeadline(task);
        manager.finalize(terms);
        for (uint256 i = 0; i < 2 + LIARS; i++) assert(lossOf(owner(i)) == (i < 2 ? 0 : BOND));
        assert(credit(owner(0)) == REWARD + (LIARS * BOND * 2) / 10);
    }

    /// @dev None of the liars can bring its claim before the honest seat out of its turn.
    function test_attack10_oneOpponentAtATime() public {
        (, Roster memory roster) = flooded(gameAlone());
        for (uint256 seat = 3; seat < 2 + LIARS; seat++) {
            vm.expectRevert(abi.encodeWithSelector(IDisputeGame.NoPair.selector, 0, seat));
            game.pair(roster, 0, seat);
        }
        assert(game.pair(roster, 0, 2) == 1);
    }

    /// @dev All are silent. After one dispute of the honest seat, one call puts out whoever has not played,
    /// and the rest is over when the last but one round is.
    function test_attack10_liarsThatDoNotPlayDelayNothing() public {
        Terms memory terms = gameAlone();
        (TaskId task, Roster memory roster) = flooded(terms);
        uint256 round = game.longestRound(terms.steps, terms.commitEvery);
        begin(roster, 0, 2);
        end();
        vm.expectRevert(IDisputeGame.StillPlaying.selector);
        game.fall(roster);
        vm.warp(roster.since + round + 1);
        game.fall(roster);
        // Claim 22 has no neighbour, so it reaches the fifth round without a move.
        assert(standing(roster) == (1 << 23) | 3);
        begin(roster, 0, 23);
        end();
        settled(terms, task, roster);
    }

    /// @dev One liar reaches each round. The honest seat has five disputes, one after the other, and the last
    /// one ends in time.
    function test_attack10_oneLiarReachesEachRound() public {
        Terms memory terms = gameAlone();
        (TaskId task, Roster memory roster) = flooded(terms);
        uint256 round = game.longestRound(terms.steps, terms.commitEvery);
        // Claim i + 1 is that of seat i + 2. These beat their neighbours, and all others fall.
        uint8[2][5] memory first = [[0, 2], [3, 4], [5, 6], [9, 10], [17, 18]];
        for (uint256 i = 0; i < 5; i++) begin(roster, first[i][0], first[i][1]);
        end();
        vm.warp(roster.since + round + 1);
        game.fall(roster);
        assert(standing(roster) == 3 | (1 << 3) | (1 << 5) | (1 << 9) | (1 << 17) | (1 << 23));
        begin(roster, 17, 23);
        uint8[4] memory opponents = [3, 5, 9, 17];
        for (uint256 i = 0; i < 4; i++) {
            begin(roster, 0, opponents[i]);
            end();
        }
        assert(block.timestamp <= roster.since + ROUNDS * round);
        settled(terms, task, roster);
    }

    /// @dev Liars that play with each other for ever put themselves out, and nobody else.
    function test_attack10_claimsThatStillPlayFallTogether() public {
        (, Roster memory roster) = flooded(gameAlone());
        begin(roster, 0, 2);
        uint256 id = vm.snapshotState();
        end();
        for (uint256 seat = 3; seat < 1 + LIARS; seat += 2) begin(roster, seat, seat + 1);
        uint256 round = game.longestRound(roster.steps, roster.commitEvery);
        vm.warp(roster.since + round + 1);
        game.fall(roster);
        assert(standing(roster) == (1 << 23) | 3);
        // If the honest seat does not play in time, it falls too.
        vm.revertToState(id);
        vm.warp(roster.since + round + 1);
        game.fall(roster);
        assert(standing(roster) == 1 << 23);
    }
}
