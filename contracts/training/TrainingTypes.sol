// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Level} from "../game/GameTypes.sol";
import {JobId} from "../libraries/Ids.sol";

/// @dev The trees of a run, from the outermost (spec 7.1). The segment level is `TOP`.
Level constant SEGMENT = Level.wrap(0);
Level constant STEP = Level.wrap(1);
Level constant OP = Level.wrap(2);
Level constant STATE = Level.wrap(3);
Level constant CHUNK = Level.wrap(4);
Level constant FOLD = Level.wrap(5);

/// @notice What a job's id commits to, as far as a dispute needs it (spec 6.6).
/// @param id of the job
/// @param step root of the step graph
/// @param init root of the init graph, or of the initial state
/// @param fromCheckpoint whether the job holds state 0
/// @param dataset root of the dataset
struct JobFacts {
    JobId id;
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
