// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRoundManager, RoundState} from "../../contracts/interfaces/IRoundManager.sol";
import {ITaskManager} from "../../contracts/interfaces/ITaskManager.sol";
import "../../contracts/rounds/RoundTypes.sol";
import {RoundWorld} from "./RoundWorld.sol";
import {vm} from "./Vm.sol";

/// @dev The life of a performance without a dispute.
contract PerformancesTest is RoundWorld {
    function setUp() public {
        build();
    }

    function test_everybodyIsPaidAtTheEnd() public {
        post();
        expectState(RoundState.Joining);
        assert(vault.escrow() == 4 * REWARD);
        for (uint256 i = 0; i < RECORDER; i++) join(i);
        expectState(RoundState.Joining);
        join(RECORDER);
        expectState(RoundState.Running);
        assert(vault.accountOf(account(0)).exposed == STAKE);
        RoundTerms memory t = terms();
        refuses(ITaskManager.WrongCaller.selector);
        manager.postRecord(t, "record");
        vm.prank(account(RECORDER));
        manager.postRecord(t, "record");
        assert(state().record == "record");
        expectState(RoundState.Challengeable);
        refuses(ITaskManager.TooEarly.selector);
        manager.close(t);
        pastDeadline();
        manager.close(t);
        expectState(RoundState.Closed);
        for (uint256 i = 0; i <= RECORDER; i++) {
            expectMoney(account(i), 0, REWARD);
            assert(vault.accountOf(account(i)).exposed == 0);
        }
        assert(vault.escrow() == 0);
        refuses(IRoundManager.WrongRoundState.selector);
        manager.close(t);
        refuses(IRoundManager.WrongRoundState.selector);
        manager.cancel(t);
    }

    function test_aPerformanceWithoutRewardsEndsToo() public {
        RoundTerms memory t = terms();
        t.reward = 0;
        vm.prank(CLIENT);
        manager.post(t, "plan", "root of the turns", storagePart());
        for (uint256 i = 0; i <= RECORDER; i++) {
            vm.prank(account(i));
            manager.join(t, i);
        }
        vm.prank(account(RECORDER));
        manager.postRecord(t, "record");
        vm.warp(block.timestamp + 3 days + 1);
        manager.close(t);
        expectMoney(account(0), 0, 0);
        expectMoney(CLIENT, 0, 0);
    }

    /// @dev Somebody has not joined, or there is no record in time.
    function test_aPerformanceIsCancelledInBothEarlyStates() public {
        for (uint256 joined = 1; joined <= 4; joined += 3) {
            uint256 id = vm.snapshotState();
            post();
            RoundTerms memory t = terms();
            for (uint256 i = 0; i < joined; i++) join(i);
            refuses(ITaskManager.TooEarly.selector);
            manager.cancel(t);
            pastDeadline();
            manager.cancel(t);
            expectState(RoundState.Cancelled);
            expectMoney(CLIENT, 0, 4 * REWARD);
            expectMoney(account(0), 0, 0);
            assert(vault.accountOf(account(0)).exposed == 0);
            assert(vm.revertToState(id));
        }
    }

    function test_itIsPostedByItsClientForItsPlanAndOnce() public {
        RoundTerms memory t = terms();
        refuses(ITaskManager.WrongCaller.selector);
        manager.post(t, "plan", "root of the turns", storagePart());
        vm.prank(CLIENT);
        refuses(IRoundManager.WrongPlan.selector);
        manager.post(t, "another plan", "root of the turns", storagePart());
        vm.prank(CLIENT);
        refuses(IRoundManager.WrongPlan.selector);
        manager.post(t, "plan", "other turns", storagePart());
        post();
        vm.prank(CLIENT);
        refuses(IRoundManager.InstanceExists.selector);
        manager.post(t, "plan", "root of the turns", storagePart());
    }

    function test_termsOutOfRangeAreRefused() public {
        for (uint256 field = 0; field < 10; field++) {
            RoundTerms memory t = terms();
            if (field == 0) t.participants = new address[](0);
            if (field == 1) t.participants = new address[](256);
            if (field == 2) t.stake = 0;
            if (field == 3) t.bond = 0;
            if (field == 4) t.price = 0;
            if (field == 5) t.periods.toJoin = 59;
            if (field == 6) t.periods.toRecord = 59;
            if (field == 7) t.periods.toChallenge = 59;
            if (field == 8) t.periods.toAnswer = 59;
            if (field == 9) t.turns[0].members = 4;
            vm.prank(CLIENT);
            vm.expectRevert(IRoundManager.TermsOutOfRange.selector);
            manager.post(t, "plan", "root of the turns", storagePart());
        }
        RoundTerms memory most = terms();
        most.rounds = type(uint32).max;
        most.plan = this.planOf(most, "plan", "root of the turns", storagePart());
        vm.prank(CLIENT);
        vm.expectRevert(IRoundManager.TermsOutOfRange.selector);
        manager.post(most, "plan", "root of the turns", storagePart());
    }

    function test_termsAtTheEndsOfTheirRangesAreTaken() public {
        RoundTerms memory t = terms();
        t.periods = RoundPeriods({toJoin: 60, toRecord: 60, toChallenge: 60, toAnswer: 60});
        t.turns[0].quorum = t.turns[0].members;
        t.participants = new address[](255);
        for (uint256 i = 0; i < 255; i++) t.participants[i] = ownerAt(0);
        t.stake = 1;
        vm.prank(CLIENT);
        InstanceId id = manager.post(t, "plan", TURNS, storagePart());
        for (uint256 i = 0; i < 255; i++) {
            assert(manager.stateOf(id).state == RoundState.Joining);
            vm.prank(ownerAt(0));
            manager.join(t, i);
        }
        vm.prank(t.recorder);
        manager.join(t, 255);
        assert(manager.stateOf(id).state == RoundState.Running);
        vm.prank(t.recorder);
        manager.postRecord(t, "record");
        vm.warp(manager.stateOf(id).deadline + 1);
        manager.close(t);
        assert(manager.stateOf(id).state == RoundState.Closed);
        expectMoney(ownerAt(0), 0, 255 * REWARD);
    }

    /// @dev In its last second a record can still be challenged.
    function test_aPerformanceIsClosedAfterItsLastSecond() public {
        record();
        RoundTerms memory t = terms();
        vm.warp(state().deadline);
        refuses(ITaskManager.TooEarly.selector);
        manager.close(t);
        vm.warp(state().deadline + 1);
        manager.close(t);
        expectState(RoundState.Closed);
    }

    function test_eachJoinsOnceAndForItself() public {
        RoundTerms memory t = terms();
        refuses(IRoundManager.WrongRoundState.selector);
        manager.join(t, 0);
        post();
        refuses(ITaskManager.WrongCaller.selector);
        manager.join(t, 0);
        vm.prank(account(1));
        refuses(ITaskManager.WrongCaller.selector);
        manager.join(t, 0);
        join(0);
        vm.prank(account(0));
        refuses(IRoundManager.HasJoined.selector);
        manager.join(t, 0);
        pastDeadline();
        vm.prank(account(1));
        refuses(ITaskManager.TooLate.selector);
        manager.join(t, 1);
    }

    /// @dev Terms that differ in one field are another instance, also on another chain.
    function test_theInstanceNamesAllTerms() public {
        bytes32 known = InstanceId.unwrap(instance());
        for (uint256 field = 0; field < 8; field++) {
            RoundTerms memory t = terms();
            if (field == 0) t.salt = "other";
            if (field == 1) t.participants[1] = ANYONE;
            if (field == 2) t.recorder = ANYONE;
            if (field == 3) t.bond++;
            if (field == 4) t.stake++;
            if (field == 5) t.templateCount++;
            if (field == 6) t.turns[1].first = 0;
            if (field == 7) vm.chainId(5);
            assert(InstanceId.unwrap(manager.instanceOf(t)) != known);
        }
    }
}
