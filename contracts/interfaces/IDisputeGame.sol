// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {JobFacts} from "../game/GameTypes.sol";
import {IBisection} from "../game/IBisection.sol";
import {Terms} from "../libraries/Terms.sol";
import {ITaskManager} from "./ITaskManager.sol";

/// @notice What a job's id is the hash of, but for the number of steps, which the terms name (spec 6.6).
/// @param info name, unit, and units a step, encoded
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

/// @notice Who plays in a bracket. Its hash names the bracket.
/// @param task the task
/// @param dispute the number of the task's dispute
/// @param job its facts
/// @param steps of the run
/// @param commitEvery steps in a segment
/// @param claims the distinct claims that stand, in the order of the seats that made them
struct Roster {
    bytes32 task;
    uint256 dispute;
    JobFacts job;
    uint32 steps;
    uint32 commitEvery;
    bytes32[] claims;
}

/// @notice Bit i is about claim i of the roster.
/// @param claims how many there are
/// @param standing those that have not lost
/// @param playing those that are in a dispute now
struct Bracket {
    uint8 claims;
    uint8 standing;
    uint8 playing;
}

/// @title The game as the authority of a task: the EVM is the referee
/// @notice All claims that stand play each other, two at a time, as many pairs at once as there are. Who loses is out; who wins plays the
/// next. An honest claim wins each of its games, so it stands at the end, however many lie.
interface IDisputeGame is IBisection {
    event Opened(bytes32 indexed task, bytes32 bracket, Roster roster);
    event Paired(bytes32 indexed bracket, uint256 indexed dispute, uint256 first, uint256 second);
    event Closed(bytes32 indexed bracket, uint256 standing);

    /// @notice The task is not before this game.
    error NotBeforeThisGame();
    /// @notice The parts are not those of the job.
    error WrongJob(bytes32 job);
    /// @notice More than eight claims stand.
    error TooManyClaims(uint256 count);
    /// @notice This bracket is open already.
    error BracketExists(bytes32 bracket);
    /// @notice There is no such bracket.
    error NoSuchBracket(bytes32 bracket);
    /// @notice A claim of the pair is out, plays, or does not exist.
    error NotFree(uint256 first, uint256 second);
    /// @notice More than one claim stands, or one plays.
    error StillPlaying();

    /// @notice Brings the claims of a task, which was escalated to this game, against each other. Anyone may.
    function open(Terms calldata terms, JobParts calldata parts) external returns (bytes32 bracket);

    /// @notice Starts the dispute of two claims that stand and do not play. Anyone may.
    function pair(Roster calldata roster, uint256 first, uint256 second) external returns (uint256 dispute);

    /// @notice Tells the task who has lost, once at most one claim stands. Anyone may.
    function close(Terms calldata terms, Roster calldata roster) external;

    function manager() external view returns (ITaskManager);

    function bracketOf(bytes32 bracket) external view returns (Bracket memory);

    /// @return seconds that all disputes between `claims` claims about such a job may take, if every pair is started at once
    function longestGame(uint256 claims, uint256 steps, uint256 commitEvery) external view returns (uint256);
}
