// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Judge} from "../../contracts/Judge.sol";
import {Pace} from "../../contracts/game/Clocks.sol";
import {Claim, Context, GameState, PairId} from "../../contracts/game/GameTypes.sol";
import {IBisection} from "../../contracts/interfaces/IBisection.sol";
import {IGasBonds} from "../../contracts/interfaces/IGasBonds.sol";
import {JobId, RunRoot} from "../../contracts/libraries/Ids.sol";
import {JobFacts} from "../../contracts/training/TrainingTypes.sol";
import {Transcript} from "./Bisection.t.sol";
import {BisectionHarness} from "./BisectionHarness.sol";
import {BondPlay, Transcripts} from "./BondPlay.sol";
import {Openings} from "./Openings.sol";
import {vm} from "./Vm.sol";

/// @dev An owner of a claim that asks for its credit again when it is paid.
contract Robber {
    IGasBonds private immutable game;
    uint256 public received;
    uint256 public refused;

    constructor(IGasBonds game_) {
        game = game_;
    }

    function withdraw() external {
        game.withdraw(payable(this));
    }

    function withdrawTo(address payable to) external {
        game.withdraw(to);
    }

    receive() external payable {
        received += msg.value;
        try game.withdraw(payable(this)) {} catch (bytes memory failure) {
            assert(bytes4(failure) == IGasBonds.NoCredit.selector);
            refused++;
        }
    }
}

/// @dev What the fuzzer calls.
contract BondWalker {
    BondPlay private play;

    constructor(BondPlay play_) {
        play = play_;
    }

    function act(uint256 seed) external {
        play.act(seed);
    }
}

contract GasBondsTest is Transcripts {
    uint256 private constant START = 1_800_000_000;
    uint256 private constant BOND = 1 ether;
    BisectionHarness private game;
    BondPlay private play;
    BondWalker private walker;
    uint256 private disputes;

    function setUp() public {
        readTranscripts();
        play = new BondPlay(BOND);
        walker = new BondWalker(play);
        game = new BisectionHarness(new Judge(), Pace({clock: 4000, response: 600, recompute: 1800}), BOND);
        vm.deal(address(this), 1000 ether);
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(walker);
    }

    function test_theFirstMoveOfEachSidePostsTheBondAndNoOtherPostsAnything() public {
        for (uint256 i = 0; i < transcripts(); i++) {
            Transcript memory t = begin(i, BOND);
            for (uint256 j = 0; j < t.calls.length; j++) {
                vm.warp(t.times[j + 1]);
                uint256 wanted = j < 2 ? BOND : 0;
                uint256[5] memory values = [uint256(0), 1, BOND - 1, BOND + 1, BOND];
                for (uint256 k = 0; k < 5; k++) {
                    if (values[k] == wanted) continue;
                    (bool taken, bytes memory failure) = send(t.owners[j % 2], t.calls[j], values[k]);
                    assert(!taken);
                    // A plain move is not payable.
                    bool isTurn = bytes4(t.calls[j]) == IBisection.turn.selector;
                    bytes memory wrong = abi.encodeWithSelector(IGasBonds.WrongBond.selector, values[k], wanted);
                    assert(keccak256(failure) == keccak256(isTurn ? wrong : bytes("")));
                }
                play_(t, j, BOND);
                assert(address(table).balance == (j == 0 ? BOND : 2 * BOND));
            }
            if (t.proof.length == 0) continue;
            (bool proven, ) = send(address(this), t.proof, 1);
            assert(!proven);
        }
    }

    function test_theWinnerGetsBothBondsAndIfBothLoseNobodyGetsThem() public {
        uint256 both = 0;
        for (uint256 i = 0; i < transcripts(); i++) {
            Transcript memory t = begin(i, BOND);
            for (uint256 j = 0; j < t.calls.length; j++) play_(t, j, BOND);
            if (t.proof.length == 0) continue;
            uint256 bottom = vm.snapshotState();
            (bool proven, ) = send(address(this), t.proof, 0);
            assert(proven && (t.wrong == 1 || t.wrong == 2));
            assert(table.creditOf(t.owners[t.wrong & 1]) == 2 * BOND && table.creditOf(t.owners[1 - (t.wrong & 1)]) == 0);
            vm.revertToState(bottom);
            // No side proves.
            vm.warp(t.times[t.calls.length] + 4001);
            table.timeout(1, t.last, t.context);
            assert(table.losersOf(t.players) == 3 && address(table).balance == 2 * BOND);
            assert(table.creditOf(t.owners[0]) == 0 && table.creditOf(t.owners[1]) == 0);
            both++;
        }
        assert(both == transcripts() - 1);
    }

    /// @dev A side that is late with its first move has posted nothing; later it loses the bond that it has
    /// posted.
    function test_aLateSideLosesItsPostedBond() public {
        for (uint256 i = 0; i < transcripts(); i++) {
            Transcript memory t = begin(i, BOND);
            for (uint256 j = 0; j < t.calls.length; j++) {
                if (bytes4(t.calls[j]) == IBisection.turn.selector) {
                    (GameState memory state, Context memory context) = shownIn(t.calls[j]);
                    uint256 id = vm.snapshotState();
                    vm.warp(t.times[j] + 4001);
                    table.timeout(1, state, context);
                    assert(table.creditOf(t.owners[j % 2]) == 0);
                    assert(table.creditOf(t.owners[1 - (j % 2)]) == (j < 2 ? j * BOND : 2 * BOND));
                    vm.revertToState(id);
                }
                play_(t, j, BOND);
            }
        }
    }

    /// @dev An account gains nothing by moving first for another one.
    function test_aStrangerMayPostABondAndItBelongsToTheOwner() public {
        uint256 i = 0;
        // Some first replies open a step's tree: only the owner may do that.
        while (load(i).open[1] || load(i).proof.length == 0) i++;
        Transcript memory t = begin(i, BOND);
        address stranger = address(0x57);
        vm.deal(stranger, 10 * BOND);
        for (uint256 j = 0; j < 2; j++) {
            vm.warp(t.times[j + 1]);
            vm.prank(stranger);
            (bool taken, ) = address(table).call{value: BOND}(t.calls[j]);
            assert(taken);
            // Value that the owner sends too late returns with its transaction.
            (taken, ) = send(t.owners[j], t.calls[j], BOND);
            assert(!taken && address(table).balance == (j + 1) * BOND);
        }
        for (uint256 j = 2; j < t.calls.length; j++) play_(t, j, BOND);
        (bool proven, ) = send(stranger, t.proof, 0);
        assert(proven);
        assert(table.creditOf(stranger) == 0 && table.creditOf(t.owners[t.wrong & 1]) == 2 * BOND);
    }

    function test_withdrawingPaysOnceWhereverTheOwnerWants() public {
        address payable owner = payable(address(0xa0));
        winByTimeout(owner);
        uint256 running = BOND;
        openAs(address(0xb0));
        vm.prank(address(0xa1));
        vm.expectRevert(abi.encodeWithSelector(IGasBonds.NoCredit.selector, address(0xa1)));
        game.withdraw(payable(address(0xa1)));
        uint256 id = vm.snapshotState();
        vm.prank(owner);
        assert(game.withdraw(owner) == BOND && owner.balance == BOND);
        assert(address(game).balance == running && game.creditOf(owner) == 0);
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(IGasBonds.NoCredit.selector, owner));
        game.withdraw(owner);
        vm.revertToState(id);
        vm.prank(owner);
        game.withdraw(payable(address(0xc0)));
        assert(owner.balance == 0 && address(0xc0).balance == BOND);
    }

    function test_aReceiverThatRevertsHurtsItselfAlone() public {
        address payable deaf = payable(address(game));
        Robber stubborn = new Robber(game);
        winByTimeout(address(stubborn));
        winByTimeout(address(0xa0));
        vm.expectRevert(abi.encodeWithSelector(IGasBonds.NotReceived.selector, deaf));
        stubborn.withdrawTo(deaf);
        assert(game.creditOf(address(stubborn)) == BOND);
        vm.prank(address(0xa0));
        game.withdraw(payable(address(0xa0)));
        stubborn.withdrawTo(payable(address(0xc0)));
        assert(address(0xa0).balance == BOND && address(0xc0).balance == BOND);
    }

    function test_askingAgainWhileItIsPaidGetsNothing() public {
        Robber robber = new Robber(game);
        winByTimeout(address(robber));
        winByTimeout(address(0xa0));
        robber.withdraw();
        assert(robber.received() == BOND && robber.refused() == 1);
        assert(address(game).balance == BOND && game.creditOf(address(0xa0)) == BOND);
    }

    function test_withoutABondNobodyIsCredited() public {
        Transcript memory t = begin(0, 0);
        for (uint256 j = 0; j < t.calls.length; j++) play_(t, j, 0);
        (bool proven, ) = send(address(this), t.proof, 0);
        assert(proven && table.creditOf(t.owners[0]) == 0 && table.creditOf(t.owners[1]) == 0);
    }

    /// @dev The balance is exactly the bonds of all running disputes, all credits, and the bonds of disputes
    /// that both sides have lost.
    function invariant_Solvency() public view {
        assert(play.balance() == play.running() + play.credits() + play.lost());
        assert(play.attempts() < 20 || play.successes() * 100 > play.attempts() * 40);
    }

    function testFuzz_solvency(uint256 seed) public {
        for (uint256 i = 0; i < 60; i++) {
            play.act(uint256(keccak256(abi.encode(seed, i))));
            assert(play.balance() == play.running() + play.credits() + play.lost());
        }
    }

    /// @dev A long walk reaches all kinds of states, so the invariant is not vacuous.
    function test_theWalkReachesAllKindsOfStates() public {
        for (uint256 i = 0; i < 600; i++) walker.act(uint256(keccak256(abi.encode(i))));
        for (uint256 kind = 0; kind < 5; kind++) assert(play.count(kind) > 0);
        assert(play.lost() > 0);
        invariant_Solvency();
    }

    /// @dev Side 0 opens its claim, and side 1 does not answer.
    function winByTimeout(address owner) private {
        (uint256 dispute, GameState memory state, Context memory context) = openAs(owner);
        vm.warp(START + 4008);
        game.timeout(dispute, state, context);
        assert(game.creditOf(owner) == BOND);
    }

    function openAs(address owner) private returns (uint256 dispute, GameState memory state, Context memory context) {
        JobFacts memory job = JobFacts({id: JobId.wrap("job"), step: "step", init: "init", fromCheckpoint: false, dataset: "data"});
        Claim[2] memory claims = [Claim.wrap(RunRoot.unwrap(Openings.claimOf(job, 3, "tree"))), Claim.wrap("lie")];
        address[2] memory owners = [owner, address(0xdead)];
        vm.warp(START);
        game.start(PairId.wrap("pair"), owners, job, 10, 3, claims);
        dispute = ++disputes;
        context = Openings.contextOf(PairId.wrap("pair"), owners, job, 10, 3, claims);
        state = Openings.start(context, 4000, START);
        vm.warp(START + 7);
        (bool taken, ) = address(game).call{value: BOND}(Openings.opening(dispute, state, context, job, "tree"));
        assert(taken);
        state = Openings.opened(state, "tree", START + 7);
        assert(game.stateOf(dispute) == keccak256(abi.encode(state)));
    }
}
