// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {TaskManager} from "../../contracts/TaskManager.sol";
import {ITaskManager} from "../../contracts/interfaces/ITaskManager.sol";
import {RunRoot, TaskId} from "../../contracts/libraries/Ids.sol";
import {Terms} from "../../contracts/libraries/Terms.sol";
import {vm} from "./Vm.sol";

/// @dev Terms and a claim with the hashes that TypeScript computes (test/vectors/tasks.json).
struct TaskVector {
    uint256 chain;
    address manager;
    Terms terms;
    address owner;
    RunRoot root;
    bytes32 salt;
    TaskId task;
    bytes32 commitment;
}

contract TaskHashesTest {
    bytes[] private encoded;
    bytes private code;

    function setUp() public {
        encoded = vm.parseJsonBytesArray(vm.readFile("test/vectors/tasks.json"), ".encoded");
        assert(encoded.length > 10);
        code = address(new TaskManager(IERC20(address(1)), 30 days)).code;
    }

    /// @dev The hashes bind the chain and the manager's address. So the manager's code is put there.
    function test_EveryHashIsThatOfTypeScript() public {
        for (uint256 i = 0; i < encoded.length; i++) {
            TaskVector memory v = load(i);
            vm.chainId(v.chain);
            vm.etch(v.manager, code);
            ITaskManager manager = ITaskManager(v.manager);
            assert(TaskId.unwrap(manager.taskId(v.terms)) == TaskId.unwrap(v.task));
            assert(manager.commitmentOf(v.task, v.owner, v.root, v.salt) == v.commitment);
        }
    }

    function load(uint256 i) private view returns (TaskVector memory v) {
        (v.chain, v.manager, v.terms, v.owner, v.root, v.salt, v.task, v.commitment) = abi.decode(
            encoded[i],
            (uint256, address, Terms, address, RunRoot, bytes32, TaskId, bytes32)
        );
    }
}
