// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Demand, ITaskManager, Phase, State} from "../../contracts/interfaces/ITaskManager.sol";
import {ChunkProof} from "../../contracts/libraries/Commitments.sol";
import {LayoutRoot, TaskId} from "../../contracts/libraries/Ids.sol";
import {MerkleTree} from "../../contracts/libraries/MerkleTree.sol";
import {TensorType} from "../../contracts/libraries/TensorType.sol";
import {Terms} from "../../contracts/libraries/Terms.sol";
import {Vector, Vectors} from "./Vectors.sol";
import {vm} from "./Vm.sol";
import {TestWorld} from "./World.sol";

/// @dev Chunks on demand, with vectors from TypeScript.
contract DeliveryTest is TestWorld, Vectors {
    function setUp() public override {
        super.setUp();
        readVectors();
    }

    function termsFor(Vector memory v) private pure returns (Terms memory terms) {
        return aim(defaultTerms(), v);
    }

    function demand(Terms memory terms, Vector memory v) private returns (Demand memory) {
        TaskId task = manager.taskId(terms);
        uint256 expected = manager.taskOf(task).demands;
        vm.prank(CLIENT);
        assert(manager.demand(terms, v.place.tensor, v.place.chunk, v.tensorType, v.layoutPath) == expected);
        return
            Demand({
                tensor: v.place.tensor,
                chunk: v.place.chunk,
                root: v.root,
                deadline: uint40(block.timestamp + 7 hours),
                tensorType: v.tensorType
            });
    }

    function test_EveryVectorIsDelivered() public {
        for (uint256 i = 0; i < encoded.length; i++) {
            Vector memory v = load(i);
            Terms memory terms = termsFor(v);
            terms.salt = bytes32(i);
            TaskId task = claimed(terms, list(v.root, v.root));
            uint256 escrow = vault.escrow();
            Demand memory what = demand(terms, v);
            assert(vault.escrow() == escrow + PRICE && manager.taskOf(task).openDemands == 1);
            vm.prank(ANYONE);
            manager.deliver(terms, 0, what, v.proof);
            assert(manager.taskOf(task).openDemands == 0 && manager.taskOf(task).pot == PRICE);
        }
    }

    function test_ThePriceGoesToTheWinners() public {
        Vector memory v = load(0);
        Terms memory terms = termsFor(v);
        terms.chunkPrice = 8;
        TaskId task = claimed(terms, list(v.root, v.root));
        Demand memory what = demand(terms, v);
        vm.warp(what.deadline);
        manager.deliver(terms, 0, what, v.proof);
        pastDeadline(task);
        manager.finalize(terms);
        assert(credit(owner(0)) == REWARD + 4 && credit(owner(1)) == REWARD + 4);
        assertSettled();
    }

    function test_ADemandWaitsForItsAnswer() public {
        Vector memory v = load(0);
        Terms memory terms = termsFor(v);
        TaskId task = claimed(terms, list(v.root, v.root));
        toDeadline(task);
        Demand memory what = demand(terms, v);
        pastDeadline(task);
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.DemandsOpen.selector, 1));
        manager.finalize(terms);
        vm.warp(what.deadline);
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.TooEarly.selector, what.deadline));
        manager.expireDemand(terms, 0, what);
        manager.deliver(terms, 0, what, v.proof);
        manager.finalize(terms);
        assertState(task, State.Final);
    }

    function test_AMissingChunkCostsStakeAndReward() public {
        Vector memory v = load(0);
        Terms memory terms = termsFor(v);
        TaskId task = claimed(terms, list(v.root, v.root));
        Demand memory what = demand(terms, v);
        demand(terms, load(1));
        vm.warp(uint256(what.deadline) + 1);
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.TooLate.selector, what.deadline));
        manager.deliver(terms, 0, what, v.proof);
        vm.prank(ANYONE);
        manager.expireDemand(terms, 0, what);
        assertState(task, State.Refunded);
        assert(lossOf(owner(0)) == STAKE && lossOf(owner(1)) == STAKE && credit(owner(0)) == 0);
        // The rewards and both prices go back to the client; the slashed stake is burned.
        assert(credit(CLIENT) == 2 * REWARD + 2 * PRICE && vault.condemned() == 2 * STAKE);
        assert(manager.taskOf(task).openDemands == 0);
        assertSettled();
        vm.expectRevert(wrongState(State.Refunded, Phase.None));
        manager.expireDemand(terms, 0, what);
        vm.expectRevert(wrongState(State.Refunded, Phase.None));
        manager.deliver(terms, 0, what, v.proof);
    }

    function test_DemandsAreTheClientsInTheWindowAndFew() public {
        Vector memory v = load(0);
        Terms memory terms = termsFor(v);
        TaskId task = committed(terms, list(v.root, v.root));
        vm.expectRevert(wrongState(State.Accepted, Phase.None));
        vm.prank(CLIENT);
        manager.demand(terms, 0, 0, v.tensorType, v.layoutPath);
        reveal(task, 0, v.root);
        reveal(task, 1, v.root);
        manager.compare(task);
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.WrongCaller.selector, ANYONE, CLIENT));
        vm.prank(ANYONE);
        manager.demand(terms, 0, 0, v.tensorType, v.layoutPath);
        toDeadline(task);
        for (uint256 i = 0; i < 3; i++) demand(terms, v);
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.LimitReached.selector, 3));
        vm.prank(CLIENT);
        manager.demand(terms, 0, 0, v.tensorType, v.layoutPath);
        pastDeadline(task);
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.TooLate.selector, block.timestamp - 1));
        vm.prank(CLIENT);
        manager.demand(terms, 0, 0, v.tensorType, v.layoutPath);
    }

    function refused(Terms memory terms, uint32 tensor, uint32 chunk, Vector memory v, bytes memory why) private {
        vm.expectRevert(why);
        vm.prank(CLIENT);
        manager.demand(terms, tensor, chunk, v.tensorType, v.layoutPath);
    }

    function test_DemandsAreForWhatTheLayoutHolds() public {
        // Entry 4 of "all shapes" has 65 elements in 2 chunks.
        Vector memory v;
        for (uint256 i = 0; v.place.tensors != 9 || v.place.tensor != 4; i++) v = load(i);
        Terms memory terms = termsFor(v);
        claimed(terms, list(v.root, v.root));
        refused(terms, 4, 2, v, abi.encodeWithSelector(ITaskManager.NoSuchChunk.selector, 2, 2));
        refused(terms, 9, 0, v, abi.encodeWithSelector(MerkleTree.NoSuchLeaf.selector, 9, 9));
        refused(terms, 5, 0, v, abi.encodeWithSelector(ITaskManager.WrongLayout.selector));
        v.tensorType = hex"0100";
        refused(terms, 4, 0, v, abi.encodeWithSelector(ITaskManager.WrongLayout.selector));
        // A layout can hold bytes that are no type. Then nothing can be demanded of that entry.
        v.tensorType = hex"0700";
        v.layoutPath = new bytes32[](0);
        terms.tensors = 1;
        terms.stateLayout = LayoutRoot.wrap(sha256(hex"110700"));
        claimed(terms, list(v.root, v.root));
        refused(terms, 0, 0, v, abi.encodeWithSelector(TensorType.NoTensorType.selector, bytes(hex"0700")));
    }

    function test_OnlyTheDemandedChunkIsTaken() public {
        Vector memory v = load(0);
        Vector memory other = load(1);
        Terms memory terms = termsFor(v);
        TaskId task = claimed(terms, list(v.root, v.root));
        Demand memory what = demand(terms, v);
        bytes memory unknown = abi.encodeWithSelector(ITaskManager.WrongDemand.selector, 0);
        Demand memory changed = demand(terms, other);
        vm.expectRevert(unknown);
        manager.deliver(terms, 0, changed, other.proof);
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.WrongDemand.selector, 2));
        manager.deliver(terms, 2, what, v.proof);
        changed.deadline++;
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.WrongDemand.selector, 1));
        manager.deliver(terms, 1, changed, other.proof);
        ChunkProof memory proof = v.proof;
        bytes memory chunk = proof.chunk;
        proof.chunk = bytes.concat(chunk);
        proof.chunk[0] ^= 0x01;
        vm.expectRevert();
        manager.deliver(terms, 0, what, proof);
        proof.chunk = chunk;
        manager.deliver(terms, 0, what, proof);
        vm.expectRevert(unknown);
        manager.deliver(terms, 0, what, proof);
        vm.warp(uint256(what.deadline) + 1);
        vm.expectRevert(unknown);
        manager.expireDemand(terms, 0, what);
        assert(manager.taskOf(task).openDemands == 1);
    }

    function test_AWrongChunkIsNamed() public {
        Vector memory v = load(0);
        Terms memory terms = termsFor(v);
        claimed(terms, list(LIE, LIE));
        Demand memory what = demand(terms, v);
        what.root = LIE;
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.WrongChunk.selector, v.root));
        manager.deliver(terms, 0, what, v.proof);
    }

    /// @dev While a claim is disputed its owner may deliver, and no account may end the task because of a
    /// chunk.
    function test_DeliveryContinuesInADispute() public {
        Vector memory v = load(0);
        Terms memory terms = termsFor(v);
        TaskId task = claimed(terms, list(v.root, v.root));
        toDeadline(task);
        Demand memory first = demand(terms, v);
        Vector memory w = load(1);
        Demand memory second = demand(terms, w);
        challenge(terms, 2, LIE);
        // A claim that is challenged is not punished for its chunks before that is decided.
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.ChallengesOpen.selector, 1));
        manager.expireDemand(terms, 1, second);
        closeWindow(terms);
        manager.deliver(terms, 0, first, v.proof);
        vm.warp(uint256(second.deadline) + 1);
        vm.expectRevert(wrongState(State.Disputed, Phase.Revealing));
        manager.expireDemand(terms, 1, second);
        closeWindow(terms);
        // The challenger did not reveal; the chunk is still owed.
        assertState(task, State.Settled);
        manager.expireDemand(terms, 1, second);
        manager.lapse(terms, owner(2));
        assertState(task, State.Refunded);
        assert(lossOf(owner(0)) == STAKE && credit(CLIENT) == 2 * REWARD + PRICE);
        assertSettled();
    }

    function test_DemandsFallWithTheirClaim() public {
        Vector memory v = load(0);
        Vector memory w = load(1);
        Terms memory terms = termsFor(v);
        TaskId task = claimed(terms, list(LIE, LIE));
        toDeadline(task);
        Demand memory first = demand(terms, v);
        Demand memory second = demand(terms, w);
        (first.root, second.root) = (LIE, LIE);
        challenged(terms, 2, v.root);
        resolve(terms, ruling(1, list(LIE, v.root), 1));
        assert(manager.taskOf(task).demands == 0 && manager.taskOf(task).openDemands == 0);
        assert(credit(CLIENT) == 2 * PRICE);
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.WrongDemand.selector, 1));
        manager.deliver(terms, 1, second, w.proof);
        vm.warp(uint256(first.deadline) + 1);
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.WrongDemand.selector, 0));
        manager.expireDemand(terms, 0, first);
        // The challenger's claim owes its own chunks, with the same numbers.
        Demand memory again = demand(terms, v);
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.WrongDemand.selector, 0));
        manager.expireDemand(terms, 0, first);
        manager.deliver(terms, 0, again, v.proof);
        pastDeadline(task);
        manager.finalize(terms);
        assert(credit(owner(2)) == REWARD + 800 + PRICE);
        assertSettled();
    }

    function test_DemandsStayWithAClaimThatStands() public {
        Vector memory v = load(0);
        Terms memory terms = termsFor(v);
        TaskId task = claimed(terms, list(v.root, v.root));
        toDeadline(task);
        Demand memory what = demand(terms, v);
        challenged(terms, 2, LIE);
        resolve(terms, ruling(1, list(v.root, LIE), 2));
        assert(manager.taskOf(task).demands == 1 && manager.taskOf(task).openDemands == 1 && credit(CLIENT) == 0);
        manager.deliver(terms, 0, what, v.proof);
        pastDeadline(task);
        manager.finalize(terms);
        assertSettled();
    }

    function test_ARefundIncludesOpenPrices() public {
        Vector memory v = load(0);
        Terms memory terms = termsFor(v);
        TaskId task = claimed(terms, list(v.root, v.root));
        demand(terms, v);
        challenged(terms, 2, LIE);
        pastDeadline(task);
        manager.expire(terms);
        assert(credit(CLIENT) == 2 * REWARD + PRICE && lossOf(owner(0)) == 0);
        assertSettled();
    }
}
