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
/// @param infoHash hash of the names, which nobody has to show: a poster chooses their length
/// @param step root of the step graph
/// @param init root of the init graph, or of the initial state
/// @param dataset root of the dataset
/// @param fromCheckpoint whether the job begins with a given state
struct JobParts {
    bytes32 infoHash;
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

/// @notice The players of a bracket.
/// @param task the task
/// @param dispute the number of the task's dispute
/// @param since when the task came before the game, in seconds since 1970
/// @param job its facts
/// @param steps training steps of the run
/// @param commitEvery training steps in a segment
/// @param players all seats whose claims stand, in their order
struct Roster {
    TaskId task;
    uint256 dispute;
    uint40 since;
    JobFacts job;
    uint32 steps;
    uint32 commitEvery;
    Player[] players;
}

/// @notice The hash of a task and the number of its dispute.
type BracketId is bytes32;

/// @notice Bit i stands for player i of the roster.
/// @param players how many there are
/// @param standing the players that have not lost
/// @param posted the players that have posted their bonds
/// @param closed whether the bonds have been credited
/// @param paired bit j · (j - 1) / 2 + i: players i < j < 8 have been paired
/// @param roster the first 160 bits of the roster's hash
struct Bracket {
    uint8 players;
    uint24 standing;
    uint24 posted;
    bool closed;
    uint32 paired;
    bytes20 roster;
}

/// @title The game as the authority of a task: the EVM is the referee
/// @notice A knock-out between claims. A claim meets one other claim at a time: each player with the one may
/// be paired with each player with the other, all of these pairs may play at once, and each plays once. The
/// loser of a dispute is out, unless the other side is out already; a claim whose players are all out falls.
/// Claims that still play when their round is over fall too, so that nobody waits for them. An honest player
/// wins all of its disputes, so it stands at the end, after as many rounds as the logarithm of the number of
/// claims. No other player moves for it, so it does not depend on players with the same claim.
interface IDisputeGame is IBisection {
    /// @notice A player has posted its bond before its task came before the game.
    event Prepaid(address indexed owner, TaskId indexed task);
    /// @notice A player has got back a bond that no bracket has taken.
    event Reclaimed(address indexed owner, TaskId indexed task);
    event Opened(TaskId indexed task, BracketId bracket, Roster roster);
    /// @param first number of the player that moves first, side 0
    event Paired(BracketId indexed bracket, uint256 indexed dispute, uint256 first, uint256 second);
    /// @notice Claims have fallen because their round is over.
    /// @param standing the players that are left
    event Fallen(BracketId indexed bracket, uint256 standing);
    event Closed(BracketId indexed bracket, uint256 standing);
    /// @notice A challenger has lost, because no challenger has opened the bracket in time.
    event Forfeited(TaskId indexed task, uint256 indexed dispute, address challenger);

    /// @notice The bond would not pay for the gas of a dispute at this chain's price: it has to be at least
    /// `least`.
    error BondTooSmall(uint256 bond, uint256 least);
    /// @notice Only the task manager may call this.
    error OnlyManager(address caller);
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
    /// paired before, or their claims don't meet now.
    error NoPair(uint256 first, uint256 second);
    /// @notice More than one claim stands, or the dispute is not over, or no claim has fallen.
    error StillPlaying();
    /// @notice The bracket is closed, or one of the two players is out.
    error NotPlaying();
    /// @notice No challenger has to open this dispute: providers differ, or a committee has ruled.
    error NotByChallenge();

    /// @notice Manager only: takes the bond of an owner that brings a task before the game. An owner that has
    /// posted it before sends nothing.
    function prepay(TaskId task, address owner) external payable;

    /// @notice Credits an owner with the bond that it has posted, if no bracket has taken it and the task is
    /// settled: it can be neither challenged nor disputed any more. Anyone may.
    function reclaim(Terms calldata terms, address owner) external;

    /// @notice Whether the owner has posted its bond, and no bracket has taken it yet.
    function hasPrepaid(TaskId task, address owner) external view returns (bool);

    /// @notice Opens the bracket of a task that was escalated to this game. Anyone may.
    function open(Terms calldata terms, JobParts calldata parts) external returns (BracketId bracket);

    /// @notice Starts the dispute of two players that stand and whose claims meet. Anyone may. The player
    /// moves first that has posted its bond, or the one with the later seat. In the first round its clock has
    /// been running since the task came before the game.
    /// @dev Claims are numbered in the order of their first players. Two claims meet if no other claim stands
    /// in the smallest group that holds both: a group is 2^n claims from a multiple of 2^n on.
    /// @param first number of the player with the lower seat
    function pair(Roster calldata roster, uint256 first, uint256 second) external returns (uint256 dispute);

    /// @notice Puts all players out whose claims still have a rival in their group although the group's round
    /// is over. Round r, from 0, is over (r + 1) · `longestRound` seconds after the task came before the
    /// game. The last round ends with the task's time for the game. Anyone may.
    function fall(Roster calldata roster) external;

    /// @notice Makes several calls of this contract as one: those of one account in several disputes. All of
    /// them take effect, or none does. No bond can be sent with them.
    function multicall(bytes[] calldata calls) external;

    /// @notice Tells the task which claims have lost, once at most one claim stands, and credits the bonds.
    /// Anyone may.
    function close(Terms calldata terms, Roster calldata roster) external;

    /// @notice Credits the players that stand with their own bonds, if the task was decided without this
    /// bracket: its time was over. Bonds of players that have lost stay in the contract. Anyone may.
    function settle(Roster calldata roster) external;

    /// @notice Ends a dispute that challengers have brought before the game and that none of them has opened
    /// within its clock: all challengers lose. Half of their bonds goes to the sender, if the sender owns the
    /// challenged claim, or to its first owner. Anyone may. So an owner whose claim is challenged need not
    /// pay for the game of challengers that don't play.
    function forfeit(Terms calldata terms) external;

    /// @notice The contract that executes the step at the bottom.
    function judge() external view returns (IJudge);

    function manager() external view returns (ITaskManager);

    function bracketOf(BracketId bracket) external view returns (Bracket memory);

    /// @return seconds that the game can take, whatever the players claim: as many rounds as 24 claims need
    function longestGame(uint256 steps, uint256 commitEvery) external view returns (uint256);

    /// @return seconds that the disputes of a round about such a job can take, if all pairs are started
    /// within the time for a recomputing move
    function longestRound(uint256 steps, uint256 commitEvery) external view returns (uint256);
}
