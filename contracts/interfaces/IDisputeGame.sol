// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {JobId, RunRoot, TaskId} from "../libraries/Ids.sol";
import {Terms} from "../libraries/Terms.sol";
import {JobFacts} from "../training/TrainingTypes.sol";
import {IBisection} from "./IBisection.sol";
import {IJudge} from "./IJudge.sol";
import {ITaskManager} from "./ITaskManager.sol";

/// @notice Everything that the job's id is a hash of, except the number of training steps, which the terms
/// hold (spec 6.6).
/// @param info name, unit, and units for each training step, encoded
/// @param step root of the step graph
/// @param init root of the init graph, or of the initial state
/// @param dataset root of the dataset
/// @param fromCheckpoint whether the job begins with a given state
struct JobParts {
    bytes info;
    bytes32 step;
    bytes32 init;
    bytes32 dataset;
    bool fromCheckpoint;
}

/// @notice A seat whose claim stands.
struct Player {
    address owner;
    RunRoot claim;
}

/// @notice The players about one task. The hash of the roster names the bracket.
/// @param task the task
/// @param dispute the number of the task's dispute
/// @param job its facts
/// @param steps training steps of the run
/// @param commitEvery training steps in a segment
/// @param players all seats whose claims stand, in their order
struct Roster {
    TaskId task;
    uint256 dispute;
    JobFacts job;
    uint32 steps;
    uint32 commitEvery;
    Player[] players;
}

/// @notice The hash of a roster.
type BracketId is bytes32;

/// @notice Bit i stands for player i of the roster.
/// @param players how many there are
/// @param standing the players that have not lost
struct Bracket {
    uint24 players;
    uint24 standing;
}

/// @title The game as the authority of a task: the EVM is the referee
/// @notice Each player whose claim stands may be paired with each player that has another claim. All pairs
/// may play at once, each pair once. The loser of a dispute is out, unless the other side is out already. An
/// honest player wins all of its disputes, so it stands at the end, however many players lie. No other player
/// moves for it, so it does not depend on players with the same claim.
interface IDisputeGame is IBisection {
    event Opened(TaskId indexed task, BracketId bracket, Roster roster);
    event Paired(BracketId indexed bracket, uint256 indexed dispute, uint256 first, uint256 second);
    event Closed(BracketId indexed bracket, uint256 standing);

    /// @notice The task is not before this game.
    error NotBeforeThisGame();
    /// @notice The move shows another job, graph or kernel than the disputed one, or other runs or roots than
    /// the dispute's.
    error WrongFacts();
    /// @notice The parts are not the parts of the job.
    error WrongJob(JobId job);
    /// @notice This bracket is open already.
    error BracketExists(BracketId bracket);
    /// @notice There is no such bracket.
    error NoSuchBracket(BracketId bracket);
    /// @notice One of the pair is out or does not exist, or both have the same claim, or they have been
    /// paired before.
    error NoPair(uint256 first, uint256 second);
    /// @notice More than one claim stands.
    error StillPlaying();

    /// @notice Opens the bracket of a task that was escalated to this game. Anyone may.
    function open(Terms calldata terms, JobParts calldata parts) external returns (BracketId bracket);

    /// @notice Starts the dispute of two players that stand and have different claims. Anyone may.
    /// @param first number of the first player in the roster
    function pair(Roster calldata roster, uint256 first, uint256 second) external returns (uint256 dispute);

    /// @notice Tells the task which claims have lost, once at most one claim stands. Anyone may.
    function close(Terms calldata terms, Roster calldata roster) external;

    /// @notice The contract that executes the step at the bottom.
    function judge() external view returns (IJudge);

    function manager() external view returns (ITaskManager);

    function bracketOf(BracketId bracket) external view returns (Bracket memory);

    /// @return seconds that all disputes about such a job can take, if all pairs are started within the time
    /// for a recomputing move
    function longestGame(uint256 steps, uint256 commitEvery) external view returns (uint256);
}
