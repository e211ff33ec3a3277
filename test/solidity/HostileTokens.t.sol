// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Demand, ITaskManager, State} from "../../contracts/interfaces/ITaskManager.sol";
import {TaskId} from "../../contracts/libraries/Ids.sol";
import {Terms} from "../../contracts/libraries/Terms.sol";
import {TestToken} from "../../contracts/local/TestToken.sol";
import {BlockingToken, CallingToken} from "./Tokens.sol";
import {Vector, Vectors} from "./Vectors.sol";
import {vm} from "./Vm.sol";
import {TestWorld} from "./World.sol";

/// @dev A token that calls the task manager while the manager collects money with it.
contract CallingTokenTest is TestWorld, Vectors {
    function makeToken() internal override returns (TestToken) {
        return new CallingToken();
    }

    function calling() private view returns (CallingToken) {
        return CallingToken(address(token));
    }

    function test_ATaskMayBeTouchedWhileItIsPaidFor() public {
        Terms memory terms = defaultTerms();
        calling().onTransfer(address(manager), abi.encodeCall(manager.expire, (terms)));
        TaskId task = post(terms);
        // The task existed already, and could not be ended.
        bytes memory early = abi.encodeWithSelector(ITaskManager.TooEarly.selector, manager.taskOf(task).deadline);
        assert(!calling().succeeded() && keccak256(calling().answer()) == keccak256(early));
        calling().onTransfer(address(0), "");
        pastDeadline(task);
        manager.expire(terms);
        assert(credit(CLIENT) == 2 * REWARD);
        assertSettled();
    }

    function test_ATermsheetCantBePostedTwiceFromWithin() public {
        Terms memory terms = defaultTerms();
        terms.client = address(token);
        fund(address(token));
        calling().onTransfer(address(manager), abi.encodeCall(manager.post, (terms)));
        vm.prank(address(token));
        TaskId task = manager.post(terms);
        bytes memory exists = abi.encodeWithSelector(ITaskManager.TaskExists.selector, task);
        assert(!calling().succeeded() && keccak256(calling().answer()) == keccak256(exists));
        assert(vault.escrow() == 2 * REWARD);
    }

    function test_AChunkMayBeDeliveredWhileItIsPaidFor() public {
        readVectors();
        Vector memory v = load(0);
        Terms memory terms = aim(defaultTerms(), v);
        TaskId task = claimed(terms, list(v.root, v.root));
        uint40 deadline = uint40(block.timestamp + terms.periods.toAnswer);
        Demand memory what = Demand(v.place.tensor, v.place.chunk, v.root, deadline, v.tensorType);
        calling().onTransfer(address(manager), abi.encodeCall(manager.deliver, (terms, 0, what, v.proof)));
        vm.prank(CLIENT);
        manager.demand(terms, v.place.tensor, v.place.chunk, v.tensorType, v.layoutPath);
        assert(calling().succeeded() && manager.taskOf(task).openDemands == 0 && manager.taskOf(task).pot == PRICE);
        calling().onTransfer(address(0), "");
        pastDeadline(task);
        manager.finalize(terms);
        assert(credit(owner(0)) == REWARD + PRICE / 2);
        assertSettled();
    }
}

/// @dev A token that refuses to pay some accounts.
contract BlockingTokenTest is TestWorld {
    function makeToken() internal override returns (TestToken) {
        return new BlockingToken();
    }

    function test_NoReceiverStopsATaskFromEnding() public {
        BlockingToken blocking = BlockingToken(address(token));
        Terms memory terms = defaultTerms();
        TaskId task = disputed(terms);
        address[4] memory all = [owner(0), owner(1), CLIENT, COMMITTEE];
        for (uint256 i = 0; i < 4; i++) blocking.setBlocked(all[i], true);
        resolve(terms, secondLies(task));
        pastDeadline(task);
        manager.finalize(terms);
        assertState(task, State.Final);
        assertSettled();
        blocking.setBlocked(CLIENT, false);
        assert(vault.claim(CLIENT) == REWARD);
        vm.expectRevert(abi.encodeWithSelector(BlockingToken.Blocked.selector, owner(0)));
        vault.claim(owner(0));
        assert(credit(owner(0)) == REWARD + 400);
    }
}
