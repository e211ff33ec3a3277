// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Pace} from "../game/Clocks.sol";
import {Consent, Context, GameState, Move, PairId} from "../game/GameTypes.sol";
import {GameWord} from "../game/GameWord.sol";
import {IGasBonds} from "./IGasBonds.sol";

/// @title A dispute between two claims, led to the leftmost leaf on which they differ (spec 7.2)
/// @notice The sides move in turn. A move replies to the question that the other side has answered, which
/// decides the direction, and answers the next question. A move that does not fit reverts. A side that makes
/// no move in time loses.
/// Anyone may move for a side if only one answer fits what that side has claimed. There is one exception: a
/// claim that is the last leaf of a tree (of steps, of operators, of a fold) fits many trees. Its owner may
/// open it into any of them, and everybody else only into the one that the owner has signed (`turnFor`).
/// Otherwise another account could open it into a tree that the owner cannot defend.
/// @dev For each dispute one slot holds the hash of its state. Every move shows the state it was made for. So
/// no move can meet another state, whatever the order of transactions, or after a reorganization of the
/// chain.
interface IBisection is IGasBonds {
    /// @notice A dispute has begun; side 0 has to move.
    event Started(uint256 indexed dispute, GameState state, Context context);
    /// @notice A move within a level, down two levels of its tree.
    /// @param siblings of the mover's nodes on the way, the upper one first; zero for a left one, on which
    /// the sides agree
    /// @param next the four nodes two levels below the one on which the sides differ
    event Moved(uint256 indexed dispute, bytes32[2] siblings, bytes32[4] next);
    /// @notice Any other move. Its remaining values follow from the job and from the moves before.
    event Turned(uint256 indexed dispute, bytes reply, bytes next);
    /// @notice A dispute is over.
    /// @param losers bit i: side i has lost
    event Ended(uint256 indexed dispute, PairId players, uint256 losers);

    /// @notice The dispute is not in this state, or there is no such dispute.
    error WrongState(bytes32 stored);
    /// @notice The context is not the state's.
    error WrongContext();
    /// @notice Only the claim's owner may open this tree, unless its signature is shown.
    error NotTheOwner(address owner);
    /// @notice The claim's owner has not signed `digest`: that its claim opens into this tree.
    error NotSigned(address owner, bytes32 digest);
    /// @notice The move does not answer the question that is asked.
    error WrongQuestion();
    /// @notice The time for the move was over at `deadline`.
    error TooLate(uint256 deadline);
    /// @notice An answer has `length` bytes; `wanted` bytes are needed.
    error WrongLength(uint256 length, uint256 wanted);
    /// @notice The answer does not hash to what the same side claimed before.
    error WrongAnswer();
    /// @notice The side to move has time until `deadline`.
    error TooEarly(uint256 deadline);

    /// @notice Moves within a level, down two levels of its tree: the common and cheap move.
    /// @dev Nodes on which both sides agree, and nodes that are hashes of others, are shown once or not at
    /// all.
    /// @param word of the state
    /// @param context hash of the context, as in the state
    /// @param shown the other side's node, two levels below, on which the sides differ
    /// @param beside the siblings of `shown` and of its parent, the upper one first
    /// @param siblings the same for the mover's node; zero for a left one, which equals the other side's
    /// @param next the mover's answer: the four nodes two levels below its node on which the sides differ
    function move(
        uint256 dispute,
        GameWord word,
        bytes32 context,
        bytes32 shown,
        bytes32[2] calldata beside,
        bytes32[2] calldata siblings,
        bytes32[4] calldata next
    ) external;

    /// @notice Any move. The first move of a player in its bracket posts the bond, unless it has posted it
    /// before.
    function turn(uint256 dispute, GameState calldata state, Context calldata context, Move calldata m) external payable;

    /// @notice The same move, by any account, with the owner's consent: it leads to the same state. It is
    /// needed only for a move that opens a tree which does not follow from the owner's claim. All other
    /// moves may be made by anyone with `turn` and `move`.
    /// @dev The sender posts the bond if this is the player's first move. The bond is the owner's then, as
    /// always (`IGasBonds`).
    /// @param consent the owner's signatures over the trees that the move opens
    function turnFor(
        uint256 dispute,
        GameState calldata state,
        Context calldata context,
        Move calldata m,
        Consent calldata consent
    ) external payable;

    /// @notice Ends a dispute at its bottom. A side whose claim differs from the result of the step loses;
    /// both sides can lose. Anyone may call it.
    /// @param word of the state
    function prove(uint256 dispute, GameWord word, Context calldata context, bytes calldata witness) external;

    /// @notice Ends a dispute in which the side to move is out of time; at the bottom both sides are. Anyone
    /// may call it.
    function timeout(uint256 dispute, GameState calldata state, Context calldata context) external;

    /// @notice How long moves may take.
    function pace() external view returns (Pace memory);

    /// @return hash of the dispute's state; zero if there is no such dispute
    function stateOf(uint256 dispute) external view returns (bytes32);
}
