// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Bisection} from "./game/Bisection.sol";
import {Pace} from "./game/Clocks.sol";
import {Claim, Context, PairId, Sizes} from "./game/GameTypes.sol";
import {TreeShape} from "./game/TreeShape.sol";
import {Bracket, BracketId, IDisputeGame, JobParts, Player, Roster} from "./interfaces/IDisputeGame.sol";
import {IJudge} from "./interfaces/IJudge.sol";
import {ITaskManager, Phase, Resolution, State, Task} from "./interfaces/ITaskManager.sol";
import {JobId, RunRoot, TaskId} from "./libraries/Ids.sol";
import * as Tags from "./libraries/Tags.sol";
import {Terms, TermsLib} from "./libraries/Terms.sol";
import {JobHash} from "./training/JobHash.sol";
import {SizesLib} from "./training/Sizes.sol";
import {TrainingMachine} from "./training/TrainingMachine.sol";
import {JobFacts} from "./training/TrainingTypes.sol";

/// @title The game of `IDisputeGame`
contract DisputeGame is IDisputeGame, Bisection, TrainingMachine {
    using SizesLib for Sizes;
    using TermsLib for Terms;

    /// @dev Bits at the end of a bracket's name that the numbers of the two players replace.
    uint256 private constant PAIR_BITS = 16;
    /// @dev Heights of the largest trees: kernels and the new state; chunks; folds.
    uint256 private constant HEIGHTS = 21 + 25 + 22;
    /// @dev Times for moves that may need a training step to be recomputed: the pairing, the first, two at
    /// each of five levels, and the last.
    uint256 private constant RECOMPUTING = 13;

    /// @inheritdoc IDisputeGame
    ITaskManager public immutable manager;

    /// @dev Keyed by the bracket's name without its last bits.
    mapping(BracketId bracket => Bracket) private _brackets;
    mapping(PairId players => bool) private _paired;

    constructor(
        ITaskManager manager_,
        IJudge judge_,
        Pace memory pace_,
        uint256 gasBond_
    ) Bisection(pace_, gasBond_) TrainingMachine(judge_) {
        manager = manager_;
    }

    /// @inheritdoc IDisputeGame
    function judge() external view returns (IJudge) {
        return _judge;
    }

    /// @inheritdoc IDisputeGame
    function bracketOf(BracketId bracket) external view returns (Bracket memory) {
        return _brackets[_keyOf(bracket)];
    }

    /// @inheritdoc IDisputeGame
    function open(Terms calldata terms, JobParts calldata parts) external returns (BracketId bracket) {
        TaskId task = terms.idAt(address(manager));
        Task memory t = manager.taskOf(task);
        require(
            terms.game == address(this) && t.state == State.Disputed && t.phase == Phase.Playing,
            NotBeforeThisGame()
        );
        Roster memory roster = Roster({
            task: task,
            dispute: t.dispute,
            job: _factsOf(terms, parts),
            steps: terms.steps,
            commitEvery: terms.commitEvery,
            players: _playersOf(task, t)
        });
        bracket = BracketId.wrap(keccak256(abi.encode(roster)));
        Bracket storage b = _brackets[_keyOf(bracket)];
        require(b.players == 0, BracketExists(bracket));
        uint256 count = roster.players.length;
        b.players = uint24(count);
        b.standing = uint24((1 << count) - 1);
        emit Opened(task, bracket, roster);
    }

    /// @inheritdoc IDisputeGame
    function pair(Roster calldata roster, uint256 first, uint256 second) external returns (uint256 dispute) {
        (Bracket storage b, BracketId bracket) = _bracket(roster);
        require(first < second && second < b.players, NoPair(first, second));
        uint256 both = (1 << first) | (1 << second);
        PairId players = PairId.wrap(BracketId.unwrap(_keyOf(bracket)) | bytes32((first << 8) | second));
        Player calldata one = roster.players[first];
        Player calldata other = roster.players[second];
        bool fits = b.standing & both == both && !_paired[players] && one.claim != other.claim;
        require(fits, NoPair(first, second));
        _paired[players] = true;
        Context memory c;
        c.players = players;
        c.owners = [one.owner, other.owner];
        c.job = JobHash.hashOf(roster.job);
        c.sizes = SizesLib.ofRun(roster.steps, roster.commitEvery);
        c.claims = [Claim.wrap(RunRoot.unwrap(one.claim)), Claim.wrap(RunRoot.unwrap(other.claim))];
        dispute = _start(c);
        emit Paired(bracket, dispute, first, second);
    }

    /// @inheritdoc IDisputeGame
    function close(Terms calldata terms, Roster calldata roster) external {
        (Bracket storage b, BracketId bracket) = _bracket(roster);
        uint256 standing = b.standing;
        (bytes32[] memory claims, uint256 right) = _claimsOf(roster, standing);
        require(right == 0 || right & (right - 1) == 0, StillPlaying());
        emit Closed(bracket, standing);
        manager.resolve(
            terms,
            Resolution({
                dispute: roster.dispute,
                claims: claims,
                losers: ((1 << claims.length) - 1) ^ right,
                verdict: BracketId.unwrap(bracket)
            })
        );
    }

    /// @inheritdoc IDisputeGame
    function longestGame(uint256 steps, uint256 commitEvery) external view returns (uint256) {
        uint256 segments = SizesLib.ofRun(steps, commitEvery).segments();
        uint256 heights = HEIGHTS + TreeShape.heightOf(segments) + TreeShape.heightOf(commitEvery);
        // A move goes down two levels. In each tree one level is left for the opening, or for the payload.
        return 2 * uint256(_clock) + (heights / 2) * _response + RECOMPUTING * _recompute;
    }

    /// @inheritdoc Bisection
    function _losersOf(PairId players) internal view override returns (uint256) {
        return _losersAmong(players, _brackets[_bracketOf(players)].standing);
    }

    /// @inheritdoc Bisection
    /// @dev A player that is out cannot put another player out. So no player has to continue against it.
    function _ended(PairId players, uint256 losers) internal override {
        Bracket storage b = _brackets[_bracketOf(players)];
        uint256 standing = b.standing;
        if (_losersAmong(players, standing) != 0) return;
        (uint8 first, uint8 second) = _playersIn(players);
        uint256 out = ((losers & 1) << first) | ((losers >> 1) << second);
        b.standing = uint24(standing & ~out);
    }

    /// @return bit i: side i is not among the players that stand
    function _losersAmong(PairId players, uint256 standing) private pure returns (uint256) {
        (uint8 first, uint8 second) = _playersIn(players);
        return (~(standing >> first) & 1) | ((~(standing >> second) & 1) << 1);
    }

    function _bracket(Roster calldata roster) private view returns (Bracket storage b, BracketId bracket) {
        bracket = BracketId.wrap(keccak256(abi.encode(roster)));
        b = _brackets[_keyOf(bracket)];
        require(b.players != 0, NoSuchBracket(bracket));
    }

    function _keyOf(BracketId bracket) private pure returns (BracketId) {
        return BracketId.wrap((BracketId.unwrap(bracket) >> PAIR_BITS) << PAIR_BITS);
    }

    /// @return the bracket of a pair, by its name without the last bits
    function _bracketOf(PairId players) private pure returns (BracketId) {
        return _keyOf(BracketId.wrap(PairId.unwrap(players)));
    }

    /// @return first number of the first player in the roster
    function _playersIn(PairId players) private pure returns (uint8 first, uint8 second) {
        uint256 word = uint256(PairId.unwrap(players));
        return (uint8(word >> 8), uint8(word));
    }

    function _factsOf(Terms calldata terms, JobParts calldata parts) private pure returns (JobFacts memory) {
        uint8 kind = parts.fromCheckpoint ? 2 : 1;
        bytes memory head = abi.encodePacked(Tags.JOB, Tags.SPEC_VERSION, kind, terms.steps, uint32(parts.info.length), parts.info);
        JobId id = JobId.wrap(sha256(abi.encodePacked(head, parts.step, parts.init, parts.dataset)));
        require(id == terms.job, WrongJob(id));
        return JobFacts({
            id: id,
            step: parts.step,
            init: parts.init,
            fromCheckpoint: parts.fromCheckpoint,
            dataset: parts.dataset
        });
    }

    /// @return players the seats whose claims stand
    function _playersOf(TaskId task, Task memory t) private view returns (Player[] memory players) {
        uint256 standing = t.revealed & ~t.out;
        players = new Player[](t.seats);
        uint256 count = 0;
        for (uint256 seat = 0; seat < t.seats; seat++) {
            if (standing & (1 << seat) == 0) continue;
            (address owner, bytes32 claim) = manager.seatOf(task, seat);
            players[count++] = Player({owner: owner, claim: RunRoot.wrap(claim)});
        }
        assembly ("memory-safe") {
            mstore(players, count)
        }
    }

    /// @return claims the distinct claims of all players
    /// @return right bit i: a player stands with claims[i]
    function _claimsOf(
        Roster calldata roster,
        uint256 standing
    ) private pure returns (bytes32[] memory claims, uint256 right) {
        claims = new bytes32[](roster.players.length);
        uint256 count = 0;
        for (uint256 i = 0; i < roster.players.length; i++) {
            bytes32 claim = RunRoot.unwrap(roster.players[i].claim);
            uint256 known = 0;
            while (known < count && claims[known] != claim) known++;
            if (known == count) claims[count++] = claim;
            if (standing & (1 << i) != 0) right |= 1 << known;
        }
        assembly ("memory-safe") {
            mstore(claims, count)
        }
    }
}
