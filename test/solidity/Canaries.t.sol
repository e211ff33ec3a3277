// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Canaries} from "../../contracts/Canaries.sol";
import {SeatDraw} from "../../contracts/SeatDraw.sol";
import {ICanaries, Record} from "../../contracts/interfaces/ICanaries.sol";
import {Resolution, State} from "../../contracts/interfaces/ITaskManager.sol";
import {RunRoot, TaskId} from "../../contracts/libraries/Ids.sol";
import {Terms} from "../../contracts/libraries/Terms.sol";
import {vm} from "./Vm.sol";
import {TestWorld} from "./World.sol";

/// @dev Tasks whose root the client knew: who passes, who fails, and what a false mark does.
contract CanariesTest is TestWorld {
    bytes32 private constant SECRET = "secret";
    Canaries private canaries;

    function setUp() public override {
        super.setUp();
        canaries = new Canaries(manager);
    }

    function marked(RunRoot root) private view returns (Terms memory terms) {
        terms = defaultTerms();
        terms.salt = canaries.saltOf(root, SECRET);
    }

    /// @dev The secret of the draw is the hash that hides the root.
    function test_aTaskWhoseSeatsAreDrawnMayBeOne() public {
        SeatDraw seatDraw = new SeatDraw(manager);
        Terms memory terms = marked(TRUTH);
        terms.salt = seatDraw.saltOf(terms.salt);
        agreed(terms);
        finish(terms);
        vm.expectRevert(ICanaries.NotMarked.selector);
        canaries.show(terms, LIE, SECRET);
        canaries.show(terms, TRUTH, SECRET);
        assertRecord(0, 1, 0);
    }

    function finish(Terms memory terms) private returns (TaskId task) {
        task = manager.taskId(terms);
        pastDeadline(task);
        manager.finalize(terms);
        assertState(task, State.Final);
    }

    function assertRecord(uint256 seat, uint64 passed, uint64 failed) private view {
        Record memory record = canaries.recordOf(owner(seat));
        assert(record.passed == passed && record.failed == failed);
    }

    function test_whoClaimsTheRootPassesAndIsPaid() public {
        Terms memory terms = marked(TRUTH);
        TaskId task = agreed(terms);
        vm.expectRevert(abi.encodeWithSelector(ICanaries.NotFinal.selector, State.Challengeable));
        canaries.show(terms, TRUTH, SECRET);
        finish(terms);
        canaries.show(terms, TRUTH, SECRET);
        assertRecord(0, 1, 0);
        assertRecord(1, 1, 0);
        assert(credit(owner(0)) == REWARD && credit(owner(1)) == REWARD);
        vm.expectRevert(abi.encodeWithSelector(ICanaries.ShownBefore.selector, task));
        canaries.show(terms, TRUTH, SECRET);
    }

    function test_whoClaimsAnotherRootFailsAndIsSlashed() public {
        Terms memory terms = marked(TRUTH);
        TaskId task = disputed(terms);
        resolve(terms, secondLies(task));
        finish(terms);
        canaries.show(terms, TRUTH, SECRET);
        assertRecord(0, 1, 0);
        assertRecord(1, 0, 1);
        assert(lossOf(owner(1)) == STAKE);
    }

    /// @dev All providers collude. The client has nothing to compute: it challenges with what it knew.
    function test_theClientFindsOutTeamsThatCollude() public {
        Terms memory terms = marked(TRUTH);
        TaskId task = claimed(terms, list(LIE, LIE));
        bytes32 hash = manager.challengeOf(task, LIE, CLIENT, TRUTH, SECRET);
        vm.prank(CLIENT);
        manager.challenge(terms, LIE, hash);
        closeWindow(terms);
        manager.revealChallenge(terms, CLIENT, TRUTH, SECRET);
        resolve(terms, ruling(1, list(LIE, TRUTH), 1));
        finish(terms);
        canaries.show(terms, TRUTH, SECRET);
        assertRecord(0, 0, 1);
        assertRecord(1, 0, 1);
        Record memory own = canaries.recordOf(CLIENT);
        assert(own.passed == 0 && own.failed == 0);
        // The client has the rewards back that nobody earned, its own as the one that was right, and 40% of
        // both stakes.
        assert(lossOf(owner(0)) == STAKE && lossOf(owner(1)) == STAKE && lossOf(CLIENT) == 0);
        assert(credit(CLIENT) == 2 * REWARD + (2 * uint256(STAKE) * 40) / 100);
    }

    /// @dev A client can't blame anybody with a false root.
    function test_aFalseMarkProvesNothing() public {
        Terms memory terms = marked(LIE);
        agreed(terms);
        finish(terms);
        vm.expectRevert(abi.encodeWithSelector(ICanaries.NotTheRoot.selector, TRUTH));
        canaries.show(terms, LIE, SECRET);
        vm.expectRevert(ICanaries.NotMarked.selector);
        canaries.show(terms, TRUTH, SECRET);
        vm.expectRevert(ICanaries.NotMarked.selector);
        canaries.show(terms, LIE, "another secret");
        assertRecord(0, 0, 0);
    }

    /// @dev A seat that did not reveal, and one that has lost the game with the right claim, have done
    /// nothing wrong in their work.
    function test_onlyWrongClaimsFail() public {
        Terms memory terms = marked(TRUTH);
        terms.providers = 3;
        TaskId task = committed(terms, list(TRUTH, TRUTH, LIE));
        reveal(task, 0, TRUTH);
        reveal(task, 2, LIE);
        pastDeadline(task);
        manager.expire(terms);
        manager.compare(task);
        resolve(terms, ruling(1, list(TRUTH, LIE), 2));
        finish(terms);
        canaries.show(terms, TRUTH, SECRET);
        assertRecord(0, 1, 0);
        assertRecord(1, 0, 0);
        assertRecord(2, 0, 1);
        assert(address(canaries.manager()) == address(manager));
    }
}
