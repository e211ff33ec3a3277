// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice A task: the hash of its terms, the manager and the chain.
type TaskId is bytes32;

/// @notice A job: the hash of everything that determines its run (spec 6.6).
type JobId is bytes32;

/// @notice What a run commits to, and what a participant of a task claims (spec 6.7).
type RunRoot is bytes32;

/// @notice What a state commits to (spec 6.5).
type StateRoot is bytes32;

/// @notice What the types of a state's entries commit to (spec 6.8).
type LayoutRoot is bytes32;

using {sameJob as ==} for JobId global;
using {sameRun as ==, otherRun as !=} for RunRoot global;
using {sameLayout as ==} for LayoutRoot global;

function sameJob(JobId a, JobId b) pure returns (bool) {
    return JobId.unwrap(a) == JobId.unwrap(b);
}

function sameRun(RunRoot a, RunRoot b) pure returns (bool) {
    return RunRoot.unwrap(a) == RunRoot.unwrap(b);
}

function otherRun(RunRoot a, RunRoot b) pure returns (bool) {
    return RunRoot.unwrap(a) != RunRoot.unwrap(b);
}

function sameLayout(LayoutRoot a, LayoutRoot b) pure returns (bool) {
    return LayoutRoot.unwrap(a) == LayoutRoot.unwrap(b);
}
