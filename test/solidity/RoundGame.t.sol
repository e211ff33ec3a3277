// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {RoundGame} from "../../contracts/RoundGame.sol";
import {Pace} from "../../contracts/game/Clocks.sol";
import {Claim, Context, GameState, PairId} from "../../contracts/game/GameTypes.sol";
import {IDisputeGame} from "../../contracts/interfaces/IDisputeGame.sol";
import {IGasBonds} from "../../contracts/interfaces/IGasBonds.sol";
import {IJudge} from "../../contracts/interfaces/IJudge.sol";
import {IRoundGame} from "../../contracts/interfaces/IRoundGame.sol";
import {IRoundManager} from "../../contracts/interfaces/IRoundManager.sol";
import {IStakeVault} from "../../contracts/interfaces/IStakeVault.sol";
import {ITaskManager} from "../../contracts/interfaces/ITaskManager.sol";
import {JobId, RunRoot, StateRoot} from "../../contracts/libraries/Ids.sol";
import {RecordHash} from "../../contracts/rounds/RecordHash.sol";
import "../../contracts/rounds/RoundTypes.sol";
import {SizesLib} from "../../contracts/training/Sizes.sol";
import {JobFacts} from "../../contracts/training/TrainingTypes.sol";
import {Openings} from "./Openings.sol";
import {RoundWorld} from "./RoundWorld.sol";
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
        vm.fee(3 gwei);
        uint256 least = 4 * 2 * 1_650_000 * uint256(3 gwei);
        Pace memory pace = Pace(60, 10, 20);
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.BondTooSmall.selector, least - 1, least));
        new RoundGame(manager, IJudge(address(1)), pace, least - 1);
        assert(new RoundGame(manager, IJudge(address(1)), pace, least).gasBond() == least);
    }

    /// @dev The challenger is side 0 and the owner side 1 of a dispute about the job that the leaf has.
    function test_theDisputeIsAboutWhatBothHaveClaimed() public {
        record();
        uint256 dispute = _challenge(1, 0);
        LeafEvidence memory e = evidenceOf(1, 0);
        JobFacts memory job = this.factsOf(terms(), e);
        LeafClaim memory own = e.leaf.claim;
        Claim listed = Claim.wrap(RunRoot.unwrap(RecordHash.runOf(own)));
        (own.start, own.end) = (START, END);
        Claim[2] memory sides = [Claim.wrap(RunRoot.unwrap(RecordHash.runOf(own))), listed];
        PairId players = PairId.wrap(bytes32(dispute));
        Context memory c = Openings.contextOf(players, [ANYONE, account(0)], job, 2, own.every, sides);
        // What the leaf reads, and the seat's own tensors.
        c.sizes = SizesLib.withLists(c.sizes, 2);
        GameState memory first = Openings.start(c, 60, 60, block.timestamp);
        assert(game.stateOf(dispute) == keccak256(abi.encode(first)));
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

    /// @dev Nothing is known of a dispute that has ended, so nobody is paid for it again.
    function test_aDisputePaysOnce() public {
        record();
        uint256 dispute = _challenge(1, 0);
        _challenge(1, 1);
        game.begin{value: 1 ether}(dispute, 0);
        game.end(dispute, 2);
        vm.expectRevert(abi.encodeWithSignature("Panic(uint256)", 0x11));
        game.end(dispute, 2);
        assert(game.creditOf(ANYONE) == 1 ether && state().open == 1);
        assert(vault.accountOf(ANYONE).exposed == BOND);
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
