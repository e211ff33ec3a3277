// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Judge} from "../../contracts/Judge.sol";
import {Pace} from "../../contracts/game/Clocks.sol";
import {Level, Position, Question} from "../../contracts/game/GameTypes.sol";
import {GameWord, GameWordLib} from "../../contracts/game/GameWord.sol";
import {StateHash} from "../../contracts/game/StateHash.sol";
import {IBisection} from "../../contracts/interfaces/IBisection.sol";
import {MerkleTree} from "../../contracts/libraries/MerkleTree.sol";
import {CHUNK, SEGMENT} from "../../contracts/training/TrainingTypes.sol";
import {BisectionHarness} from "./BisectionHarness.sol";
import {vm} from "./Vm.sol";

/// @dev The common move alone, from states that the test stores: what it accepts, and where it leads.
contract MovesTest {
    uint256 private constant NOW = 1_800_000_000;
    bytes32 private constant CONTEXT = "the context";

    BisectionHarness private game =
        new BisectionHarness(new Judge(), Pace({clock: 4000, response: 600, recompute: 1800}), 0);

    /// @dev The nodes below the two nodes: the mover's four, and the other side's.
    struct Below {
        bytes32[4] own;
        bytes32[4] other;
        bytes32[4] next;
    }

    function testFuzz_aMoveGoesToTheLeftmostOfFour(uint64 seed, uint8 pick) public {
        uint256 way = pick % 4;
        Below memory b = _below(seed, way);
        GameWord word = _word(Question.Children, SEGMENT, 7, 128, 0);
        _put(word, b);
        vm.warp(NOW + 100);
        _move(word, b, way);
        uint256 after_ = GameWord.unwrap(_word(Question.Children, SEGMENT, 5, 128, way));
        // A hundred seconds have passed on the mover's clock.
        after_ = (after_ & ~uint256(type(uint40).max)) | (NOW + 100);
        after_ = (after_ - (100 << 40)) ^ (1 << 104);
        assert(game.stateOf(1) == StateHash.ofState(GameWord.wrap(after_), CONTEXT, b.own[way], b.other[way]));
    }

    /// @dev Otherwise a liar could lead the game to a place where nothing differs.
    function testFuzz_noMoveGoesWhereTheSidesAgree(uint64 seed, uint8 pick) public {
        uint256 way = 1 + (pick % 3);
        Below memory b = _below(seed, way);
        GameWord word = _word(Question.Children, SEGMENT, 7, 128, 0);
        _put(word, b);
        for (uint256 i = 0; i < 4; i++) {
            if (i == way) continue;
            b.next = _nextOf(seed, b.own[i] == b.other[i] ? i : way);
            (bool taken, bytes memory failure) = _try(word, b, i);
            assert(!taken && (bytes4(failure) == IBisection.WrongState.selector || b.own[i] == b.other[i]));
            if (b.own[i] == b.other[i]) assert(bytes4(failure) == IBisection.WrongQuestion.selector);
        }
    }

    function test_onlyFourNodesBelowAnOpenTreesNode() public {
        Below memory b = _below(1, 2);
        // It refuses another question, a node without four nodes below it, and a node whose answer would be
        // payloads.
        _refuses(_word(Question.Payload, SEGMENT, 7, 128, 0), b);
        _refuses(_word(Question.Opening, SEGMENT, 7, 128, 0), b);
        _refuses(_word(Question.Bottom, SEGMENT, 7, 128, 0), b);
        _refuses(_word(Question.Children, SEGMENT, 7, 65, 0), b);
        _refuses(_word(Question.Children, SEGMENT, 1, 2, 0), b);
        _refuses(_word(Question.Children, SEGMENT, 4, 16, 0), b);
        _refuses(_word(Question.Children, CHUNK, 3, 8, 0), b);
        GameWord word = _word(Question.Children, CHUNK, 4, 16, 0);
        _put(word, b);
        _move(word, b, 2);
    }

    function test_aMoveIsInTime() public {
        Below memory b = _below(3, 1);
        GameWord word = _word(Question.Children, SEGMENT, 7, 128, 0);
        _put(word, b);
        vm.warp(NOW + 4001);
        (bool taken, bytes memory failure) = _try(word, b, 1);
        assert(!taken && bytes4(failure) == IBisection.TooLate.selector);
        vm.warp(NOW + 4000);
        _move(word, b, 1);
    }

    function _refuses(GameWord word, Below memory b) private {
        _put(word, b);
        (bool taken, bytes memory failure) = _try(word, b, 2);
        assert(!taken && bytes4(failure) == IBisection.WrongQuestion.selector);
    }

    function _put(GameWord word, Below memory b) private {
        vm.warp(NOW);
        game.put(1, StateHash.ofState(word, CONTEXT, _top(b.other), _top(b.own)));
    }

    function _move(GameWord word, Below memory b, uint256 way) private {
        (bool taken, ) = _try(word, b, way);
        assert(taken);
    }

    function _try(GameWord word, Below memory b, uint256 way) private returns (bool taken, bytes memory failure) {
        bytes32[2] memory beside = [_upper(b.other, way ^ 2), b.other[way ^ 1]];
        bytes32[2] memory siblings = [_upper(b.own, way ^ 2), b.own[way ^ 1]];
        // A left one equals the other side's.
        if (way & 2 != 0) siblings[0] = 0;
        if (way & 1 != 0) siblings[1] = 0;
        bytes memory shown = abi.encode(b.other[way], beside, siblings, b.next);
        return address(game).call(bytes.concat(abi.encodePacked(game.move.selector, uint256(1), word, CONTEXT), shown));
    }

    /// @return node number `way` one level above
    function _upper(bytes32[4] memory nodes, uint256 way) private view returns (bytes32) {
        return MerkleTree.hashNode(nodes[way & 2], nodes[way | 1]);
    }

    /// @dev The first nodes on which the sides differ are number `way`.
    function _below(uint256 seed, uint256 way) private view returns (Below memory b) {
        for (uint256 i = 0; i < 4; i++) {
            b.other[i] = _top(_nextOf(seed, i));
            b.own[i] = i < way ? b.other[i] : _top(_nextOf(seed + 1, i));
        }
        b.next = _nextOf(seed + 1, way);
    }

    function _nextOf(uint256 seed, uint256 node) private pure returns (bytes32[4] memory next) {
        for (uint256 i = 0; i < 4; i++) next[i] = keccak256(abi.encode(seed, node, i));
    }

    function _top(bytes32[4] memory nodes) private view returns (bytes32) {
        return MerkleTree.hashNode(_upper(nodes, 0), _upper(nodes, 2));
    }

    function _word(
        Question question,
        Level level,
        uint8 height,
        uint32 count,
        uint256 position
    ) private pure returns (GameWord) {
        Position memory p = Position(question, level, height, count, uint32(position));
        return GameWordLib.start(4000, 4000, NOW).placed(p);
    }
}
