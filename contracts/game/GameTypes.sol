// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice The trees of a run, from the outermost (spec 7.1).
enum Level {
    Segment,
    Step,
    Op,
    State,
    Chunk,
    Fold
}

/// @notice What is asked. Start: the opening of the first tree, which nobody has answered yet. Opening: the tree's root (and its proof).
/// Children: the nodes below a node, one level or two (`Rounds`). Payload: what a leaf commits to. Bottom: nothing more; the step decides.
enum Question {
    Start,
    Opening,
    Children,
    Payload,
    Bottom
}

/// @notice Where a dispute stands.
/// @param question what the side to move has to reply to; the other side has answered, except at the start
/// @param level the tree in which they are
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

/// @notice All of a dispute that changes with every move. Its keccak256 is what is stored.
/// @param word clocks and position, packed by `GameWord`
/// @param context hash of the context
/// @param shown what the other side, which has answered, claims here: its node or leaf; at an opening, the root of its tree
/// @param node what the side to move claims here; zero at an opening, where the context holds it
struct GameState {
    uint256 word;
    bytes32 context;
    bytes32 shown;
    bytes32 node;
}

/// @notice What of a dispute changes from level to level only. It is shown where a level ends, and in between only its hash.
/// @param players who plays, as the contract above knows them
/// @param owners of the two claims
/// @param job hash of the facts of the job
/// @param graph hash of the two trees of the disputed graph, zero above the op level
/// @param kernel leaf of the disputed kernel in the graph's tree of kernels, zero above the chunk level
/// @param place indices of the levels passed, packed by `PlaceWord`
/// @param sizes of the run, the graph and the kernel, packed by `SizeWord`
/// @param past chain over the roots of side 0's segment, step and op trees, of those that have been passed
/// @param claims what both sides claim at this level: a digest, or the bits of an element
/// @param root of side 0's tree at this level, once it is open; where a checkpoint is disputed, the state that the job names
struct Context {
    bytes32 players;
    address[2] owners;
    bytes32 job;
    bytes32 graph;
    bytes32 kernel;
    uint256 place;
    uint256 sizes;
    bytes32 past;
    bytes32[2] claims;
    bytes32 root;
}

/// @notice What a job's id commits to, as far as a dispute needs it (spec 6.6).
/// @param id of the job
/// @param step root of the step graph
/// @param init root of the init graph, or of the initial state
/// @param fromCheckpoint whether state 0 stands in the job
/// @param dataset root of the dataset
struct JobFacts {
    bytes32 id;
    bytes32 step;
    bytes32 init;
    bool fromCheckpoint;
    bytes32 dataset;
}

/// @notice What a graph's root commits to (spec 5.3).
/// @param inputs number of inputs
/// @param outputs number of outputs
/// @param kernels number of kernels
/// @param header hash of the header
/// @param labelTree root of the tree of labels
struct GraphHead {
    uint32 inputs;
    uint32 outputs;
    uint32 kernels;
    bytes32 header;
    bytes32 labelTree;
}

/// @notice The two trees of a graph that a dispute opens.
/// @param kernels root of the tree of kernels
/// @param outputs root of the tree of the outputs' tensor numbers
struct GraphTrees {
    bytes32 kernels;
    bytes32 outputs;
}

/// @notice What a move shows of job and graph: empty, but for what the way down needs.
/// @param job an encoded `JobFacts`, where the segment tree is opened, and where segment or step tree are left
/// @param head an encoded `GraphHead`, where the op tree is entered
/// @param trees an encoded `GraphTrees`, where the op tree is entered or left for a kernel
/// @param kernel the disputed kernel's encoding, where its output is entered and opened
/// @param kernelProof its siblings in the tree of kernels, where its output is entered
struct Facts {
    bytes job;
    bytes head;
    bytes trees;
    bytes kernel;
    bytes32[] kernelProof;
}

/// @notice A move: the reply to the question that the other side has answered, and the answer to the next one.
/// @param facts of the job and its graph that the way down needs here
/// @param shown the other side's answer, where the state holds but its hash: the nodes below its node, or what its leaf commits to
/// @param reply the mover's own answer
/// @param next the mover's answer to the next question; empty at the bottom
struct Move {
    Facts facts;
    bytes shown;
    bytes reply;
    bytes next;
}
