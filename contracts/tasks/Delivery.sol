// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Demand, ITaskManager, State, Task} from "../interfaces/ITaskManager.sol";
import {ChunkPlace, ChunkProof, Commitments} from "../libraries/Commitments.sol";
import {LayoutRoot, RunRoot, TaskId} from "../libraries/Ids.sol";
import {TensorType} from "../libraries/TensorType.sol";
import {Terms} from "../libraries/Terms.sol";
import {Payouts} from "./Payouts.sol";

/// @title Delivery: the client can demand the standing claim's final weights, chunk by chunk
abstract contract Delivery is Payouts {
    /// @inheritdoc ITaskManager
    function demand(
        Terms calldata terms,
        uint32 tensor,
        uint32 chunk,
        bytes calldata tensorType,
        bytes32[] calldata layoutPath
    ) external returns (uint256 index) {
        _requireCaller(terms.client);
        TaskId task = taskId(terms);
        Task memory t = _load(task);
        if (t.state != State.Settled) _requireState(t, State.Challengeable);
        _requireInTime(t.deadline);
        require(t.demands < terms.maxDemands, LimitReached(terms.maxDemands));
        LayoutRoot agreed = Commitments.layoutOf(tensorType, tensor, terms.tensors, layoutPath);
        require(agreed == terms.stateLayout, WrongLayout());
        uint256 chunks = TensorType.chunksOf(TensorType.elements(tensorType));
        require(chunk < chunks, NoSuchChunk(chunk, chunks));

        Demand memory what = Demand({
            tensor: tensor,
            chunk: chunk,
            root: _standingRoot(task, t),
            deadline: uint40(block.timestamp + terms.periods.toAnswer),
            tensorType: tensorType
        });
        index = t.demands;
        t.demands++;
        t.openDemands++;
        _save(task, t);
        _demands[task][index] = keccak256(abi.encode(what));
        emit ChunkDemanded(task, index, what);
        vault.collect(terms.client, terms.chunkPrice);
    }

    /// @inheritdoc ITaskManager
    function deliver(Terms calldata terms, uint256 index, Demand calldata what, ChunkProof calldata proof) external {
        TaskId task = taskId(terms);
        Task memory t = _load(task);
        if (t.state != State.Disputed && t.state != State.Settled) _requireState(t, State.Challengeable);
        _requireInTime(what.deadline);
        _takeDemand(task, t, index, what);
        ChunkPlace memory place = ChunkPlace({
            job: terms.job,
            steps: terms.steps,
            commitEvery: terms.commitEvery,
            tensors: terms.tensors,
            tensor: what.tensor,
            chunk: what.chunk
        });
        RunRoot root = Commitments.runRootOf(place, what.tensorType, proof);
        require(root == what.root, WrongChunk(root));
        t.openDemands--;
        t.pot += terms.chunkPrice;
        _save(task, t);
        emit ChunkDelivered(task, index, proof.chunk);
    }

    /// @inheritdoc ITaskManager
    function expireDemand(Terms calldata terms, uint256 index, Demand calldata what) external {
        TaskId task = taskId(terms);
        Task memory t = _load(task);
        _requireUnchallenged(t);
        _requirePassed(what.deadline);
        _takeDemand(task, t, index, what);
        _slash(task, terms, t, _standing(t), address(0));
        _refund(task, terms, t);
    }

    /// @dev With another claim indices start again at 0. So a demand whose index is not below the counter is
    /// void.
    function _takeDemand(TaskId task, Task memory t, uint256 index, Demand calldata what) private {
        bool known = index < t.demands && _demands[task][index] == keccak256(abi.encode(what));
        require(known, WrongDemand(index));
        delete _demands[task][index];
    }
}
