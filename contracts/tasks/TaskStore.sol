// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDisputeGame} from "../interfaces/IDisputeGame.sol";
import {IGasBonds} from "../interfaces/IGasBonds.sol";
import {ISeatPolicy} from "../interfaces/ISeatPolicy.sol";
import {IStakeVault} from "../interfaces/IStakeVault.sol";
import {ITaskManager, Phase, State, Task} from "../interfaces/ITaskManager.sol";
import {EarlyWord} from "../libraries/EarlyWord.sol";
import {RunRoot, TaskId} from "../libraries/Ids.sol";
import {TaskWord, TaskWordLib} from "../libraries/TaskWord.sol";
import {Terms, TermsLib} from "../libraries/Terms.sol";

/// @title What is stored of a task, and how a state is entered
/// @dev A task takes two slots, two more for each seat, and one for each challenge. Everything else is in the
/// terms, which are passed as calldata.
abstract contract TaskStore is ITaskManager {
    using TermsLib for Terms;

    bytes32 private constant COMMITMENT = keccak256(
        "Commitment(uint256 chain,address manager,bytes32 task,address owner,bytes32 root,bytes32 salt)"
    );

    bytes32 private constant CHALLENGE = keccak256(
        "Challenge(uint256 chain,address manager,bytes32 task,bytes32 standing,address owner,bytes32 root,bytes32 salt)"
    );

    /// @inheritdoc ITaskManager
    IStakeVault public immutable vault;

    mapping(TaskId task => TaskWord) internal _tasks;
    mapping(TaskId task => EarlyWord) internal _early;
    /// @dev Read only where the task has one.
    mapping(TaskId task => ISeatPolicy) internal _policies;
    mapping(TaskId task => mapping(uint256 seat => address)) internal _owners;
    /// @dev The commitment, then the root.
    mapping(TaskId task => mapping(uint256 seat => bytes32)) internal _values;
    /// @inheritdoc ITaskManager
    mapping(TaskId task => mapping(address owner => bytes32 commitment)) public challengeBy;
    /// @dev Hash of the resolution that waits for an escalation or for the game.
    mapping(TaskId task => bytes32) internal _rulings;
    /// @dev Hash of the demand, until it is settled.
    mapping(TaskId task => mapping(uint256 index => bytes32)) internal _demands;

    /// @inheritdoc ITaskManager
    function taskId(Terms calldata terms) public view returns (TaskId) {
        return terms.idAt(address(this));
    }

    /// @inheritdoc ITaskManager
    function commitmentOf(TaskId task, address owner, RunRoot root, bytes32 salt) public view returns (bytes32) {
        return keccak256(abi.encode(COMMITMENT, block.chainid, address(this), task, owner, root, salt));
    }

    /// @inheritdoc ITaskManager
    function challengeOf(
        TaskId task,
        RunRoot standing,
        address owner,
        RunRoot root,
        bytes32 salt
    ) public view returns (bytes32) {
        return keccak256(abi.encode(CHALLENGE, block.chainid, address(this), task, standing, owner, root, salt));
    }

    /// @inheritdoc ITaskManager
    function taskOf(TaskId task) external view returns (Task memory) {
        return _load(task);
    }

    /// @inheritdoc ITaskManager
    function seatOf(TaskId task, uint256 seat) external view returns (address owner, bytes32 value) {
        return (_owners[task][seat], _values[task][seat]);
    }

    function _load(TaskId task) internal view returns (Task memory) {
        return _tasks[task].unpack();
    }

    function _save(TaskId task, Task memory t) internal {
        _tasks[task] = TaskWordLib.pack(t);
    }

    /// @return word the task, if it is in this state and before its deadline
    function _wordIn(TaskId task, State wanted) internal view returns (TaskWord word) {
        word = _tasks[task];
        (State state, Phase phase, uint256 deadline) = word.head();
        require(state == wanted, WrongState(state, phase));
        _requireInTime(deadline);
    }

    /// @dev Writes the task back with a new state that ends `period` seconds from now.
    function _enter(TaskId task, Task memory t, State state, Phase phase, uint256 period) internal {
        t.state = state;
        t.phase = phase;
        t.deadline = uint40(block.timestamp + period);
        _save(task, t);
        emit TaskMoved(task, state, phase, t.deadline);
    }

    function _openWindow(TaskId task, Task memory t) internal {
        _enter(task, t, State.Challengeable, Phase.None, _early[task].toChallenge());
    }

    /// @dev One claim stands, and can't be challenged any more.
    function _closeClaims(TaskId task, Terms calldata terms, Task memory t) internal {
        _enter(task, t, State.Settled, Phase.None, terms.periods.toAnswer);
    }

    function _openDispute(TaskId task, Task memory t) internal {
        t.dispute++;
        EarlyWord early = _early[task];
        _enter(task, t, State.Disputed, early.byGame() ? Phase.Playing : Phase.Judging, early.toDecide());
    }

    /// @dev The lowest seat whose claim stands; there is one.
    function _standingSeat(Task memory t) internal pure returns (uint256 seat) {
        uint256 standing = _standing(t);
        while (standing & (1 << seat) == 0) seat++;
    }

    function _standingRoot(TaskId task, Task memory t) internal view returns (RunRoot) {
        return RunRoot.wrap(_values[task][_standingSeat(t)]);
    }

    /// @dev Gives an account the next seat.
    function _give(TaskId task, Task memory t, address owner) internal returns (uint256 seat) {
        seat = t.seats++;
        _owners[task][seat] = owner;
        emit SeatTaken(task, seat, owner);
    }

    function _requireNoSeat(TaskId task, Task memory t, address owner) internal view {
        for (uint256 i = 0; i < t.seats; i++) require(_owners[task][i] != owner, AlreadySeated(owner));
    }

    /// @dev Hands the bond that was sent for the gas of the game to the game, in the sender's name. An
    /// account is no game and takes none.
    function _prepay(address game, TaskId task) internal {
        if (game.code.length != 0) IDisputeGame(game).prepay{value: msg.value}(task, msg.sender);
        else require(msg.value == 0, IGasBonds.WrongBond(msg.value, 0));
    }

    /// @dev Bit i: seat i has revealed a claim and is not out.
    function _standing(Task memory t) internal pure returns (uint256) {
        return t.revealed & ~t.out;
    }

    /// @dev Bit i: seat i is not out.
    function _remaining(Task memory t) internal pure returns (uint256) {
        return ((1 << t.seats) - 1) & ~uint256(t.out);
    }

    function _requireCommitted(bytes32 commitment, bytes32 hash) internal pure {
        require(hash == commitment, CommitmentMismatch(commitment));
    }

    function _requireState(Task memory t, State state) internal pure {
        require(t.state == state, WrongState(t.state, t.phase));
    }

    /// @dev One claim stands, and no challenge waits to be revealed.
    function _requireUnchallenged(Task memory t) internal pure {
        if (t.state == State.Settled) return;
        _requireState(t, State.Challengeable);
        require(t.challenges == 0, ChallengesOpen(t.challenges));
    }

    function _requirePhase(Task memory t, Phase phase) internal pure {
        require(t.state == State.Disputed && t.phase == phase, WrongState(t.state, t.phase));
    }

    function _requireInTime(uint256 deadline) internal view {
        require(block.timestamp <= deadline, TooLate(deadline));
    }

    function _requirePassed(uint256 deadline) internal view {
        require(block.timestamp > deadline, TooEarly(deadline));
    }

    function _requireCaller(address wanted) internal view {
        require(msg.sender == wanted, WrongCaller(msg.sender, wanted));
    }
}
