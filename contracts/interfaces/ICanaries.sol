// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {RunRoot, TaskId} from "../libraries/Ids.sol";
import {State} from "./ITaskManager.sol";
import {Terms} from "../libraries/Terms.sol";
import {ITaskManager} from "./ITaskManager.sol";

/// @notice How an owner's claims in canaries ended.
/// @param passed claims that stood
/// @param failed claims that were found wrong and lost their stake
struct Record {
    uint64 passed;
    uint64 failed;
}

/// @title Canaries: tasks whose root the client knew before anyone ran them
/// @notice The salt of a canary's terms is the hash of its root and a secret, and looks like any other salt.
/// Where seats are drawn, that hash is the secret of the draw, to which the salt commits
/// (`ISeatDraw.saltOf`).
/// Providers are paid as always. If the claim that stands is another one, the client challenges it like
/// anybody else (`ITaskManager.challenge`), and the committee or the game decides. So a canary slashes
/// whoever has failed it, and nobody else: a client that challenges with a false root loses its own bond.
/// When the task is final, the mark is opened here. Then everybody sees that it was a canary, and who has
/// passed it.
interface ICanaries {
    /// @notice A task was a canary.
    /// @param task the task
    /// @param client who has posted it
    /// @param root what the client knew
    event CanaryShown(TaskId indexed task, address indexed client, RunRoot root);
    /// @notice The provider's claim was the canary's root, and stood.
    /// @param task the task
    /// @param owner the provider
    event CanaryPassed(TaskId indexed task, address indexed owner);
    /// @notice The provider's claim was another one, and lost its stake.
    /// @param task the task
    /// @param owner the provider
    event CanaryFailed(TaskId indexed task, address indexed owner);

    /// @notice The salt of the terms is not the hash of this root and this secret.
    error NotMarked();
    /// @notice A canary is shown once.
    error ShownBefore(TaskId task);
    /// @notice The task is not final, so its root is not decided, and others could still copy it.
    error NotFinal(State state);
    /// @notice The task ended with another root: that of the canary is not proven.
    error NotTheRoot(RunRoot standing);

    /// @notice The salt of a canary's terms, or the secret of its draw.
    /// @param root that the client knows
    /// @param secret random bytes, since the root may be guessed
    /// @return hash of both
    function saltOf(RunRoot root, bytes32 secret) external pure returns (bytes32);

    /// @notice Shows that a task was a canary, once it is final with the root that was known. Anyone who
    /// knows the secret may.
    /// @param terms of the task
    /// @param root that the client knew
    /// @param secret of the salt
    function show(Terms calldata terms, RunRoot root, bytes32 secret) external;

    /// @notice What canaries have shown about an owner.
    /// @param owner of seats
    /// @return how its claims ended
    function recordOf(address owner) external view returns (Record memory);

    /// @notice The task manager.
    /// @return the contract
    function manager() external view returns (ITaskManager);
}
