// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Bisection} from "./game/Bisection.sol";
import {Pace} from "./game/Clocks.sol";
import {Descent} from "./game/Descent.sol";
import {Context, JobFacts} from "./game/GameTypes.sol";
import {JobHash} from "./game/JobHash.sol";
import {SizeWord} from "./game/SizeWord.sol";
import {Bracket, IDisputeGame, JobParts, Player, Roster} from "./interfaces/IDisputeGame.sol";
import {IJudge} from "./interfaces/IJudge.sol";
import {ITaskManager, Phase, Resolution, State, Task} from "./interfaces/ITaskManager.sol";
import {Terms, TermsLib} from "./libraries/Terms.sol";

/// @title The game of `IDisputeGame`
contract DisputeGame is IDisputeGame, Bisection {
    using SizeWord for uint256;
    using TermsLib for Terms;

    bytes1 private constant JOB = 0x0b;
    uint32 private constant SPEC_VERSION = 2;
    /// @dev Bits of a bracket's name that give way to the numbers of the two players.
    uint256 private constant PAIR_BITS = 16;
    /// @dev Heights of the largest trees: kernels and the new state; chunks; folds.
    uint256 private constant HEIGHTS = 21 + 25 + 22;
    /// @dev Times for moves that may need a step to be computed again: the pairing, the first, two at each of five levels, and the last.
    uint256 private constant RECOMPUTING = 13;

    /// @inheritdoc IDisputeGame
    ITaskManager public immutable manager;

    /// @dev By name without the last bits.
    mapping(bytes32 bracket => Bracket) private _brackets;
    mapping(bytes32 players => bool) private _paired;

    constructor(
        ITaskManager manager_,
        IJudge judge_,
        Pace memory pace_,
        uint256 gasBond_
    ) Bisection(judge_, pace_, gasBond_) {
        manager = manager_;
    }

    /// @inheritdoc IDisputeGame
    function bracketOf(bytes32 bracket) external view returns (Bracket memory) {
        return _brackets[_keyOf(bracket)];
    }

    /// @inheritdoc IDisputeGame
    function open(Terms calldata terms, JobParts calldata parts) external returns (bytes32 bracket) {
        bytes32 task = terms.idAt(address(manager));
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
        bracket = keccak256(abi.encode(roster));
        Bracket storage b = _brackets[_keyOf(bracket)];
        require(b.players == 0, BracketExists(bracket));
        uint256 count = roster.players.length;
        b.players = uint24(count);
        b.standing = uint24((1 << count) - 1);
        emit Opened(task, bracket, roster);
    }

    /// @inheritdoc IDisputeGame
    function pair(Roster calldata roster, uint256 first, uint256 second) external returns (uint256 dispute) {
        (Bracket storage b, bytes32 bracket) = _bracket(roster);
        require(first < second && second < b.players, NoPair(first, second));
        uint256 both = (1 << first) | (1 << second);
        bytes32 players = _keyOf(bracket) | bytes32((first << 8) | second);
        Player calldata one = roster.players[first];
        Player calldata other = roster.players[second];
        bool fits = b.standing & both == both && !_paired[players] && one.claim != other.claim;
        require(fits, NoPair(first, second));
        _paired[players] = true;
        Context memory c;
        c.players = players;
        c.owners = [one.owner, other.owner];
        c.job = JobHash.hashOf(roster.job);
        c.sizes = SizeWord.ofRun(roster.steps, roster.commitEvery);
        c.claims = [one.claim, other.claim];
        dispute = _start(c);
        emit Paired(bracket, dispute, first, second);
    }

    /// @inheritdoc IDisputeGame
    function close(Terms calldata terms, Roster calldata roster) external {
        (Bracket storage b, bytes32 bracket) = _bracket(roster);
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
                verdict: bracket
            })
        );
    }

    /// @inheritdoc IDisputeGame
    function longestGame(uint256 steps, uint256 commitEvery) external view returns (uint256) {
        uint256 segments = SizeWord.ofRun(steps, commitEvery).segments();
        uint256 heights = HEIGHTS + Descent.heightOf(segments) + Descent.heightOf(commitEvery);
        // A move goes down two levels; in each tree one is left for the opening, or for the payload.
        return 2 * uint256(_clock) + (heights / 2) * _response + RECOMPUTING * _recompute;
    }

    /// @inheritdoc Bisection
    function _losersOf(bytes32 players) internal view override returns (uint256) {
        return _losersAmong(players, _brackets[_keyOf(players)].standing);
    }

    /// @inheritdoc Bisection
    /// @dev Who is out can put nobody else out, so that nobody has to go on against it.
    function _ended(bytes32 players, uint256 losers) internal override {
        Bracket storage b = _brackets[_keyOf(players)];
        uint256 standing = b.standing;
        if (_losersAmong(players, standing) != 0) return;
        uint256 out = ((losers & 1) << uint8(uint256(players) >> 8)) | ((losers >> 1) << uint8(uint256(players)));
        b.standing = uint24(standing & ~out);
    }

    /// @return bit i: side i is not among those that stand
    function _losersAmong(bytes32 players, uint256 standing) private pure returns (uint256) {
        uint256 first = ~(standing >> uint8(uint256(players) >> 8)) & 1;
        return first | ((~(standing >> uint8(uint256(players))) & 1) << 1);
    }

    function _bracket(Roster calldata roster) private view returns (Bracket storage b, bytes32 bracket) {
        bracket = keccak256(abi.encode(roster));
        b = _brackets[_keyOf(bracket)];
        require(b.players != 0, NoSuchBracket(bracket));
    }

    function _keyOf(bytes32 bracket) private pure returns (bytes32) {
        return (bracket >> PAIR_BITS) << PAIR_BITS;
    }

    function _factsOf(Terms calldata terms, JobParts calldata parts) private pure returns (JobFacts memory) {
        uint8 kind = parts.fromCheckpoint ? 2 : 1;
        bytes memory head = abi.encodePacked(JOB, SPEC_VERSION, kind, terms.steps, uint32(parts.info.length), parts.info);
        bytes32 id = sha256(abi.encodePacked(head, parts.step, parts.init, parts.dataset));
        require(id == terms.job, WrongJob(id));
        return JobFacts({
            id: id,
            step: parts.step,
            init: parts.init,
            fromCheckpoint: parts.fromCheckpoint,
            dataset: parts.dataset
        });
    }

    /// @return players seats whose claims stand
    function _playersOf(bytes32 task, Task memory t) private view returns (Player[] memory players) {
        uint256 standing = t.revealed & ~t.out;
        players = new Player[](t.seats);
        uint256 count = 0;
        for (uint256 seat = 0; seat < t.seats; seat++) {
            if (standing & (1 << seat) == 0) continue;
            (address owner, bytes32 claim) = manager.seatOf(task, seat);
            players[count++] = Player({owner: owner, claim: claim});
        }
        assembly ("memory-safe") {
            mstore(players, count)
        }
    }

    /// @return claims the distinct ones of all players
    /// @return right bit i: a player stands with claims[i]
    function _claimsOf(
        Roster calldata roster,
        uint256 standing
    ) private pure returns (bytes32[] memory claims, uint256 right) {
        claims = new bytes32[](roster.players.length);
        uint256 count = 0;
        for (uint256 i = 0; i < roster.players.length; i++) {
            bytes32 claim = roster.players[i].claim;
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
