// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Brackets} from "./dispute/Brackets.sol";
import {Bisection} from "./game/Bisection.sol";
import {Pace} from "./game/Clocks.sol";
import {Claim, Context, PairId, Sizes} from "./game/GameTypes.sol";
import {Knockout} from "./game/Knockout.sol";
import {TreeShape} from "./game/TreeShape.sol";
import {Bracket, BracketId, IDisputeGame, JobParts, Player, Roster} from "./interfaces/IDisputeGame.sol";
import {IJudge} from "./interfaces/IJudge.sol";
import {ITaskManager, Phase, Resolution, State, Task} from "./interfaces/ITaskManager.sol";
import {JobId, RunRoot, TaskId} from "./libraries/Ids.sol";
import {SelfTest} from "./libraries/SelfTest.sol";
import * as Tags from "./libraries/Tags.sol";
import {Terms, TermsLib} from "./libraries/Terms.sol";
import {JobHash} from "./training/JobHash.sol";
import {SizesLib} from "./training/Sizes.sol";
import {TrainingMachine} from "./training/TrainingMachine.sol";
import {JobFacts} from "./training/TrainingTypes.sol";

/// @title The game of `IDisputeGame`
contract DisputeGame is Brackets, Bisection, TrainingMachine {
    using SizesLib for Sizes;
    using TermsLib for Terms;

    /// @dev Heights of the largest trees: kernels and the new state; chunks; folds.
    uint256 private constant HEIGHTS = 21 + 25 + 22;
    /// @dev Times for moves that may need a training step to be recomputed: the fall of the round before, the
    /// pairing, the first, two at each of five levels, and the last.
    uint256 private constant RECOMPUTING = 14;
    /// @dev A knock-out between 24 claims, one for each seat of a task.
    uint256 private constant ROUNDS = 5;

    /// @inheritdoc IDisputeGame
    ITaskManager public immutable manager;

    /// @dev The most gas of one side: of the longest dispute about a model of 10^12 parameters it makes half
    /// of the moves, opens and closes the bracket, pairs the players, and proves the largest step. A test
    /// compares it with the estimate of disputes.
    uint256 private constant SIDE_GAS = 1_650_000;
    /// @dev Half of a lost bond pays for the gas of the others, at up to twice the price that is expected.
    uint256 private constant BOND_MARGIN = 4;
    /// @dev The price that is expected, in base fees of the block of the deployment.
    uint256 private constant BASE_FEES = 2;

    /// @inheritdoc IDisputeGame
    mapping(TaskId task => mapping(address owner => bool)) public hasPrepaid;

    constructor(
        ITaskManager manager_,
        IJudge judge_,
        Pace memory pace_,
        uint256 gasBond_
    ) Bisection(pace_, gasBond_) TrainingMachine(judge_) {
        SelfTest.checkWords();
        manager = manager_;
        uint256 least = BOND_MARGIN * BASE_FEES * SIDE_GAS * block.basefee;
        require(gasBond_ >= least, BondTooSmall(gasBond_, least));
    }

    /// @inheritdoc IDisputeGame
    function judge() external view returns (IJudge) {
        return _judge;
    }

    /// @inheritdoc IDisputeGame
    function open(Terms calldata terms, JobParts calldata parts) external returns (BracketId bracket) {
        (TaskId task, Task memory t) = _taskOf(terms);
        Roster memory roster = Roster({
            task: task,
            dispute: t.dispute,
            since: _sinceOf(terms, t),
            job: _factsOf(terms, parts),
            steps: terms.steps,
            commitEvery: terms.commitEvery,
            players: _playersOf(task, t)
        });
        Bracket storage b;
        (b, bracket) = _newBracket(task, t.dispute);
        uint256 count = roster.players.length;
        uint256 posted = 0;
        for (uint256 i = 0; i < count; i++) if (_takePrepaid(task, roster.players[i].owner)) posted |= 1 << i;
        b.players = uint8(count);
        b.standing = uint24((1 << count) - 1);
        b.posted = uint24(posted);
        b.roster = _hashOf(roster);
        emit Opened(task, bracket, roster);
    }

    /// @inheritdoc IDisputeGame
    function pair(Roster calldata roster, uint256 first, uint256 second) external returns (uint256 dispute) {
        (Bracket storage b, BracketId bracket) = _bracket(roster);
        require(first < second && second < b.players, NoPair(first, second));
        uint256 both = (1 << first) | (1 << second);
        require(!b.closed && b.standing & both == both, NoPair(first, second));
        _markPaired(b, bracket, first, second);
        uint256 round = _roundOf(roster.players, b.standing, first, second);
        if (!_movesFirst(b.posted, first, second)) (first, second) = (second, first);
        Player calldata one = roster.players[first];
        Player calldata other = roster.players[second];
        Context memory c;
        c.players = _pairOf(bracket, first, second);
        c.owners = [one.owner, other.owner];
        c.job = JobHash.hashOf(roster.job);
        c.sizes = SizesLib.ofRun(roster.steps, roster.commitEvery);
        c.claims = [Claim.wrap(RunRoot.unwrap(one.claim)), Claim.wrap(RunRoot.unwrap(other.claim))];
        // The first round has begun with the bracket, later ones when their claims are known.
        uint256 used = round == 0 ? block.timestamp - roster.since : 0;
        dispute = _start(c, used < _clock ? _clock - used : 0);
        emit Paired(bracket, dispute, first, second);
    }

    /// @inheritdoc IDisputeGame
    function fall(Roster calldata roster) external {
        (Bracket storage b, BracketId bracket) = _bracket(roster);
        uint256 standing = b.standing;
        (bytes32[] memory claims, uint256 alive) = _claimsOf(roster.players, standing);
        uint256 left = Knockout.survivors(alive, claims.length, _roundsOver(roster));
        require(left != alive && _plays(roster), StillPlaying());
        for (uint256 i = 0; i < roster.players.length; i++)
            if ((left >> _indexOf(claims, roster.players[i].claim)) & 1 == 0) standing &= ~(1 << i);
        b.standing = uint24(standing);
        emit Fallen(bracket, standing);
    }

    /// @inheritdoc IDisputeGame
    function multicall(bytes[] calldata calls) external {
        for (uint256 i = 0; i < calls.length; i++) {
            (bool done, bytes memory failure) = address(this).delegatecall(calls[i]);
            _requireDone(done, failure);
        }
    }

    /// @inheritdoc IDisputeGame
    function close(Terms calldata terms, Roster calldata roster) external {
        // The bracket of one task decides no other.
        bool sameTask = TaskId.unwrap(terms.idAt(address(manager))) == TaskId.unwrap(roster.task);
        require(sameTask, NotBeforeThisGame());
        (Bracket storage b, BracketId bracket) = _bracket(roster);
        uint256 standing = b.standing;
        (bytes32[] memory claims, uint256 right) = _claimsOf(roster.players, standing);
        require(right == 0 || right & (right - 1) == 0, StillPlaying());
        _close(b, bracket, roster, true);
        _resolve(terms, roster.dispute, claims, ((1 << claims.length) - 1) ^ right, bracket);
    }

    /// @inheritdoc IDisputeGame
    function settle(Roster calldata roster) external {
        (Bracket storage b, BracketId bracket) = _bracket(roster);
        require(!_plays(roster), StillPlaying());
        _close(b, bracket, roster, false);
    }

    /// @inheritdoc IDisputeGame
    function forfeit(Terms calldata terms) external {
        (TaskId task, Task memory t) = _taskOf(terms);
        require(terms.committee == address(0) && t.seats > terms.providers, NotByChallenge());
        uint256 last = _sinceOf(terms, t) + (_clock > _recompute ? _clock : _recompute);
        require(block.timestamp > last, TooEarly(last));
        (, BracketId bracket) = _newBracket(task, t.dispute);
        // Providers have the first seats, and those that stand have the claim that is challenged.
        Player[] memory players = _playersOf(task, t);
        RunRoot accused = players[0].claim;
        address to = players[0].owner;
        uint256 lost = 0;
        for (uint256 i = 0; i < players.length; i++) {
            Player memory player = players[i];
            if (player.claim == accused) {
                if (player.owner == msg.sender) to = msg.sender;
            } else {
                emit Forfeited(task, t.dispute, player.owner);
                if (_takePrepaid(task, player.owner)) lost++;
            }
        }
        _credit(to, (lost * gasBond) / 2);
        (bytes32[] memory claims, ) = _claimsOf(players, 0);
        _resolve(terms, t.dispute, claims, ((1 << claims.length) - 1) ^ 1, bracket);
    }

    /// @inheritdoc IDisputeGame
    function prepay(TaskId task, address owner) external payable {
        require(msg.sender == address(manager), OnlyManager(msg.sender));
        uint256 wanted = hasPrepaid[task][owner] ? 0 : gasBond;
        require(msg.value == wanted, WrongBond(msg.value, wanted));
        if (wanted == 0) return;
        hasPrepaid[task][owner] = true;
        emit Prepaid(owner, task);
    }

    /// @inheritdoc IDisputeGame
    function reclaim(Terms calldata terms, address owner) external {
        TaskId task = terms.idAt(address(manager));
        // From a challenge on until the dispute is over the bond may still be needed.
        require(manager.taskOf(task).state > State.Disputed, StillPlaying());
        require(_takePrepaid(task, owner), NoCredit(owner));
        emit Reclaimed(owner, task);
        _credit(owner, gasBond);
    }

    /// @inheritdoc IDisputeGame
    function longestGame(uint256 steps, uint256 commitEvery) external view returns (uint256) {
        return ROUNDS * longestRound(steps, commitEvery);
    }

    /// @inheritdoc IDisputeGame
    function longestRound(uint256 steps, uint256 commitEvery) public view returns (uint256) {
        uint256 segments = SizesLib.ofRun(steps, commitEvery).segments();
        uint256 heights = HEIGHTS + TreeShape.heightOf(segments) + TreeShape.heightOf(commitEvery);
        // A move goes down two levels. In each tree one level is left for the opening, or for the payload.
        return 2 * uint256(_clock) + (heights / 2) * _response + RECOMPUTING * _recompute;
    }

    /// @inheritdoc Bisection
    function _begun(PairId players, uint256 side) internal override {
        (Bracket storage b, uint256 first, uint256 second) = _playersIn(players);
        require(!b.closed && b.standing & (first | second) == first | second, NotPlaying());
        uint256 mover = side == 0 ? first : second;
        bool posted = b.posted & mover != 0;
        _takeBond(posted);
        if (!posted) b.posted |= uint24(mover);
    }

    /// @inheritdoc Bisection
    /// @dev A player that is out cannot put another player out. So no player has to continue against it.
    function _ended(PairId players, uint256 losers) internal override {
        (Bracket storage b, uint256 first, uint256 second) = _playersIn(players);
        uint256 standing = b.standing;
        if (standing & (first | second) != first | second) return;
        b.standing = uint24(standing & ~((losers & 1) * first | (losers >> 1) * second));
    }

    /// @return whether the owner has posted a bond, which from now on belongs to a bracket
    function _takePrepaid(TaskId task, address owner) private returns (bool) {
        if (!hasPrepaid[task][owner]) return false;
        delete hasPrepaid[task][owner];
        return true;
    }

    /// @dev Ends a bracket and credits the bonds of the players that stand.
    /// @param decided whether the bonds of those who lost are shared
    function _close(
        Bracket storage b,
        BracketId bracket,
        Roster calldata roster,
        bool decided
    ) private {
        require(!b.closed, NotPlaying());
        b.closed = true;
        (uint256 standing, uint256 posted) = (b.standing, b.posted);
        emit Closed(bracket, standing);
        // Against a challenger that has opened the game and is silent, nobody else has to post.
        uint256 takers = standing & posted == 0 ? standing : standing & posted;
        uint256 share = decided && takers != 0 ? (_ones(posted & ~standing) * gasBond) / 2 / _ones(takers) : 0;
        for (uint256 i = 0; i < roster.players.length; i++)
            if ((takers >> i) & 1 == 1) _credit(roster.players[i].owner, share + ((posted >> i) & 1) * gasBond);
    }

    function _resolve(
        Terms calldata terms,
        uint256 dispute,
        bytes32[] memory claims,
        uint256 losers,
        BracketId bracket
    ) private {
        bytes32 verdict = BracketId.unwrap(bracket);
        Resolution memory resolution =
            Resolution({dispute: dispute, claims: claims, losers: losers, verdict: verdict});
        (bool done, bytes memory failure) = address(manager).call(terms.resolving(resolution));
        _requireDone(done, failure);
    }

    /// @dev Passes on the error of a call.
    function _requireDone(bool done, bytes memory failure) private pure {
        if (done) return;
        assembly ("memory-safe") {
            revert(add(failure, 0x20), mload(failure))
        }
    }

    /// @dev Reverts unless the task is before this game.
    function _taskOf(Terms calldata terms) private view returns (TaskId task, Task memory t) {
        task = terms.idAt(address(manager));
        t = manager.taskOf(task);
        require(
            terms.game == address(this) && t.state == State.Disputed && t.phase == Phase.Playing,
            NotBeforeThisGame()
        );
    }

    /// @return whether the task still waits for this bracket
    function _plays(Roster calldata roster) private view returns (bool) {
        Task memory t = manager.taskOf(roster.task);
        return t.state == State.Disputed && t.phase == Phase.Playing && t.dispute == roster.dispute;
    }

    /// @return when the task came before the game
    function _sinceOf(Terms calldata terms, Task memory t) private pure returns (uint40) {
        return uint40(t.deadline - terms.periods.toPlay);
    }

    /// @dev The player that has brought the dispute before the game has posted its bond, and moves first. If
    /// both players have, or neither, then the later one moves first.
    function _movesFirst(uint256 posted, uint256 player, uint256 later) private pure returns (bool) {
        return (posted >> player) & 1 == 1 && (posted >> later) & 1 == 0;
    }

    /// @dev Reverts unless the claims of two players meet now.
    /// @return the round in which they meet, from 0
    function _roundOf(
        Player[] calldata players,
        uint256 standing,
        uint256 first,
        uint256 second
    ) private pure returns (uint256) {
        (bytes32[] memory claims, uint256 alive) = _claimsOf(players, standing);
        (uint256 one, uint256 other) = (_indexOf(claims, players[first].claim), _indexOf(claims, players[second].claim));
        require(one != other && Knockout.meet(alive, one, other), NoPair(first, second));
        return Knockout.roundOf(one, other);
    }

    function _roundsOver(Roster calldata roster) private view returns (uint256) {
        uint256 passed = block.timestamp - roster.since;
        return passed == 0 ? 0 : (passed - 1) / longestRound(roster.steps, roster.commitEvery);
    }

    function _factsOf(Terms calldata terms, JobParts calldata parts) private pure returns (JobFacts memory) {
        uint8 kind = parts.fromCheckpoint ? 2 : 1;
        bytes memory head = abi.encodePacked(Tags.JOB, Tags.SPEC_VERSION, kind, terms.steps, parts.infoHash);
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
}
