// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ICommittee} from "../interfaces/ICommittee.sol";
import {IDisputeGame} from "../interfaces/IDisputeGame.sol";
import {Hearing, HearingId, IRotatingCommittee, Member} from "../interfaces/IRotatingCommittee.sol";
import {ITaskManager, Phase, State, Task} from "../interfaces/ITaskManager.sol";
import {BlockHashes} from "../libraries/BlockHashes.sol";
import {DrawSecrets} from "../libraries/DrawSecrets.sol";
import {TaskId} from "../libraries/Ids.sol";
import {Terms, TermsLib} from "../libraries/Terms.sol";
import {Pool} from "./Pool.sol";

/// @title Hearings: who is drawn for a dispute, and who is replaced
/// @dev Nobody but the client and the proposer of a block, together, can choose who is drawn. A client alone
/// can open its secret or keep it, so it has two draws for each round.
abstract contract Hearings is Pool {
    using TermsLib for Terms;

    bytes32 private constant SEED = keccak256("Verde committee seed 1");
    /// @dev A round's members have a third of the time for the verdict.
    uint256 private constant ROUND_PART = 3;
    /// @dev The client has a twelfth of it to open its secret.
    uint256 private constant SECRET_PART = 12;
    uint256 private constant SILENT_PERCENT = 2;
    uint256 private constant MOST_MEMBERS = 15;

    /// @inheritdoc ICommittee
    uint256 public immutable members;
    /// @inheritdoc ICommittee
    uint256 public immutable threshold;
    /// @inheritdoc IRotatingCommittee
    IDisputeGame public immutable game;

    /// @inheritdoc IRotatingCommittee
    mapping(TaskId task => bytes32 link) public openedOf;
    mapping(HearingId hearing => Hearing) internal _hearings;
    mapping(HearingId hearing => mapping(address account => Member)) internal _members;
    mapping(HearingId hearing => mapping(uint256 round => address[])) internal _drawn;

    constructor(IDisputeGame game_, uint256 members_, uint256 threshold_) {
        bool fits = threshold_ != 0 && threshold_ <= members_ && members_ <= MOST_MEMBERS;
        require(fits, BadCommittee());
        (game, members, threshold) = (game_, members_, threshold_);
    }

    /// @inheritdoc IRotatingCommittee
    function convene(Terms calldata terms) external {
        (TaskId task, Task memory t) = _judged(terms);
        HearingId hearing = _hearingOf(task, t.dispute);
        Hearing storage h = _hearings[hearing];
        if (h.round == 0 || h.until != 0) {
            if (h.round != 0) _replace(task, t.dispute, hearing, h);
            (h.round, h.plain, h.until) = (h.round + 1, false, 0);
        } else if (h.plain) {
            // Anybody could have drawn before.
            bool forgotten = block.number > h.number && BlockHashes.hashOf(h.number) == 0;
            require(forgotten, ConvenedBefore(h.number));
        } else {
            uint256 until = h.convenedAt + terms.periods.toJudge / SECRET_PART;
            require(block.timestamp > until, SecretAwaited(until));
            h.plain = true;
        }
        uint256 drawable = candidates - _silent(hearing, h.round);
        require(drawable >= members, TooFewCandidates(drawable, members));
        h.number = uint64(block.number);
        h.convenedAt = uint40(block.timestamp);
        h.places = uint32(_placeCount());
        emit Convened(task, t.dispute, h.round, h.number);
    }

    /// @inheritdoc IRotatingCommittee
    /// @dev Places that could not be drawn in the block that decides are passed over. Each of them locks a
    /// stake, so they are not many more than those that can.
    function draw(Terms calldata terms, bytes32 secret) external {
        (TaskId task, Task memory t) = _judged(terms);
        HearingId hearing = _hearingOf(task, t.dispute);
        Hearing storage h = _hearings[hearing];
        require(h.until == 0, DrawnAlready(h.round));
        require(h.round != 0 && block.number > h.number, NotConvened(h.number));
        if (h.plain) secret = 0;
        else _open(task, terms.salt, secret);
        bytes32 hash = BlockHashes.hashOf(h.number);
        require(hash != 0, HashForgotten(h.number));
        h.until = uint40(block.timestamp + terms.periods.toJudge / ROUND_PART);
        bytes32 seed = keccak256(abi.encode(SEED, hearing, h.round, secret, hash));
        emit MembersDrawn(task, t.dispute, h.round, _pick(hearing, h, seed));
    }

    /// @inheritdoc ICommittee
    function isMemberFor(TaskId task, address account) external view returns (bool) {
        HearingId hearing = _hearingOf(task, manager.taskOf(task).dispute);
        return _isMember(hearing, account);
    }

    /// @inheritdoc IRotatingCommittee
    function hearingOf(TaskId task, uint256 dispute) external view returns (Hearing memory) {
        return _hearings[_hearingOf(task, dispute)];
    }

    /// @inheritdoc IRotatingCommittee
    function drawnOf(TaskId task, uint256 dispute, uint256 round) external view returns (address[] memory) {
        return _drawn[_hearingOf(task, dispute)][round];
    }

    /// @inheritdoc IRotatingCommittee
    function memberOf(TaskId task, uint256 dispute, address account) external view returns (Member memory) {
        return _members[_hearingOf(task, dispute)][account];
    }

    /// @inheritdoc IRotatingCommittee
    function saltOf(bytes32 secret) external pure returns (bytes32) {
        return DrawSecrets.saltOf(secret);
    }

    /// @inheritdoc IRotatingCommittee
    function linkOf(bytes32 next) external pure returns (bytes32) {
        return DrawSecrets.linkOf(next);
    }

    function _hearingOf(TaskId task, uint256 dispute) internal pure returns (HearingId) {
        return HearingId.wrap(keccak256(abi.encode(task, dispute)));
    }

    /// @return whether the account is a member of the current round
    function _isMember(HearingId hearing, address account) internal view returns (bool) {
        Hearing storage h = _hearings[hearing];
        return h.until != 0 && _members[hearing][account].round == h.round;
    }

    /// @dev Reverts unless the task waits for a verdict of this committee. Members that were drawn too late
    /// for a full third of the time can't be replaced, since the deadline comes first.
    function _judged(Terms calldata terms) internal view returns (TaskId task, Task memory t) {
        require(terms.committee == address(this), NotThisCommittee(terms.committee));
        bool known = terms.game == address(0) || terms.game == address(game);
        require(known, ForeignGame(terms.game));
        task = terms.idAt(address(manager));
        t = manager.taskOf(task);
        require(t.state == State.Disputed && t.phase == Phase.Judging, NotJudging(t.state, t.phase));
        require(block.timestamp <= t.deadline, ITaskManager.TooLate(t.deadline));
    }

    /// @dev The first link follows from the salt, and each further one from the one before.
    function _open(TaskId task, bytes32 salt, bytes32 secret) private {
        bytes32 before = openedOf[task];
        bytes32 link = DrawSecrets.linkOf(secret);
        require(before == 0 ? DrawSecrets.saltOf(link) == salt : link == before, WrongLink());
        openedOf[task] = secret;
    }

    /// @dev Ends a round. Nobody loses yet: it may be that nobody could decide.
    function _replace(TaskId task, uint256 dispute, HearingId hearing, Hearing storage h) private {
        require(block.timestamp > h.until, RoundNotOver(h.until));
        address[] storage drawn = _drawn[hearing][h.round];
        for (uint256 i = 0; i < drawn.length; i++) {
            Member storage m = _members[hearing][drawn[i]];
            if (m.vote != 0) continue;
            m.silent = true;
            emit Silent(task, dispute, drawn[i]);
        }
    }

    /// @dev Others have decided, so those that were silent before could have, too. Nobody gets what they
    /// lose, so nobody gains by their silence.
    function _dockSilent(HearingId hearing, uint256 rounds) internal {
        for (uint256 round = 1; round < rounds; round++) {
            address[] storage drawn = _drawn[hearing][round];
            for (uint256 i = 0; i < drawn.length; i++)
                if (_members[hearing][drawn[i]].silent) _condemn(_dock(drawn[i], SILENT_PERCENT));
        }
    }

    /// @return count of the accounts that could be drawn, if they had not been silent before
    function _silent(HearingId hearing, uint256 rounds) private view returns (uint256 count) {
        for (uint256 round = 1; round < rounds; round++) {
            address[] storage drawn = _drawn[hearing][round];
            for (uint256 i = 0; i < drawn.length; i++)
                if (_members[hearing][drawn[i]].silent && _isCandidate(drawn[i])) count++;
        }
    }

    function _pick(HearingId hearing, Hearing storage h, bytes32 seed) private returns (address[] storage drawn) {
        drawn = _drawn[hearing][h.round];
        for (uint256 i = 0; drawn.length < members; i++) {
            uint256 index = uint256(keccak256(abi.encode(seed, i))) % h.places;
            address account = _accountAt(index, h.number);
            Member storage m = _members[hearing][account];
            if (account == address(0) || m.silent || m.round == h.round) continue;
            m.round = h.round;
            drawn.push(account);
        }
    }
}
