// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Pace} from "../game/Clocks.sol";
import {Context, GameState, Move, PairId} from "../game/GameTypes.sol";
import {GameWord} from "../game/GameWord.sol";
import {IGasBonds} from "./IGasBonds.sol";

/// @title A dispute between two claims, led to the leftmost leaf on which they part (spec 7.2)
/// @notice The sides move in turn. A move replies to the question that the other side has answered, which decides the direction, and
/// answers the next one. A move that does not fit reverts; who has none loses when its time is over.
/// Anyone may move for a side where the answer is the only one that fits what the side has claimed. One answer is not: a claim that is the
/// last leaf of a tree (of steps, of operators, of a fold) fits many trees. Such a tree is its owner's alone to open, or others could
/// open it to one that the owner can't defend.
/// @dev One slot a dispute holds the hash of its state. Every move shows the state before, so that none can meet another than it was
/// made for, whatever the order of transactions or a reorganization of the chain.
interface IBisection is IGasBonds {
    /// @notice A dispute has begun; side 0 is to move.
    event Started(uint256 indexed dispute, GameState state, Context context);
    /// @notice A move within a level, down two levels of its tree.
    /// @param siblings of the mover's nodes on the way, the upper and the lower; zero for a left one, on which the sides agree
    /// @param next the four nodes two levels below the one on which the sides part
    event Moved(uint256 indexed dispute, bytes32[2] siblings, bytes32[4] next);
    /// @notice Any other move. What else it showed follows from the job and from the moves before.
    event Turned(uint256 indexed dispute, bytes reply, bytes next);
    /// @notice A dispute is over.
    /// @param losers bit i: side i has lost
    event Ended(uint256 indexed dispute, PairId players, uint256 losers);

    /// @notice The dispute is not in this state, or there is none.
    error WrongState(bytes32 stored);
    /// @notice The context is not the state's.
    error WrongContext();
    /// @notice This tree is for the claim's owner to open.
    error NotTheOwner(address owner);
    /// @notice The question is another one.
    error WrongQuestion();
    /// @notice The time for the move was over at `deadline`.
    error TooLate(uint256 deadline);
    /// @notice An answer has `length` bytes where `wanted` are asked for.
    error WrongLength(uint256 length, uint256 wanted);
    /// @notice The answer does not hash to what the same side claimed before.
    error WrongAnswer();
    /// @notice The side to move has time until `deadline`.
    error TooEarly(uint256 deadline);

    /// @notice Moves within a level, down two levels of its tree: the common and cheap move.
    /// @dev Nodes on which both sides agree, and those that are hashes of others, are shown once or not at all.
    /// @param word of the state
    /// @param context of the state
    /// @param shown the other side's node two levels below, on which they part
    /// @param beside its siblings on the way up, the upper and the lower
    /// @param siblings those of the mover's node; zero for a left one, which is the other side's
    /// @param next the mover's answer: the four nodes two levels below its node on which they part
    function move(
        uint256 dispute,
        GameWord word,
        bytes32 context,
        bytes32 shown,
        bytes32[2] calldata beside,
        bytes32[2] calldata siblings,
        bytes32[4] calldata next
    ) external;

    /// @notice Any move. The first one of a side brings the bond.
    function turn(uint256 dispute, GameState calldata state, Context calldata context, Move calldata m) external payable;

    /// @notice Ends a dispute that has come to its bottom: whoever does not claim what the step gives loses; both may. Anyone may.
    /// @param word of the state
    function prove(uint256 dispute, GameWord word, Context calldata context, bytes calldata witness) external;

    /// @notice Ends a dispute in which the side to move is out of time; at the bottom both are. Where one side has lost elsewhere, and is out
    /// already, the other one wins at once: nobody has to go on against it for the sake of the bonds. Anyone may.
    function timeout(uint256 dispute, GameState calldata state, Context calldata context) external;

    /// @notice How long moves may take.
    function pace() external view returns (Pace memory);

    /// @return hash of the dispute's state; zero where there is none
    function stateOf(uint256 dispute) external view returns (bytes32);
}
