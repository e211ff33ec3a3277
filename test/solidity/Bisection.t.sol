// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Judge} from "../../contracts/Judge.sol";
import {Pace} from "../../contracts/game/Clocks.sol";
import {Claim, Context, GameState, Move, PairId, Position, Question} from "../../contracts/game/GameTypes.sol";
import {GameWord, GameWordLib} from "../../contracts/game/GameWord.sol";
import {IBisection} from "../../contracts/interfaces/IBisection.sol";
import {MerkleTree} from "../../contracts/libraries/MerkleTree.sol";
import {JobHash} from "../../contracts/training/JobHash.sol";
import {SizesLib} from "../../contracts/training/Sizes.sol";
import {JobFacts} from "../../contracts/training/TrainingTypes.sol";
import {BisectionHarness} from "./BisectionHarness.sol";
import {vm} from "./Vm.sol";

/// @dev A dispute, move by move (test/vectors/game.json). The first state and time are those of the start.
/// `open` says which moves open a tree: such a move shows a proof from a leaf to a root that was not claimed
/// before. `consented` is the same move by any account, with the owner's signatures; it is empty for other
/// moves. `losers` are the sides that lose if nobody moves any more. `proof` ends the dispute, if it has
/// reached its bottom; then the sides in `wrong` lose.
struct Transcript {
    JobFacts job;
    uint32 steps;
    uint32 commitEvery;
    PairId players;
    address[2] owners;
    Claim[2] claims;
    bytes32[] states;
    uint256[] times;
    bytes[] calls;
    bool[] open;
    bytes[] consented;
    GameState last;
    Context context;
    uint256 losers;
    bytes proof;
    uint256 wrong;
}

contract BisectionTest {
    BisectionHarness private game;
    bytes[] private encoded;

    function setUp() public {
        encoded = vm.parseJsonBytesArray(vm.readFile("test/vectors/game.json"), ".encoded");
        assert(encoded.length == 20);
    }

    function test_movesLeadToTheStatesOfTheCounterpart() public {
        for (uint256 i = 0; i < encoded.length; i++) {
            Transcript memory t = _begin(i);
            for (uint256 j = 0; j < t.calls.length; j++) _play(t, j);
            // Nothing is asked any more, so it does not matter which side has to move.
            vm.warp(t.times[t.calls.length] + 1);
            (bool taken, ) = address(game).call(t.calls[t.calls.length - 1]);
            assert(!taken);
            vm.warp(t.times[t.calls.length] + 4001);
            game.timeout(1, t.last, t.context);
            assert(game.losersOf(t.players) == t.losers);
            assert(game.stateOf(1) == 0);
        }
    }

    /// @dev Every byte of every call is bound: to the state before, to the facts, or to what the side has
    /// claimed before.
    function testFuzz_noByteMayChange(uint256 which, uint256 where, uint8 change) public {
        vm.assume(change != 0);
        Transcript memory t = _begin(which % encoded.length);
        uint256 j = (which / encoded.length) % t.calls.length;
        for (uint256 k = 0; k < j; k++) _play(t, k);
        bytes memory altered = bytes.concat(t.calls[j]);
        uint256 at_ = where % altered.length;
        altered[at_] = bytes1(uint8(altered[at_]) ^ change);
        vm.warp(t.times[j + 1]);
        vm.prank(t.owners[j % 2]);
        (bool taken, ) = address(game).call(altered);
        if (taken && t.open[j]) return;
        // If a byte may change without harm (padding that is not read), the next state is still the same.
        assert(game.stateOf(1) == t.states[taken ? j + 1 : j]);
    }

    /// @dev The same for one byte of every word of some disputes, so that no word is left to chance.
    function test_noWordMayChange() public {
        for (uint256 i = 0; i < encoded.length; i += 4) {
            Transcript memory t = _begin(i);
            for (uint256 j = 0; j < t.calls.length; j++) {
                vm.warp(t.times[j + 1]);
                for (uint256 at_ = 35; at_ < t.calls[j].length; at_ += 32) {
                    uint256 snapshot = vm.snapshotState();
                    t.calls[j][at_] ^= 0x01;
                    vm.prank(t.owners[j % 2]);
                    (bool taken, ) = address(game).call(t.calls[j]);
                    t.calls[j][at_] ^= 0x01;
                    if (!taken) continue;
                    assert(t.open[j] || game.stateOf(1) == t.states[j + 1]);
                    vm.revertToState(snapshot);
                }
                _play(t, j);
            }
        }
    }

    /// @dev A move may open a tree to any root. But also in such a move the facts of the job and the earlier
    /// claims of both sides are bound.
    function test_whatHasBeenClaimedBeforeIsBoundInEveryMove() public {
        for (uint256 i = 0; i < encoded.length; i++) {
            Transcript memory t = _begin(i);
            for (uint256 j = 0; j < t.calls.length; j++) {
                if (bytes4(t.calls[j]) == IBisection.turn.selector) {
                    vm.warp(t.times[j + 1]);
                    _refusesOtherParts(t.calls[j], t.owners[j % 2]);
                }
                _play(t, j);
            }
        }
    }

    function _refusesOtherParts(bytes memory call, address mover) private {
        (GameState memory state, Context memory c, Move memory m) = this.turnOf(call);
        Question question = state.word.question();
        bool opens = question == Question.Start || question == Question.Opening;
        bytes[6] memory parts = [m.shown, m.reply, m.facts.job, m.facts.head, m.facts.trees, m.facts.kernel];
        for (uint256 part = 0; part < parts.length; part++) {
            if (opens && part == 1) continue;
            for (uint256 k = 0; k < parts[part].length; k += 16) {
                // Sixteen bytes from a position that is not zero, also in numbers.
                uint256 place = k + 15 < parts[part].length ? k + 15 : parts[part].length - 1;
                parts[part][place] ^= 0x01;
                vm.prank(mover);
                (bool taken, ) = address(game).call(abi.encodeCall(game.turn, (1, state, c, m)));
                assert(!taken);
                parts[part][place] ^= 0x01;
            }
        }
    }

    /// @dev An answer must hold what is asked for, and no more.
    function test_answersHaveTheirLengths() public {
        for (uint256 i = 0; i < encoded.length; i++) {
            Transcript memory t = _begin(i);
            for (uint256 j = 0; j < t.calls.length; j++) {
                if (bytes4(t.calls[j]) == IBisection.turn.selector) {
                    vm.warp(t.times[j + 1]);
                    (GameState memory state, Context memory c, Move memory m) = this.turnOf(t.calls[j]);
                    if (m.reply.length > 0) {
                        (bytes memory shown, bytes memory reply) = (m.shown, m.reply);
                        if (shown.length > 0) _refusesOne(state, c, m, t.owners[j % 2], bytes.concat(shown, bytes32(0)), reply);
                        _refusesOne(state, c, m, t.owners[j % 2], shown, bytes.concat(reply, bytes32(0)));
                        _refusesOne(state, c, m, t.owners[j % 2], shown, this.withoutEnd(reply));
                        (m.shown, m.reply) = (shown, reply);
                    }
                    if (m.next.length > 0) {
                        m.next = bytes.concat(m.next, bytes32(0));
                        _refusesOne(state, c, m, t.owners[j % 2], m.shown, m.reply);
                    }
                }
                _play(t, j);
            }
        }
    }

    function withoutEnd(bytes calldata text) external pure returns (bytes memory) {
        return text[:text.length - 1];
    }

    function _refusesOne(
        GameState memory state,
        Context memory c,
        Move memory m,
        address mover,
        bytes memory shown,
        bytes memory reply
    ) private {
        (m.shown, m.reply) = (shown, reply);
        vm.prank(mover);
        (bool taken, bytes memory failure) = address(game).call(abi.encodeCall(game.turn, (1, state, c, m)));
        bytes4 reason = bytes4(failure);
        bool named = reason == IBisection.WrongLength.selector || reason == IBisection.WrongAnswer.selector;
        assert(!taken && (named || reason == MerkleTree.WrongProofLength.selector));
    }

    /// @dev A tree whose nodes fit its root, but which is not the claimed one.
    function test_aTreeIsTheOneThatWasClaimed() public {
        uint256 trees = 0;
        for (uint256 i = 0; i < encoded.length; i++) {
            Transcript memory t = _begin(i);
            (GameState memory state, Context memory c, Move memory m) = this.turnOf(t.calls[0]);
            if (m.next.length != 160) continue;
            trees++;
            bytes32[4] memory nodes;
            for (uint256 k = 0; k < 4; k++) nodes[k] = keccak256(abi.encode("forged", k));
            // Below the root are nodes, or what leaves commit to.
            m.next = abi.encode(_top(nodes), nodes);
            _refusesAnswer(state, c, m);
            bytes32[4] memory leaves;
            for (uint256 k = 0; k < 4; k++) leaves[k] = MerkleTree.hashDigest(0x09, nodes[k]);
            m.next = abi.encode(_top(leaves), nodes);
            _refusesAnswer(state, c, m);
            _play(t, 0);
        }
        assert(trees > 2);
    }

    function _refusesAnswer(GameState memory state, Context memory c, Move memory m) private {
        vm.expectRevert(IBisection.WrongAnswer.selector);
        game.turn(1, state, c, m);
    }

    function _top(bytes32[4] memory nodes) private view returns (bytes32) {
        bytes32 left = MerkleTree.hashNode(nodes[0], nodes[1]);
        return MerkleTree.hashNode(left, MerkleTree.hashNode(nodes[2], nodes[3]));
    }

    function turnOf(bytes calldata call) external pure returns (GameState memory, Context memory, Move memory) {
        (, GameState memory state, Context memory c, Move memory m) =
            abi.decode(call[4:], (uint256, GameState, Context, Move));
        return (state, c, m);
    }

    function test_theStepAtTheBottomDecides() public {
        uint256 proofs = 0;
        for (uint256 i = 0; i < encoded.length; i++) {
            Transcript memory t = _begin(i);
            if (t.proof.length == 0) continue;
            proofs++;
            (bool taken, bytes memory failure) = address(game).call(t.proof);
            assert(!taken && bytes4(failure) == IBisection.WrongState.selector);
            for (uint256 j = 0; j < t.calls.length; j++) _play(t, j);
            vm.warp(t.times[t.calls.length] + 4001);
            (taken, failure) = address(game).call(t.proof);
            assert(!taken && bytes4(failure) == IBisection.TooLate.selector);
            vm.warp(t.times[t.calls.length] + 1800);
            (taken, ) = address(game).call(t.proof);
            assert(taken && game.losersOf(t.players) == t.wrong && game.stateOf(1) == 0);
        }
        assert(proofs == encoded.length - 1);
    }

    /// @dev What both sides have to show has been shown there.
    function test_noTurnIsTakenAtTheBottom() public {
        uint256 bottoms = 0;
        for (uint256 i = 0; i < encoded.length; i++) {
            Transcript memory t = _begin(i);
            if (t.proof.length == 0) continue;
            bottoms++;
            for (uint256 j = 0; j < t.calls.length; j++) _play(t, j);
            (, , Move memory m) = this.turnOf(t.calls[t.calls.length - 1]);
            vm.expectRevert(IBisection.WrongQuestion.selector);
            game.turn(1, t.last, t.context, m);
        }
        assert(bottoms == encoded.length - 1);
    }

    /// @dev The other side needs these words for its own move, and has them from nowhere else.
    function test_aMoveIsToldWithAllThatItShows() public {
        uint256 moves = 0;
        for (uint256 i = 0; i < encoded.length; i++) {
            Transcript memory t = _begin(i);
            for (uint256 j = 0; j < t.calls.length; j++) {
                if (bytes4(t.calls[j]) == IBisection.move.selector) {
                    moves++;
                    (bytes32[2] memory siblings, bytes32[4] memory next) = this.shownBy(t.calls[j]);
                    vm.expectEmit();
                    emit IBisection.Moved(1, siblings, next);
                }
                _play(t, j);
            }
        }
        assert(moves > 4);
    }

    function shownBy(bytes calldata call) external pure returns (bytes32[2] memory siblings, bytes32[4] memory next) {
        (, , , , , siblings, next) =
            abi.decode(call[4:], (uint256, GameWord, bytes32, bytes32, bytes32[2], bytes32[2], bytes32[4]));
    }

    /// @dev At the start nothing is claimed about the first tree, and nothing has to be proven.
    function test_nothingIsProvenBeforeTheBottom() public {
        Transcript memory t = _begin(0);
        Context memory c;
        c.players = t.players;
        c.owners = t.owners;
        c.job = JobHash.hashOf(t.job);
        c.sizes = SizesLib.ofRun(t.steps, t.commitEvery);
        c.claims = t.claims;
        c.past = keccak256(abi.encode(t.claims));
        Position memory p;
        p.count = uint32(SizesLib.segments(c.sizes));
        GameWord word = GameWordLib.start(4000, 4000, t.times[0]).placed(p);
        assert(game.stateOf(1) == keccak256(abi.encode(word, keccak256(abi.encode(c)), 0, 0)));
        vm.expectRevert(IBisection.WrongQuestion.selector);
        game.prove(1, word, c, "");
    }

    /// @dev Evidence holds a value only if the dispute asks for one, and each value is bound.
    function testFuzz_noByteOfAProofMayChange(uint256 which, uint256 where, uint8 change) public {
        vm.assume(change != 0);
        uint256 i = which % encoded.length;
        Transcript memory t = _begin(i);
        while (t.proof.length == 0) t = _begin(i = (i + 1) % encoded.length);
        for (uint256 j = 0; j < t.calls.length; j++) _play(t, j);
        bytes memory altered = bytes.concat(t.proof);
        uint256 place = where % altered.length;
        altered[place] = bytes1(uint8(altered[place]) ^ change);
        (bool taken, ) = address(game).call(altered);
        assert(!taken || game.losersOf(t.players) == t.wrong);
    }

    /// @dev It only matters which account moves if the move opens a tree that is not claimed yet.
    function test_onlyTheOwnerOpensATreeThatIsNotClaimedYet() public {
        for (uint256 i = 0; i < encoded.length; i++) {
            Transcript memory t = _begin(i);
            for (uint256 j = 0; j < t.calls.length; j++) {
                vm.warp(t.times[j + 1]);
                uint256 snapshot = vm.snapshotState();
                vm.prank(t.owners[1 - (j % 2)]);
                (bool taken, bytes memory failure) = address(game).call(t.calls[j]);
                assert(taken != t.open[j]);
                if (!taken) assert(bytes4(failure) == IBisection.NotTheOwner.selector);
                vm.revertToState(snapshot);
                _play(t, j);
            }
        }
    }

    function test_aMoveMayComeInTheLastSecondAndNoLater() public {
        Transcript memory t = _begin(0);
        vm.warp(t.times[0] + 4001);
        (bool taken, bytes memory failure) = address(game).call(t.calls[0]);
        assert(!taken && bytes4(failure) == IBisection.TooLate.selector);
        vm.warp(t.times[0] + 4000);
        (taken, ) = address(game).call(t.calls[0]);
        assert(taken && game.stateOf(1) != t.states[1]);
    }

    function test_thePaceIsThatOfTheConstructor() public {
        _begin(0);
        Pace memory pace = game.pace();
        assert(pace.clock == 4000 && pace.response == 600 && pace.recompute == 1800);
    }

    function _begin(uint256 i) private returns (Transcript memory t) {
        t = abi.decode(encoded[i], (Transcript));
        game = new BisectionHarness(new Judge(), Pace({clock: 4000, response: 600, recompute: 1800}), 0);
        vm.warp(t.times[0]);
        game.start(t.players, t.owners, t.job, t.steps, t.commitEvery, t.claims);
        assert(game.stateOf(1) == t.states[0]);
    }

    function _play(Transcript memory t, uint256 j) private {
        vm.warp(t.times[j + 1]);
        vm.prank(t.owners[j % 2]);
        (bool taken, ) = address(game).call(t.calls[j]);
        assert(taken && game.stateOf(1) == t.states[j + 1]);
    }
}
