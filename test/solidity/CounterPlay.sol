// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Claim, Consent, Context, GameState, Level, Move, Position, Question} from "../../contracts/game/GameTypes.sol";
import {GameWordLib} from "../../contracts/game/GameWord.sol";
import {StateHash} from "../../contracts/game/StateHash.sol";
import {TreeShape} from "../../contracts/game/TreeShape.sol";
import {MerkleTree} from "../../contracts/libraries/MerkleTree.sol";
import * as Tags from "../../contracts/libraries/Tags.sol";
import {CounterGame, Counts} from "./CounterGame.sol";
import {vm} from "./Vm.sol";

/// @dev Plays two claims about a counter against each other, and predicts the state that each move leads to.
/// It follows the specification alone (spec 7.2): it builds its own trees and calls no code of the contract's
/// way down.
abstract contract CounterPlay {
    /// @dev The counter after each step, as each side claims it.
    uint32[][2] internal values;
    uint256[] internal counts;
    CounterGame internal game;
    /// @dev Bytes that a side adds to each of its payloads.
    bytes[2] internal tails;
    uint256[2] private keys = [0xa, 0xb];
    address[2] internal owners = [vm.addr(0xa), vm.addr(0xb)];
    /// @dev Whether an account that owns no claim makes all moves, with the owners' signatures.
    bool internal byStranger;

    Position private p;
    Context internal context;
    GameState internal state;
    /// @dev The first step below the leaves that have been passed, and the roots of side 0's trees.
    uint256 internal first;
    bytes32[] internal roots;
    bytes32[2] private starts;
    uint256 internal moves;

    function begin(uint256[] memory counts_, uint32[][2] memory values_) internal {
        delete p;
        delete context;
        delete roots;
        (first, moves, counts, values) = (0, 0, counts_, values_);
        game = new CounterGame();
        for (uint256 side = 0; side < 2; side++)
            context.claims[side] = Claim.wrap(MerkleTree.hashDigest(Tags.COUNTER, _node(side, _top(), 0)));
        starts = [Claim.unwrap(context.claims[0]), Claim.unwrap(context.claims[1])];
        context.past = keccak256(abi.encode(starts));
        context.owners = owners;
        context.sizes = Counts.ofLevels(counts);
        game.start(counts, owners, context.claims);
        p.count = uint32(counts[0]);
        Context memory c = context;
        state = GameState(GameWordLib.start(4000, 4000, block.timestamp).placed(p), keccak256(abi.encode(c)), 0, 0);
        _checkState();
    }

    function isOver() internal view returns (bool) {
        return p.question == Question.Bottom;
    }

    function act() internal {
        uint256 own = moves++ % 2;
        (GameState memory before, Context memory c) = (state, context);
        Move memory m;
        Consent memory consent;
        if (_opensFree()) consent.reply = _signature(own);
        if (p.question == Question.Start) {
            p.question = Question.Opening;
        } else {
            if (p.question == Question.Opening) {
                m.reply = _opening(own);
                p.height = uint8(_top());
                roots.push(_node(0, p.height, 0));
                context.root = roots[roots.length - 1];
                if (p.count > 1) _descend(own, m);
                else _settle();
            } else if (p.question == Question.Children) {
                _descend(own, m);
            } else {
                (m.shown, m.reply) = (_payload(1 - own, p.position), _payload(own, p.position));
                _pass(p.position);
            }
        }
        m.next = _next(own);
        if (_opensFree()) consent.next = _signature(own);
        state.word = before.word.placed(p).handedOver(4000, block.timestamp);
        Context memory after_ = context;
        state.context = keccak256(abi.encode(after_));
        bool opens = p.question == Question.Opening;
        state.shown = isOver() ? bytes32(0) : _node(own, opens ? _top() : p.height, opens ? 0 : p.position);
        state.node = isOver() || opens ? bytes32(0) : _node(1 - own, p.height, p.position);
        if (byStranger) {
            consent.chain = _chain();
            game.turnFor(1, before, c, m, consent);
        } else {
            vm.prank(owners[own]);
            game.turn(1, before, c, m);
        }
        _checkState();
    }

    /// @dev Whether the question is a tree that fits the claim above, as others do.
    function _opensFree() private view returns (bool) {
        return p.question == Question.Opening && _depth() > 0;
    }

    function _signature(uint256 side) private view returns (bytes memory) {
        bytes32 digest = Counts.digestOf(starts[side], p.level, context.place, _node(side, _top(), 0));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(keys[side], digest);
        return abi.encodePacked(r, s, v);
    }

    function _chain() private view returns (bytes32[] memory chain) {
        chain = new bytes32[](2 + roots.length);
        (chain[0], chain[1]) = (starts[0], starts[1]);
        for (uint256 i = 0; i < roots.length; i++) chain[2 + i] = roots[i];
    }

    /// @return evidence for the step at the bottom, from side 0's trees
    function evidence() internal view returns (bytes memory) {
        uint256 depth = counts.length;
        while (depth > 0 && Counts.indexAt(context.place, depth - 1) == 0) depth--;
        bytes memory proof;
        if (depth > 0) proof = _leftProof(depth - 1, Counts.indexAt(context.place, depth - 1) - 1);
        bytes32 start = keccak256(abi.encode(starts));
        return abi.encodePacked(first == 0 ? 0 : values[0][first - 1], start, roots, proof);
    }

    function _checkState() private view {
        assert(game.stateOf(1) == StateHash.ofState(state.word, state.context, state.shown, state.node));
    }

    /// @dev Descends as far as the other side has shown.
    function _descend(uint256 own, Move memory m) private {
        bool deep = TreeShape.isDeep(p.count, p.height, p.position);
        m.shown = _shownBelow(1 - own, p.height, p.position);
        bool arePayloads = p.height == (deep ? 2 : 1) && _depth() % 2 == 0;
        for (uint256 i = deep ? 2 : 1; i > 0; i--) {
            (uint256 below, uint256 left) = (p.height - 1, 2 * p.position);
            m.reply = abi.encodePacked(m.reply, _node(own, below, left), _node(own, below, left + 1));
            bool right = _node(0, below, left) == _node(1, below, left);
            (p.height, p.position) = (uint8(below), uint32(right ? left + 1 : left));
        }
        if (!arePayloads || _isKnown()) return _settle();
        m.reply = bytes.concat(m.reply, _payload(own, p.position));
        _pass(p.position);
    }

    function _settle() private {
        while (p.height > 0 && 2 * p.position + 1 >= _width(p.height - 1)) (p.height, p.position) = (p.height - 1, 2 * p.position);
        p.question = p.height > 0 ? Question.Children : Question.Payload;
        if (p.height == 0 && _isKnown()) _pass(p.position);
    }

    /// @dev The last leaf is the claim above.
    function _isKnown() private view returns (bool) {
        return _depth() > 0 && p.position + 1 == p.count;
    }

    function _pass(uint256 index) private {
        uint256 depth = _depth();
        for (uint256 side = 0; side < 2; side++) context.claims[side] = Claim.wrap(bytes32(uint256(_value(side, index))));
        context.place = Counts.passing(context.place, depth, index);
        context.past = keccak256(abi.encode(context.past, context.root));
        first += index * _stride(depth);
        if (depth + 1 == counts.length) {
            p.question = Question.Bottom;
            return;
        }
        context.root = 0;
        p = Position(Question.Opening, Level.wrap(uint8(depth + 1)), 0, uint32(counts[depth + 1]), 0);
        if (p.count > 1) return;
        roots.push(_node(0, 0, 0));
        context.root = roots[roots.length - 1];
        _settle();
    }

    function _next(uint256 own) private view returns (bytes memory) {
        if (isOver()) return "";
        if (p.question == Question.Payload) return _payload(own, p.position);
        if (p.question == Question.Children) return _shownBelow(own, p.height, p.position);
        return bytes.concat(_opening(own), p.count > 1 ? _shownBelow(own, _top(), 0) : bytes(""));
    }

    function _opening(uint256 side) private view returns (bytes memory proof) {
        if (_depth() == 0) return abi.encodePacked(_node(side, _top(), 0));
        for (uint256 height = 0; height < _top(); height++) {
            uint256 last = _width(height) - 1;
            if (last % 2 == 1) proof = abi.encodePacked(proof, _node(side, height, last - 1));
        }
    }

    function _shownBelow(uint256 side, uint256 height, uint256 position) private view returns (bytes memory shown) {
        bool deep = TreeShape.isDeep(p.count, height, position);
        (uint256 levels, uint256 number) = deep ? (2, 4) : (1, 2);
        bool arePayloads = height == levels && _depth() % 2 == 0;
        for (uint256 i = number * position; i < number * (position + 1); i++)
            shown = arePayloads
                ? bytes.concat(shown, _payload(side, i))
                : abi.encodePacked(shown, _node(side, height - levels, i));
    }

    function _payload(uint256 side, uint256 index) private view returns (bytes memory) {
        return abi.encodePacked(_value(side, index), tails[side]);
    }

    /// @dev The counter after the group of steps of a leaf in the disputed tree.
    function _value(uint256 side, uint256 index) private view returns (uint32) {
        return values[side][first + (index + 1) * _stride(_depth()) - 1];
    }

    function _node(uint256 side, uint256 height, uint256 index) private view returns (bytes32) {
        if (height == 0) return sha256(abi.encodePacked(Tags.COUNTER, _payload(side, index)));
        bytes32 left = _node(side, height - 1, 2 * index);
        if (2 * index + 1 >= _width(height - 1)) return left;
        return sha256(abi.encodePacked(Tags.NODE, left, _node(side, height - 1, 2 * index + 1)));
    }

    /// @dev Siblings of a leaf in a tree that has been passed, lowest first.
    function _leftProof(uint256 depth, uint256 index) private view returns (bytes memory proof) {
        uint256 from = first;
        // The first step of that tree: without the steps before it at this level.
        for (uint256 d = depth; d < counts.length; d++) from -= Counts.indexAt(context.place, d) * _stride(d);
        bytes32[] memory nodes = new bytes32[](counts[depth]);
        for (uint256 i = 0; i < nodes.length; i++)
            nodes[i] = Counts.leafOf(values[0][from + (i + 1) * _stride(depth) - 1]);
        for (uint256 width = nodes.length; width > 1; width = (width + 1) / 2) {
            if (index ^ 1 < width) proof = abi.encodePacked(proof, nodes[index ^ 1]);
            for (uint256 i = 0; i < width; i += 2)
                nodes[i / 2] = i + 1 < width ? sha256(abi.encodePacked(Tags.NODE, nodes[i], nodes[i + 1])) : nodes[i];
            index /= 2;
        }
    }

    function _depth() private view returns (uint256) {
        return Level.unwrap(p.level);
    }

    /// @return steps of a leaf at a depth
    function _stride(uint256 depth) private view returns (uint256 steps) {
        steps = 1;
        for (uint256 d = depth + 1; d < counts.length; d++) steps *= counts[d];
    }

    function _width(uint256 height) private view returns (uint256) {
        return (counts[_depth()] + (1 << height) - 1) >> height;
    }

    function _top() private view returns (uint256 height) {
        while (_width(height) > 1) height++;
    }
}
