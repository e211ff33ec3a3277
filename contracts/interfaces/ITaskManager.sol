// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ChunkProof} from "../libraries/Commitments.sol";
import {RunRoot, TaskId} from "../libraries/Ids.sol";
import {Terms} from "../libraries/Terms.sol";
import {IStakeVault} from "./IStakeVault.sol";

/// @notice Open: seats are free. Accepted: providers commit to claims. Committed: claims are revealed; the
/// first reveal after the last commitment enters this state. Revealed: claims are compared. Challengeable:
/// one claim stands; it may be challenged, and chunks of its final state may be demanded. Disputed: several
/// claims stand, or challenges are revealed. Settled: one claim stands and can't be challenged any more; its
/// chunks may still be demanded. Final: winners are paid. Refunded: the client has the rewards back.
enum State {
    None,
    Open,
    Accepted,
    Committed,
    Revealed,
    Challengeable,
    Disputed,
    Settled,
    Final,
    Refunded
}

/// @notice What the task waits for. Revealing: the claims of all challengers. Judging: the committee's
/// verdict. Ruled: an escalation of the committee's ruling. Playing: the game's verdict.
enum Phase {
    None,
    Revealing,
    Judging,
    Ruled,
    Playing
}

/// @notice A task, in one storage slot.
/// @param deadline the last second of the state, or of the dispute's phase
/// @param seats participants so far: providers, then challengers that have revealed, each with a stake or
/// bond
/// @param committed providers that have committed
/// @param challenges how many have been made and not been revealed
/// @param dispute number of the last dispute, from 1: at most one between providers, and one with all
/// challengers
/// @param demands chunks demanded of the standing claim
/// @param openDemands how many of the demands wait for their answer
/// @param revealed bit i: seat i has revealed a claim
/// @param out bit i: seat i has lost its stake
/// @param pot slashed stake and prices of answered demands, for the winners
struct Task {
    State state;
    Phase phase;
    uint40 deadline;
    uint8 seats;
    uint8 committed;
    uint24 challenges;
    uint8 dispute;
    uint8 demands;
    uint8 openDemands;
    uint24 revealed;
    uint24 out;
    uint88 pot;
}

/// @notice The outcome of a dispute.
/// @dev Claims are `RunRoot`s, passed as bytes32: solc encodes an array of a named type word by word, and an
/// array of bytes32 in one copy.
/// @param dispute its number
/// @param claims all distinct claims that stand, each a run root, in any order
/// @param losers bit i: claims[i] is wrong; at most one claim may be left
/// @param verdict hash of the verdict file
struct Resolution {
    uint256 dispute;
    bytes32[] claims;
    uint256 losers;
    bytes32 verdict;
}

/// @notice A demand for a chunk of the final state.
/// @param tensor the entry of the state
/// @param chunk the chunk of that entry
/// @param root the claim that it is demanded of
/// @param deadline the last second for the answer
/// @param tensorType the entry's encoded type
struct Demand {
    uint32 tensor;
    uint32 chunk;
    RunRoot root;
    uint40 deadline;
    bytes tensorType;
}

/// @title From a job to its payment: seats, commitments, claims, disputes, delivery
/// @notice Every state has a deadline and an exit that anyone may trigger. Half of a slashed stake is burned;
/// 40% go to the seats whose claim stands at the end, 10% to the authority that decided. A share without a
/// receiver is burned too. Rewards that no provider earned go back to the client. All payments are credits in
/// the vault.
/// @dev Functions of later states take the terms, which hash to the task's id.
interface ITaskManager {
    event TaskPosted(TaskId indexed task, Terms terms);
    event TaskMoved(TaskId indexed task, State state, Phase phase, uint256 deadline);
    event SeatTaken(TaskId indexed task, uint256 indexed seat, address indexed owner);
    /// @notice An owner has left its seat. The last seat has its number now.
    event SeatLeft(TaskId indexed task, uint256 indexed seat, address indexed owner);
    event ClaimCommitted(TaskId indexed task, uint256 indexed seat, bytes32 commitment);
    event ClaimRevealed(TaskId indexed task, uint256 indexed seat, RunRoot root);
    /// @notice A challenge was made. It has no seat until it is revealed.
    event Challenged(TaskId indexed task, address indexed owner, bytes32 commitment);
    /// @notice A revealed challenge takes no seat, and its bond is released: it claims what stands, or there
    /// is no place for its claim.
    event TurnedAway(TaskId indexed task, address indexed owner, RunRoot root);
    /// @notice A challenge was not revealed, and its bond is lost.
    event ChallengeLapsed(TaskId indexed task, address indexed owner, uint256 bond);
    event SeatSlashed(TaskId indexed task, uint256 indexed seat, uint256 amount);
    event Ruled(TaskId indexed task, uint256 indexed dispute, address authority, Resolution resolution);
    event ChunkDemanded(TaskId indexed task, uint256 indexed index, Demand demand);
    event DemandVoided(TaskId indexed task, uint256 count);
    event ChunkDelivered(TaskId indexed task, uint256 indexed index, bytes chunk);
    event TaskFinal(TaskId indexed task, RunRoot root, uint256 winners);
    event TaskRefunded(TaskId indexed task, uint256 amount);

    /// @notice A task with these terms exists.
    error TaskExists(TaskId task);
    /// @notice The game can take `longest` seconds, but the terms give it only `toPlay`.
    error GameTooLong(uint256 longest, uint256 toPlay);
    /// @notice The call needs another state or phase of the task, or there is no such task.
    error WrongState(State state, Phase phase);
    /// @notice The deadline has passed.
    error TooLate(uint256 deadline);
    /// @notice The deadline has not passed yet.
    error TooEarly(uint256 deadline);
    /// @notice Only `wanted` may do this.
    error WrongCaller(address caller, address wanted);
    /// @notice The caller has a seat in this task already.
    error AlreadySeated(address owner);
    /// @notice The task's seat policy does not let the caller take a seat.
    error SeatRefused(address owner);
    /// @notice There is no such seat, it is out, or it has made this move.
    error WrongSeat(uint256 seat);
    /// @notice The commitment is zero.
    error EmptyCommitment();
    /// @notice Root and salt are not what the seat committed to.
    error CommitmentMismatch(bytes32 commitment);
    /// @notice The root is zero.
    error EmptyRoot();
    /// @notice The challenge is against another claim than the one that stands. Nothing is taken for it.
    error StaleChallenge(RunRoot standing);
    /// @notice The account has no challenge in this task that is not revealed.
    error NoChallenge(address owner);
    /// @notice Challenges have been made that are not revealed: `expire` lets them be revealed once the
    /// window is over.
    error ChallengesOpen(uint256 count);
    /// @notice All demands that the terms allow have been made.
    error LimitReached(uint256 limit);
    /// @notice The resolution is for another dispute.
    error WrongDispute(uint256 dispute, uint256 current);
    /// @notice The resolution does not list exactly the distinct claims that stand.
    error WrongClaims();
    /// @notice Nobody loses, more than one claim is left, or a loser is not in the list.
    error WrongLosers(uint256 losers);
    /// @notice The resolution is not the one that was ruled.
    error WrongResolution();
    /// @notice Demanded chunks are still open: each must be delivered, or its demand expired.
    error DemandsOpen(uint256 count);
    /// @notice The entry has `count` chunks.
    error NoSuchChunk(uint256 chunk, uint256 count);
    /// @notice The entry's type is not the one in the terms.
    error WrongLayout();
    /// @notice There is no such demand, or it is settled or void.
    error WrongDemand(uint256 index);
    /// @notice The proof of the chunk does not lead to the claim.
    error WrongChunk(RunRoot root);

    /// @notice The client posts a task and pays `providers · reward` into escrow. The vault needs an
    /// allowance.
    function post(Terms calldata terms) external returns (TaskId task);

    /// @notice Takes the next seat with the caller's stake, if the task's seat policy lets it.
    function accept(TaskId task) external returns (uint256 seat);

    /// @notice Gives a seat back as long as others are free, with its stake. The last seat takes its number.
    function leaveSeat(TaskId task, uint256 seat) external;

    /// @notice Commits to a claim by `commitmentOf(task, owner, root, salt)`.
    function commit(TaskId task, uint256 seat, bytes32 commitment) external;

    /// @notice Opens a commitment of a provider. Anyone who knows root and salt may.
    function reveal(TaskId task, uint256 seat, RunRoot root, bytes32 salt) external;

    /// @notice Compares the revealed claims: equal claims become challengeable, different ones disputed.
    /// Anyone may, at once.
    function compare(TaskId task) external;

    /// @notice Challenges the standing claim with another one, by a commitment that `revealChallenge` opens
    /// once the window is over. The caller's stake is the bond. If the task has a game, the call also posts
    /// the game's bond for gas (`IGasBonds`). There is one window, and any number of accounts may challenge
    /// in it: challengers don't wait for each other, and none can take another one's place.
    /// @param standing the claim that is challenged
    /// @param commitment `challengeOf(task, standing, owner, root, salt)`
    function challenge(Terms calldata terms, RunRoot standing, bytes32 commitment) external payable;

    /// @notice Opens a challenge, in phase Revealing. Anyone who knows root and salt may. The claim gets a
    /// seat, and all claims with a seat are in one dispute. Seats with equal claims win or lose together.
    /// A challenge that takes no seat gets its bond back: its claim is the one that stands, all seats are
    /// taken, or its claim has half of the seats that challengers may have.
    /// @dev Seats are limited, so they must not be free. At most one claim wins, and it has at most half of
    /// them. So whoever fills all seats, or all seats of the right claim and loses them, pays for half.
    function revealChallenge(Terms calldata terms, address owner, RunRoot root, bytes32 salt) external;

    /// @notice Slashes the bond of a challenge that was not revealed in time. All of it is burned. Anyone
    /// may.
    function lapse(Terms calldata terms, address owner) external;

    /// @notice Ends a state whose deadline has passed. A seat that missed its move is slashed. A window with
    /// challenges is followed by their reveal. A dispute without a verdict is undecided: all stakes are
    /// released and the client is refunded. Anyone may.
    function expire(Terms calldata terms) external;

    /// @notice Pays, once the window has passed without a challenge, or state Settled has passed. Anyone may.
    function finalize(Terms calldata terms) external;

    /// @notice The authority's decision: the committee's in phase Judging, the game's after an escalation.
    function resolve(Terms calldata terms, Resolution calldata resolution) external;

    /// @notice The owner of a losing seat takes the dispute to the game. The call posts the game's bond for
    /// gas, unless the owner has posted it with its challenge (`IGasBonds`).
    function escalate(Terms calldata terms, Resolution calldata ruling, uint256 seat) external payable;

    /// @notice Carries out a ruling that nobody escalated, or that the game did not judge in time. Anyone
    /// may.
    function enforce(Terms calldata terms, Resolution calldata ruling) external;

    /// @notice The client demands a chunk of the final state on the chain, and pays for it.
    /// @param layoutPath siblings of the type in the terms' layout
    function demand(
        Terms calldata terms,
        uint32 tensor,
        uint32 chunk,
        bytes calldata tensorType,
        bytes32[] calldata layoutPath
    ) external returns (uint256 index);

    /// @notice Delivers a demanded chunk. Anyone may; the price goes to the winners.
    function deliver(Terms calldata terms, uint256 index, Demand calldata what, ChunkProof calldata proof) external;

    /// @notice Slashes the seats of the standing claim for a chunk that was not delivered in time, and
    /// refunds. Anyone may.
    function expireDemand(Terms calldata terms, uint256 index, Demand calldata what) external;

    function vault() external view returns (IStakeVault);

    function taskId(Terms calldata terms) external view returns (TaskId);

    function commitmentOf(TaskId task, address owner, RunRoot root, bytes32 salt) external view returns (bytes32);

    /// @notice What a challenger commits to. The hash binds the claim that it challenges: if the chain drops
    /// blocks and another claim stands, the challenge is void.
    function challengeOf(
        TaskId task,
        RunRoot standing,
        address owner,
        RunRoot root,
        bytes32 salt
    ) external view returns (bytes32);

    /// @return commitment of the account's challenge; zero if there is none, or if it was revealed
    function challengeBy(TaskId task, address owner) external view returns (bytes32 commitment);

    function taskOf(TaskId task) external view returns (Task memory);

    /// @return owner the account that pays the stake and is paid
    /// @return value zero, then the commitment, then the root
    function seatOf(TaskId task, uint256 seat) external view returns (address owner, bytes32 value);
}
