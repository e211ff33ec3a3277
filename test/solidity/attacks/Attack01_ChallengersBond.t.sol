// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITaskManager} from "../../../contracts/interfaces/ITaskManager.sol";
import {TaskId} from "../../../contracts/libraries/Ids.sol";
import {Terms} from "../../../contracts/libraries/Terms.sol";
import {vm} from "../Vm.sol";
import {TestWorld} from "../World.sol";

/// @dev Attack 1: the bond of an honest challenger is taken. Both providers belong to the client and lie. An
/// attacker sees a victim's challenge, challenges with the same claim first, and lets its own seats lose to
/// it, all in one block. When a window took one challenge, the victim's call then bound it to a claim that
/// stood already. It could not reveal that claim, so it lost its bond. Now all challenges of a window are
/// revealed together, equal claims win together, and a claim that stands already costs nothing.
contract Attack01_ChallengersBond is TestWorld {
    uint256 private constant ATTACKER = 2;
    uint256 private constant VICTIM = 3;

    function gameAlone() private pure returns (Terms memory terms) {
        terms = withGame();
        terms.committee = address(0);
    }

    /// @dev What the victim has sent: it names the claim that it has seen.
    function sent(Terms memory terms, TaskId task) private view returns (bytes memory) {
        return abi.encodeCall(manager.challenge, (terms, standing(task), challengeHash(task, VICTIM, TRUTH)));
    }

    function lands(bytes memory data) private returns (bool taken) {
        vm.prank(owner(VICTIM));
        (taken, ) = address(manager).call(data);
    }

    function assertNothingTaken(TaskId task, Terms memory terms) private {
        pastDeadline(task);
        manager.finalize(terms);
        assert(lossOf(owner(VICTIM)) == 0);
    }

    /// @dev It does not matter who is first with the same claim: both win, and share.
    function test_attack01_theSameClaimBeforeTheVictim() public {
        Terms memory terms = gameAlone();
        TaskId task = claimed(terms, list(LIE, LIE));
        bytes memory data = sent(terms, task);
        challenge(terms, ATTACKER, TRUTH);
        assert(lands(data));
        closeWindow(terms);
        revealChallenge(terms, ATTACKER, TRUTH);
        revealChallenge(terms, VICTIM, TRUTH);
        resolve(terms, ruling(1, list(LIE, TRUTH), 1));
        assertNothingTaken(task, terms);
        assert(credit(owner(VICTIM)) == credit(owner(ATTACKER)) && credit(owner(VICTIM)) == REWARD + 400);
    }

    /// @dev The victim's claim stands already: a reorganization has changed the providers' dispute.
    function test_attack01_theVictimsClaimStandsAlready() public {
        Terms memory terms = gameAlone();
        TaskId task = disputed(terms);
        uint256 id = vm.snapshotState();
        resolve(terms, ruling(1, list(TRUTH, LIE), 1));
        bytes memory data = sent(terms, task);
        vm.revertToState(id);
        assert(!lands(data));
        resolve(terms, ruling(1, list(TRUTH, LIE), 2));
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.StaleChallenge.selector, TRUTH));
        assert(lands(data));
        assertNothingTaken(task, terms);
    }

    /// @dev A journal sends the same bytes again, in the same window and later.
    function test_attack01_theSameChallengeIsSentAgain() public {
        Terms memory terms = gameAlone();
        TaskId task = claimed(terms, list(LIE, LIE));
        bytes memory data = sent(terms, task);
        assert(lands(data) && !lands(data));
        closeWindow(terms);
        assert(!lands(data));
        revealChallenge(terms, VICTIM, TRUTH);
        assert(!lands(data));
        resolve(terms, ruling(1, list(LIE, TRUTH), 1));
        assert(!lands(data));
        assertNothingTaken(task, terms);
    }

    /// @dev Another account sends the victim's commitment: it cannot be opened, by either of them.
    function test_attack01_aCopiedCommitmentOpensNothing() public {
        Terms memory terms = gameAlone();
        TaskId task = claimed(terms, list(LIE, LIE));
        bytes32 hash = challengeHash(task, VICTIM, TRUTH);
        vm.prank(owner(ATTACKER));
        manager.challenge(terms, LIE, hash);
        assert(lands(sent(terms, task)));
        closeWindow(terms);
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.CommitmentMismatch.selector, hash));
        manager.revealChallenge(terms, owner(ATTACKER), TRUTH, salt(VICTIM));
        revealChallenge(terms, VICTIM, TRUTH);
        // The copy delays the reveal to its deadline, and loses the bond.
        closeWindow(terms);
        resolve(terms, ruling(1, list(LIE, TRUTH), 1));
        assertNothingTaken(task, terms);
        manager.lapse(terms, owner(ATTACKER));
        assert(lossOf(owner(ATTACKER)) == BOND);
    }
}
