// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Context, GameState} from "../../contracts/game/GameTypes.sol";
import {IBisection} from "../../contracts/interfaces/IBisection.sol";
import {BracketId, IDisputeGame, Roster} from "../../contracts/interfaces/IDisputeGame.sol";
import {IGasBonds} from "../../contracts/interfaces/IGasBonds.sol";
import {State} from "../../contracts/interfaces/ITaskManager.sol";
import {RunRoot, TaskId} from "../../contracts/libraries/Ids.sol";
import {Transcript} from "./Bisection.t.sol";
import {BondWalk} from "./BondWalk.sol";
import {BracketTable} from "./BracketTable.sol";
import {Openings} from "./Openings.sol";
import {Transcripts} from "./Transcripts.sol";
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
    BondWalk private walk;

    constructor(BondWalk walk_) {
        walk = walk_;
    }

    function act(uint256 seed) external {
        walk.act(seed);
    }
}

/// @dev What a move has to send, in disputes of test/vectors/game.json.
contract BondOfMovesTest is Transcripts {
    uint256 private constant BOND = 1 ether;

    function setUp() public {
        readTranscripts();
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
}

/// @dev Bonds of a bracket: posted once, credited at the end.
contract GasBondsTest is BracketTable {
    BondWalk private walk;
    BondWalker private walker;

    function setUp() public {
        build();
        walk = new BondWalk();
        walker = new BondWalker(walk);
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(walker);
    }

    /// @dev A player with two opponents sends its bond with both first moves: one of them is credited.
    function test_aPlayerPostsOneBondForAllItsDisputes() public {
        RunRoot[] memory roots = rootsOf(3, 2);
        (roots[1], roots[2]) = (roots[0], roots[1]);
        (BracketId bracket, Roster memory roster) = open(roots);
        game.pair(roster, 0, 2);
        game.pair(roster, 1, 2);
        (GameState memory first, Context memory c1) = begun(roster, 2, 0, CLOCK, NOW);
        (GameState memory second, Context memory c2) = begun(roster, 2, 1, CLOCK, NOW);
        (bool taken, ) = openTree(1, first, c1, 2, BOND);
        assert(taken && game.bracketOf(bracket).posted == 4 && game.creditOf(address(this)) == 0);
        uint256 id = vm.snapshotState();
        for (uint256 value = 0; value <= BOND; value += BOND) {
            (taken, ) = openTree(2, second, c2, 2, value);
            assert(taken && game.creditOf(address(this)) == value && address(game).balance == BOND + value);
            vm.revertToState(id);
        }
    }

    /// @dev A party that brings a task before the game has posted its bond, and posts it once.
    function test_aBondThatIsPostedBeforeTheGame() public {
        RunRoot[] memory roots = rootsOf(2, 2);
        TaskId task = taskId();
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.OnlyManager.selector, address(this)));
        game.prepay{value: BOND}(task, owner(1));
        for (uint256 value = 0; value < 2 * BOND; value += BOND - 1) {
            vm.expectRevert(abi.encodeWithSelector(IGasBonds.WrongBond.selector, value, BOND));
            manager.prepay{value: value}(game, task, 1);
        }
        manager.prepay{value: BOND}(game, task, 1);
        vm.expectRevert(abi.encodeWithSelector(IGasBonds.WrongBond.selector, BOND, 0));
        manager.prepay{value: BOND}(game, task, 1);
        manager.prepay(game, task, 1);
        assert(game.hasPrepaid(task, owner(1)) && address(game).balance == BOND);
        (BracketId bracket, Roster memory roster) = open(roots);
        assert(!game.hasPrepaid(task, owner(1)) && game.bracketOf(bracket).posted == 2);
        game.pair(roster, 0, 1);
        (GameState memory state, Context memory context) = begun(roster, 1, 0, CLOCK, NOW);
        (bool taken, ) = openTree(1, state, context, 2, 0);
        assert(taken && address(game).balance == BOND);
    }

    function test_aBondThatNoBracketTookIsReclaimed() public {
        TaskId task = taskId();
        manager.prepay{value: BOND}(game, task, 1);
        bring(rootsOf(2, 2));
        vm.expectRevert(IDisputeGame.StillPlaying.selector);
        game.reclaim(terms, owner(1));
        // A challenger's bond has to stay for the dispute that its challenge begins.
        manager.end(State.Challengeable);
        vm.expectRevert(IDisputeGame.StillPlaying.selector);
        game.reclaim(terms, owner(1));
        manager.end(State.Settled);
        game.reclaim(terms, owner(1));
        assert(game.creditOf(owner(1)) == BOND);
        vm.expectRevert(abi.encodeWithSelector(IGasBonds.NoCredit.selector, owner(1)));
        game.reclaim(terms, owner(1));
    }

    /// @dev Players 1 and 2 claim the same. Player 3 lies and has posted, player 0 lies and is silent.
    function test_halfOfLostBondsGoesToThePlayersThatStand() public {
        RunRoot[] memory roots = rootsOf(4, 4);
        roots[2] = roots[1];
        for (uint256 seat = 1; seat < 4; seat++) manager.prepay{value: BOND}(game, taskId(), seat);
        (, Roster memory roster) = open(roots);
        game.pair(roster, 0, 1);
        // Player 1 opens.
        (GameState memory state, Context memory context) = begun(roster, 1, 0, CLOCK, NOW);
        (bool taken, ) = openTree(1, state, context, 2, 0);
        assert(taken);
        vm.warp(NOW + CLOCK + 1);
        game.timeout(1, Openings.opened(state, bytes32(uint256(2)), NOW), context);
        // Side 0 of the second round's dispute is player 3, which stays silent.
        game.pair(roster, 1, 3);
        (state, context) = begun(roster, 3, 1, CLOCK, NOW + CLOCK + 1);
        vm.warp(NOW + 2 * CLOCK + 2);
        game.timeout(2, state, context);
        uint256 id = vm.snapshotState();
        game.close(terms, roster);
        assert(game.creditOf(owner(1)) == BOND + BOND / 4 && game.creditOf(owner(2)) == BOND + BOND / 4);
        assert(game.creditOf(owner(0)) == 0 && game.creditOf(owner(3)) == 0 && address(game).balance == 3 * BOND);
        // If the task's time was over before that, nobody gains.
        vm.revertToState(id);
        manager.end(State.Refunded);
        game.settle(roster);
        assert(game.creditOf(owner(1)) == BOND && game.creditOf(owner(2)) == BOND && game.creditOf(owner(3)) == 0);
    }

    /// @dev Nobody else had to post against a player that brought the dispute and is silent.
    function test_halfOfASilentPlayersBondGoesToThoseThatStand() public {
        manager.prepay{value: BOND}(game, taskId(), 1);
        (, Roster memory roster) = open(rootsOf(2, 2));
        game.pair(roster, 0, 1);
        (GameState memory state, Context memory context) = begun(roster, 1, 0, CLOCK, NOW);
        vm.warp(NOW + CLOCK + 1);
        game.timeout(1, state, context);
        game.close(terms, roster);
        assert(game.creditOf(owner(0)) == BOND / 2 && game.creditOf(owner(1)) == 0 && address(game).balance == BOND);
    }

    function test_withdrawingPaysOnceWhereverTheOwnerWants() public {
        address payable winner = payable(owner(0));
        credit(0);
        vm.prank(address(0xa1));
        vm.expectRevert(abi.encodeWithSelector(IGasBonds.NoCredit.selector, address(0xa1)));
        game.withdraw(payable(address(0xa1)));
        uint256 id = vm.snapshotState();
        vm.prank(winner);
        assert(game.withdraw(winner) == BOND && winner.balance == BOND);
        assert(address(game).balance == 0 && game.creditOf(winner) == 0);
        vm.prank(winner);
        vm.expectRevert(abi.encodeWithSelector(IGasBonds.NoCredit.selector, winner));
        game.withdraw(winner);
        vm.revertToState(id);
        vm.prank(winner);
        game.withdraw(payable(address(0xc0)));
        assert(winner.balance == 0 && address(0xc0).balance == BOND);
    }

    function test_aReceiverThatRevertsHurtsItselfAlone() public {
        address payable deaf = payable(address(manager));
        credit(0);
        credit(1);
        vm.prank(owner(0));
        vm.expectRevert(abi.encodeWithSelector(IGasBonds.NotReceived.selector, deaf));
        game.withdraw(deaf);
        assert(game.creditOf(owner(0)) == BOND);
        vm.prank(owner(1));
        game.withdraw(payable(address(0xc1)));
        vm.prank(owner(0));
        game.withdraw(payable(address(0xc0)));
        assert(address(0xc0).balance == BOND && address(0xc1).balance == BOND);
    }

    function test_askingAgainWhileItIsPaidGetsNothing() public {
        Robber robber = new Robber(game);
        vm.etch(owner(0), address(robber).code);
        credit(0);
        credit(1);
        Robber(payable(owner(0))).withdraw();
        assert(Robber(payable(owner(0))).received() == BOND && Robber(payable(owner(0))).refused() == 1);
        assert(address(game).balance == BOND && game.creditOf(owner(1)) == BOND);
    }

    /// @dev The balance is exactly what is prepaid, what brackets hold, all credits, and what was lost.
    function invariant_Solvency() public view {
        assert(walk.balance() == walk.owed());
        assert(walk.attempts() < 20 || walk.successes() * 100 > walk.attempts() * 80);
    }

    function testFuzz_solvency(uint256 seed) public {
        for (uint256 i = 0; i < 60; i++) {
            walk.act(uint256(keccak256(abi.encode(seed, i))));
            assert(walk.balance() == walk.owed());
        }
    }

    /// @dev A long walk reaches all kinds of states, so the invariant is not vacuous.
    function test_theWalkReachesAllKindsOfStates() public {
        for (uint256 i = 0; i < 600; i++) walk.act(uint256(keccak256(abi.encode(i))));
        string[9] memory names =
            ["prepay", "open", "move", "late", "close", "settle", "reclaim", "withdraw", "fall"];
        for (uint256 kind = 0; kind < 9; kind++) require(walk.count(kind) > 0, names[kind]);
        assert(walk.lost() > 0);
        invariant_Solvency();
    }

    /// @dev An owner is credited one bond.
    function credit(uint256 seat) private {
        manager.prepay{value: BOND}(game, taskId(), seat);
        manager.end(State.Final);
        game.reclaim(terms, owner(seat));
    }
}
