// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Bisection} from "./game/Bisection.sol";
import {Pace} from "./game/Clocks.sol";
import {Descent} from "./game/Descent.sol";
import {JobFacts} from "./game/GameTypes.sol";
import {SizeWord} from "./game/SizeWord.sol";
import {Bracket, IDisputeGame, JobParts, Roster} from "./interfaces/IDisputeGame.sol";
import {IJudge} from "./interfaces/IJudge.sol";
import {ITaskManager, Phase, Resolution, State, Task} from "./interfaces/ITaskManager.sol";
import {Terms, TermsLib} from "./libraries/Terms.sol";

/// @title The game of `IDisputeGame`
contract DisputeGame is IDisputeGame, Bisection {
    using SizeWord for uint256;
    using TermsLib for Terms;

    bytes1 private constant JOB = 0x0b;
    uint32 private constant SPEC_VERSION = 2;
    uint256 private constant MAX_CLAIMS = 8;
    /// @dev Bits of a bracket's name that give way to the numbers of the two players.
    uint256 private constant PAIR_BITS = 16;
    /// @dev Heights of the largest trees: kernels and the new state; chunks; folds.
    uint256 private constant HEIGHTS = 21 + 25 + 22;
    /// @dev Moves that may need a step to be computed again: the first, two at each of five levels, and the last.
    uint256 private constant RECOMPUTING = 12;

    /// @inheritdoc IDisputeGame
    ITaskManager public immutable manager;

    /// @dev By name without the last bits.
    mapping(bytes32 bracket => Bracket) private _brackets;

    constructor(ITaskManager manager_, IJudge judge_, Pace memory pace_) Bisection(judge_, pace_) {
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
            claims: _claimsOf(task, t)
        });
        bracket = keccak256(abi.encode(roster));
        Bracket storage b = _brackets[_keyOf(bracket)];
        require(b.claims == 0, BracketExists(bracket));
        uint256 count = roster.claims.length;
        b.claims = uint8(count);
        b.standing = uint8((1 << count) - 1);
        emit Opened(task, bracket, roster);
        for (uint256 first = 0; first + 1 < count; first += 2) _pair(b, bracket, roster, first, first + 1);
    }

    /// @inheritdoc IDisputeGame
    function pair(Roster calldata roster, uint256 first, uint256 second) external returns (uint256 dispute) {
        (Bracket storage b, bytes32 bracket) = _bracket(roster);
        return _pair(b, bracket, roster, first, second);
    }

    /// @inheritdoc IDisputeGame
    function close(Terms calldata terms, Roster calldata roster) external {
        (Bracket storage b, bytes32 bracket) = _bracket(roster);
        uint256 standing = b.standing;
        require(b.playing == 0 && (standing == 0 || standing & (standing - 1) == 0), StillPlaying());
        emit Closed(bracket, standing);
        manager.resolve(
            terms,
            Resolution({
                dispute: roster.dispute,
                claims: roster.claims,
                losers: ((1 << roster.claims.length) - 1) ^ standing,
                verdict: bracket
            })
        );
    }

    /// @inheritdoc IDisputeGame
    function longestGame(uint256 claims, uint256 steps, uint256 commitEvery) external view returns (uint256) {
        require(claims <= MAX_CLAIMS, TooManyClaims(claims));
        uint256 segments = SizeWord.ofRun(steps, commitEvery).segments();
        uint256 heights = HEIGHTS + Descent.heightOf(segments) + Descent.heightOf(commitEvery);
        uint256 longest = 2 * uint256(_clock) + heights * _response + RECOMPUTING * _recompute;
        return longest * Descent.heightOf(claims);
    }

    /// @inheritdoc Bisection
    function _ended(bytes32 players, uint256 losers) internal override {
        Bracket storage b = _brackets[_keyOf(players)];
        uint256 first = uint8(uint256(players) >> 8);
        uint256 second = uint8(uint256(players));
        uint256 out = ((losers & 1) << first) | ((losers >> 1) << second);
        b.standing = uint8(b.standing & ~out);
        b.playing = uint8(b.playing & ~((1 << first) | (1 << second)));
    }

    function _pair(
        Bracket storage b,
        bytes32 bracket,
        Roster memory roster,
        uint256 first,
        uint256 second
    ) private returns (uint256 dispute) {
        require(first < MAX_CLAIMS && second < MAX_CLAIMS && first != second, NotFree(first, second));
        uint256 both = (1 << first) | (1 << second);
        require(b.standing & ~b.playing & both == both, NotFree(first, second));
        b.playing = uint8(b.playing | both);
        bytes32 players = _keyOf(bracket) | bytes32((first << 8) | second);
        bytes32[2] memory claims = [roster.claims[first], roster.claims[second]];
        dispute = _start(players, roster.job, roster.steps, roster.commitEvery, claims);
        emit Paired(bracket, dispute, first, second);
    }

    function _bracket(Roster calldata roster) private view returns (Bracket storage b, bytes32 bracket) {
        bracket = keccak256(abi.encode(roster));
        b = _brackets[_keyOf(bracket)];
        require(b.claims != 0, NoSuchBracket(bracket));
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

    /// @return claims the distinct claims that stand
    function _claimsOf(bytes32 task, Task memory t) private view returns (bytes32[] memory claims) {
        claims = new bytes32[](MAX_CLAIMS);
        uint256 count = 0;
        for (uint256 seat = 0; seat < t.seats; seat++) {
            if (t.revealed & ~t.out & (1 << seat) == 0) continue;
            (, bytes32 root) = manager.seatOf(task, seat);
            uint256 known = 0;
            while (known < count && claims[known] != root) known++;
            if (known < count) continue;
            require(count < MAX_CLAIMS, TooManyClaims(count + 1));
            claims[count++] = root;
        }
        assembly ("memory-safe") {
            mstore(claims, count)
        }
    }
}
