// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDisputeGame} from "../../contracts/interfaces/IDisputeGame.sol";
import {IGasBonds} from "../../contracts/interfaces/IGasBonds.sol";
import {IRoundGame} from "../../contracts/interfaces/IRoundGame.sol";
import {IRoundManager} from "../../contracts/interfaces/IRoundManager.sol";
import {IStakeVault} from "../../contracts/interfaces/IStakeVault.sol";
import {ITaskManager} from "../../contracts/interfaces/ITaskManager.sol";
import {JobId, StateRoot} from "../../contracts/libraries/Ids.sol";
import "../../contracts/rounds/RoundTypes.sol";
import {OpenRoundGame, RoundWorld} from "./RoundWorld.sol";
import {vm} from "./Vm.sol";

/// @dev How a challenge begins and ends. Whole games are played in test/settlement/rounds.
contract RoundGameTest is RoundWorld {
    StateRoot private constant START = StateRoot.wrap("right start");
    StateRoot private constant END = StateRoot.wrap("right end");

    function setUp() public {
        build();
        vm.deal(address(this), 10 ether);
    }

    function _challenge(uint32 round, uint32 seat) private returns (uint256) {
        (RoundTerms memory t, LeafEvidence memory e) = (terms(), evidenceOf(round, seat));
        bytes memory signature = signedOf(e);
        vm.prank(ANYONE);
        return game.challenge(t, e, round == 0 || seat == SERVER ? StateRoot.wrap(0) : START, END, signature);
    }

    function test_theGameNamesItsContractsAndWantsABondThatPays() public {
        assert(address(game.manager()) == address(manager) && address(game.judge()) == address(1));
        vm.fee(1 gwei);
        new OpenRoundGame(manager);
        vm.fee(1 gwei + 1_000_000_000_000);
        refuses(IDisputeGame.BondTooSmall.selector);
        new OpenRoundGame(manager);
    }

    /// @dev The owner's stake goes to the challenger and is burned; the bonds for gas likewise.
    function test_anOwnerThatLosesLosesItsStake() public {
        record();
        uint256 dispute = _challenge(1, 0);
        assert(game.stateOf(dispute) != 0);
        assert(state().open == 1);
        assert(vault.accountOf(ANYONE).exposed == BOND);
        refuses(IGasBonds.WrongBond.selector);
        game.begin(dispute, 0);
        game.begin{value: 1 ether}(dispute, 0);
        game.begin{value: 1 ether}(dispute, 1);
        game.end(dispute, 2);
        expectMoney(account(0), STAKE, 0);
        expectMoney(ANYONE, 0, STAKE / 2);
        assert(vault.accountOf(ANYONE).exposed == 0 && state().open == 0);
        assert(game.creditOf(ANYONE) == 1.5 ether && game.creditOf(account(0)) == 0);
    }

    function test_aSilentOwnerHasPostedNothing() public {
        record();
        uint256 dispute = _challenge(1, SERVER);
        game.begin{value: 1 ether}(dispute, 0);
        game.end(dispute, 2);
        assert(game.creditOf(ANYONE) == 1 ether);
    }

    function test_aChallengerThatLosesLosesItsBond() public {
        record();
        uint256 dispute = _challenge(1, 0);
        game.begin{value: 1 ether}(dispute, 0);
        game.begin{value: 1 ether}(dispute, 1);
        game.end(dispute, 1);
        expectMoney(ANYONE, BOND, 0);
        expectMoney(account(0), 0, BOND / 2);
        assert(game.creditOf(account(0)) == 1.5 ether && game.creditOf(ANYONE) == 0);
        // One that never moves costs its owner no gas and no bond.
        dispute = _challenge(0, 1);
        game.end(dispute, 1);
        assert(game.creditOf(account(1)) == 0);
        expectMoney(account(1), 0, BOND / 2);
    }

    function test_whereBothAreWrongBothLoseAndNobodyGets() public {
        record();
        uint256 dispute = _challenge(1, 0);
        game.begin{value: 1 ether}(dispute, 0);
        game.begin{value: 1 ether}(dispute, 1);
        game.end(dispute, 3);
        expectMoney(ANYONE, BOND, 0);
        expectMoney(account(0), STAKE, 0);
        assert(vault.condemned() == STAKE + BOND);
        assert(game.creditOf(ANYONE) == 0 && game.creditOf(account(0)) == 0);
    }

    /// @dev Once the owner of a leaf is out, other challengers have their bonds back, or lose them to nobody.
    function test_severalMayChallengeOneLeaf() public {
        record();
        (uint256 first, uint256 second, uint256 third) = (_challenge(1, 0), _challenge(1, 0), _challenge(1, 0));
        game.end(first, 2);
        game.end(second, 2);
        expectMoney(ANYONE, 0, STAKE / 2);
        game.end(third, 1);
        expectMoney(ANYONE, BOND, STAKE / 2);
        expectMoney(account(0), STAKE, 0);
        (RoundTerms memory t, LeafEvidence memory e) = (terms(), evidenceOf(1, 0));
        bytes memory signature = signedOf(e);
        refuses(IRoundManager.NothingToWin.selector);
        game.challenge(t, e, START, END, signature);
    }

    function test_aChallengeIsAboutARightJobAndOtherStates() public {
        claims[1][1].job = JobId.wrap("another job");
        claims[0][1].every = 2;
        record();
        RoundTerms memory t = terms();
        LeafEvidence memory e = evidenceOf(1, 1);
        bytes memory signature = signedOf(e);
        refuses(IRoundManager.OtherJob.selector);
        vm.prank(ANYONE);
        game.challenge(t, e, START, END, signature);
        e = evidenceOf(0, 1);
        signature = signedOf(e);
        vm.expectRevert(IRoundManager.WrongForm.selector);
        vm.prank(ANYONE);
        game.challenge(t, e, START, END, signature);
        e = evidenceOf(1, 0);
        signature = signedOf(e);
        LeafClaim memory own = e.leaf.claim;
        vm.expectRevert(IRoundGame.SameRun.selector);
        vm.prank(ANYONE);
        game.challenge(t, e, own.start, own.end, signature);
        refuses(IRoundManager.NothingToWin.selector);
        vm.prank(account(0));
        game.challenge(t, e, START, END, signature);
        refuses(IStakeVault.TooLittleStake.selector);
        game.challenge(t, e, START, END, signature);
        pastDeadline();
        refuses(ITaskManager.TooLate.selector);
        vm.prank(ANYONE);
        game.challenge(t, e, START, END, signature);
    }

    function test_theManagerListensToItsGameAlone() public {
        record();
        RoundTerms memory t = terms();
        refuses(ITaskManager.WrongCaller.selector);
        manager.challenged(t, 0, ANYONE);
        InstanceId id = instance();
        refuses(ITaskManager.WrongCaller.selector);
        manager.decide(id, 0, account(0), ANYONE, 2);
    }
}
