// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {GameWord} from "./GameWord.sol";

/// @notice A level of the machine (`Machine`), by its number. Level 0 is the outermost: the claims themselves
/// open into it.
type Level is uint8;

using {sameLevel as ==, lowerLevel as <} for Level global;

/// @dev The outermost level of every machine.
Level constant TOP = Level.wrap(0);

function sameLevel(Level a, Level b) pure returns (bool) {
    return Level.unwrap(a) == Level.unwrap(b);
}

function lowerLevel(Level a, Level b) pure returns (bool) {
    return Level.unwrap(a) < Level.unwrap(b);
}

/// @notice Where in the computation a dispute stands, packed by the machine. The game stores it and does not
/// read it.
type Place is uint256;

/// @notice The sizes that the machine needs to know, packed by it. The game stores them and does not read
/// them.
type Sizes is uint256;

/// @notice What a side claims: a digest, or a number that a payload holds. It is not the hash of a node or
/// leaf.
type Claim is bytes32;

using {sameClaim as ==} for Claim global;

function sameClaim(Claim a, Claim b) pure returns (bool) {
    return Claim.unwrap(a) == Claim.unwrap(b);
}

/// @notice The two players of a dispute, as the contract above the game knows them.
type PairId is bytes32;

/// @notice What is asked. Start: the opening of the first tree, which nobody has answered yet. Opening: the
/// tree's root (and its proof). Children: the nodes below a node, one level or two (`Rounds`). Payload: what
/// a leaf commits to. Bottom: there is no further question; the step decides.
enum Question {
    Start,
    Opening,
    Children,
    Payload,
    Bottom
}

/// @notice Where a dispute stands.
/// @param question what the side to move has to reply to; the other side has answered it, except at the start
/// @param level the tree that holds the position
/// @param height of the node, 0 for a leaf
/// @param count leaves of the tree
/// @param position of the node among those of its height
struct Position {
    Question question;
    Level level;
    uint8 height;
    uint32 count;
    uint32 position;
}

/// @notice All values of a dispute that change with every move. The contract stores their keccak256.
/// @param word clocks and position
/// @param context hash of the context
/// @param shown what the other side has answered here: its node or leaf; at an opening, the root of its tree
/// @param node what the side to move claims here; zero at an opening, where the context holds the claim
struct GameState {
    GameWord word;
    bytes32 context;
    bytes32 shown;
    bytes32 node;
}

/// @notice The values of a dispute that change only from level to level. A move at the end of a level shows
/// all of them; the other moves show their hash.
/// @dev The game reads `owners`, `claims` and `root`. The machine owns `job` to `past`, and gets them at
/// every level. These fields are named after training, because clients know them from the ABI. Another
/// machine may store its own values there.
/// @param players the two players, as the contract above the game knows them
/// @param owners of the two claims
/// @param job hash of the facts of the job
/// @param graph hash of the two trees of the disputed graph; zero above the operator level
/// @param kernel leaf of the disputed kernel in the graph's tree of kernels; zero above the chunk level
/// @param place indices of the levels that have been passed
/// @param sizes of the run, the graph and the kernel
/// @param past hash chain over the two claims from the start, and the roots of side 0's segment, step and
/// operator trees, as far as they were passed
/// @param claims what both sides claim at this level: a digest, or the bits of an element
/// @param root of side 0's tree at this level, once it is open; if a checkpoint is disputed, the state that
/// the job names
struct Context {
    PairId players;
    address[2] owners;
    bytes32 job;
    bytes32 graph;
    bytes32 kernel;
    Place place;
    Sizes sizes;
    bytes32 past;
    Claim[2] claims;
    bytes32 root;
}

/// @notice What a move shows to the machine. Fields are empty unless the way down needs them. The game reads
/// none of them.
/// @param job an encoded `JobFacts`, when the segment tree is opened, and when the segment tree or the step
/// tree is left
/// @param head an encoded `GraphHead`, when the operator tree is entered
/// @param trees an encoded `GraphTrees`, when the operator tree is entered or left for a kernel
/// @param kernel the disputed kernel's encoding, when its output is entered and opened
/// @param kernelProof the kernel's siblings in the tree of kernels, when its output is entered
struct Facts {
    bytes job;
    bytes head;
    bytes trees;
    bytes kernel;
    bytes32[] kernelProof;
}

/// @notice A move: the reply to the question that the other side has answered, and the answer to the next
/// question.
/// @param facts what the machine needs for this move
/// @param shown the other side's answer, if the state holds only its hash: the nodes below its node, or what
/// its leaf commits to
/// @param reply the mover's own answer
/// @param next the mover's answer to the next question; empty at the bottom
struct Move {
    Facts facts;
    bytes shown;
    bytes reply;
    bytes next;
}

/// @notice What lets any account make an owner's move: the owner's signatures over the trees that the move
/// opens and that do not follow from what the owner has claimed. A move opens at most two such trees.
/// @param chain what the machine has kept a hash of: the claims of both sides from the start, and the roots
/// of side 0's trees that were passed. It may hold more roots than a signature needs
/// @param reply the signature over the tree that the move's reply opens; not read if it opens no such tree
/// @param next the signature over the tree that the move's next answer opens; the same
struct Consent {
    bytes32[] chain;
    bytes reply;
    bytes next;
}
