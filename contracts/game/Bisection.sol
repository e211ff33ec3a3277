// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IJudge} from "../interfaces/IJudge.sol";
import {MerkleTree} from "../libraries/MerkleTree.sol";
import {Witness} from "./Agreed.sol";
import {Clocks, Pace} from "./Clocks.sol";
import {Descent} from "./Descent.sol";
import {Context, Facts, GameState, Level, Move, Position, Question} from "./GameTypes.sol";
import {GameWord} from "./GameWord.sol";
import {IBisection} from "./IBisection.sol";
import {Levels} from "./Levels.sol";
import {SizeWord} from "./SizeWord.sol";

/// @title The game of `IBisection`
abstract contract Bisection is IBisection {
    using GameWord for uint256;
    using SizeWord for uint256;

    /// @dev Seconds: see `Pace`.
    uint32 internal immutable _clock;
    uint32 internal immutable _response;
    uint32 internal immutable _recompute;
    /// @inheritdoc IBisection
    IJudge public immutable judge;

    uint256 internal _disputes;
    mapping(uint256 dispute => bytes32) internal _states;

    constructor(IJudge judge_, Pace memory pace_) {
        judge = judge_;
        _clock = pace_.clock;
        _response = pace_.response;
        _recompute = pace_.recompute;
    }

    /// @inheritdoc IBisection
    function stateOf(uint256 dispute) external view returns (bytes32) {
        return _states[dispute];
    }

    /// @inheritdoc IBisection
    function pace() public view returns (Pace memory) {
        return Pace({clock: _clock, response: _response, recompute: _recompute});
    }

    /// @inheritdoc IBisection
    function move(
        uint256 dispute,
        uint256 word,
        bytes32 context,
        bytes32[2] calldata shown,
        bytes32[2] calldata next,
        bytes32 sibling
    ) external {
        bytes32 left = shown[0];
        bytes32 child = MerkleTree.hashNode(next[0], next[1]);
        bool goesRight = sibling == 0;
        bytes32 node = goesRight ? MerkleTree.hashNode(left, child) : MerkleTree.hashNode(child, sibling);
        _require(dispute, _hash(word, context, shown, node));
        require(word.asksForChildren() && (goesRight || child != left), WrongQuestion());
        _requireInTime(word);
        word = word.descended(goesRight ? 1 : 0);
        require(word.hasChildren(), WrongQuestion());
        _states[dispute] = _hash(Clocks.pass(word), context, next, goesRight ? shown[1] : left);
        _emitMoved(dispute, next);
    }

    /// @inheritdoc IBisection
    function turn(uint256 dispute, GameState calldata state, Context calldata context, Move calldata m) external {
        _load(dispute, state, context);
        uint256 own = state.word.turn();
        Position memory p = state.word.positionOf();
        Context memory c = context;
        require(p.question != Question.Bottom, WrongQuestion());
        _requireInTime(state.word);
        bytes32[2] memory nodes = _reply(own, p, c, state, m);
        GameState memory after_;
        _answer(own, p, c, nodes, m, after_);
        after_.word = Clocks.pass(state.word.placed(p));
        after_.context = keccak256(abi.encode(c));
        _states[dispute] = keccak256(abi.encode(after_));
        emit Turned(dispute, m.reply, m.next);
    }

    /// @inheritdoc IBisection
    function prove(uint256 dispute, uint256 word, Context calldata context, Witness calldata witness) external {
        GameState memory state;
        state.word = word;
        state.context = keccak256(abi.encode(context));
        _require(dispute, keccak256(abi.encode(state)));
        require(word.question() == Question.Bottom, WrongQuestion());
        _requireInTime(word);
        Level level = word.positionOf().level;
        // The initial state stands in the job.
        bytes32 right = level == Level.Segment ? context.root : judge.judge(level, context, witness);
        uint256 losers = (context.claims[0] == right ? 0 : 1) | (context.claims[1] == right ? 0 : 2);
        _end(dispute, context.players, losers);
    }

    /// @inheritdoc IBisection
    function timeout(uint256 dispute, GameState calldata state, Context calldata context) external {
        _load(dispute, state, context);
        uint256 deadline = _deadline(state.word);
        require(block.timestamp > deadline, TooEarly(deadline));
        _end(dispute, context.players, state.word.question() == Question.Bottom ? 3 : 1 << state.word.turn());
    }

    /// @dev Starts a dispute between two different run roots.
    /// @param c players, owners, job, the sizes of the run, and the claims
    function _start(Context memory c) internal returns (uint256 dispute) {
        Position memory p;
        p.count = uint32(c.sizes.segments());
        GameState memory s;
        s.word = GameWord.start(_clock, block.timestamp).placed(p);
        s.context = keccak256(abi.encode(c));
        dispute = ++_disputes;
        _states[dispute] = keccak256(abi.encode(s));
        emit Started(dispute, s, c);
    }

    function _end(uint256 dispute, bytes32 players, uint256 losers) internal {
        delete _states[dispute];
        emit Ended(dispute, players, losers);
        _ended(players, losers);
    }

    /// @dev What follows from a dispute's end.
    /// @param losers bit i: side i has lost; at least one has
    function _ended(bytes32 players, uint256 losers) internal virtual;

    /// @dev Reverts unless a dispute is in this state.
    function _load(uint256 dispute, GameState calldata state, Context calldata context) internal view {
        _require(dispute, keccak256(abi.encode(state)));
        require(state.context == keccak256(abi.encode(context)), WrongContext());
    }

    /// @dev Replies to the question, and moves to the next one.
    /// @return nodes what both sides claim there, at a node or leaf
    function _reply(
        uint256 own,
        Position memory p,
        Context memory c,
        GameState calldata state,
        Move calldata m
    ) private view returns (bytes32[2] memory nodes) {
        if (p.question == Question.Start) {
            p.question = Question.Opening;
            return nodes;
        }
        if (p.question == Question.Opening) {
            nodes[own] = _open(own, p, c, m.facts, m.reply);
            nodes[1 - own] = state.shown[0];
            return Descent.begin(p, c, m.facts, nodes);
        }
        if (p.question == Question.Children) {
            bytes32[2] memory pair = _pair(m.reply, state.node);
            uint256 right = pair[0] == state.shown[0] ? 1 : 0;
            nodes[own] = pair[right];
            nodes[1 - own] = state.shown[right];
            p.height--;
            p.position = uint32(2 * p.position + right);
            return Descent.settle(p, c, m.facts, nodes);
        }
        require(Levels.leafOfPayload(p, c.sizes, m.reply) == state.node, Levels.WrongAnswer());
        require(Levels.leafOfPayload(p, c.sizes, m.payload) == state.shown[0], Levels.WrongAnswer());
        uint256 part = p.level == Level.Chunk ? _firstDifference(m.reply, m.payload) : 0;
        bytes32[2] memory claims;
        claims[own] = _claim(p.level, m.reply, part);
        claims[1 - own] = _claim(p.level, m.payload, part);
        return Descent.pass(p, c, m.facts, claims, part);
    }

    /// @dev Answers the next question; `nodes` are what both sides claim there.
    function _answer(
        uint256 own,
        Position memory p,
        Context memory c,
        bytes32[2] memory nodes,
        Move calldata m,
        GameState memory s
    ) private view {
        if (p.question == Question.Opening) {
            s.shown[0] = _open(own, p, c, m.facts, m.next);
            return;
        }
        if (p.question == Question.Bottom) return;
        s.node = nodes[1 - own];
        if (p.question == Question.Children) {
            s.shown = _pair(m.next, nodes[own]);
            return;
        }
        require(Levels.leafOfPayload(p, c.sizes, m.next) == nodes[own], Levels.WrongAnswer());
        s.shown[0] = nodes[own];
    }

    /// @dev A claim that is the last leaf of a tree fits many trees, so its owner has to say which.
    /// @return root of the tree that the claim opens into
    function _open(
        uint256 own,
        Position memory p,
        Context memory c,
        Facts calldata facts,
        bytes calldata answer
    ) private view returns (bytes32 root) {
        if (Levels.bindsLast(p.level)) require(msg.sender == c.owners[own], NotTheOwner(c.owners[own]));
        return Levels.open(p, c, c.claims[own], facts, answer);
    }

    /// @return pair two children that hash to `node`
    function _pair(bytes calldata answer, bytes32 node) private view returns (bytes32[2] memory pair) {
        require(answer.length == 64, Levels.WrongLength(answer.length, 64));
        pair = [bytes32(answer[:32]), bytes32(answer[32:])];
        require(MerkleTree.hashNode(pair[0], pair[1]) == node, Levels.WrongAnswer());
    }

    /// @return a digest, or the bits of an element; elements lie least significant byte first in chunks only
    function _claim(Level level, bytes calldata payload, uint256 part) private pure returns (bytes32) {
        if (level == Level.Fold) return bytes32(uint256(uint32(bytes4(payload))));
        if (level != Level.Chunk) return bytes32(payload);
        uint32 x = uint32(bytes4(payload[4 * part:4 * part + 4]));
        x = ((x & 0xff00ff00) >> 8) | ((x & 0x00ff00ff) << 8);
        return bytes32(uint256((x >> 16) | (x << 16)));
    }

    /// @return part the first element on which two different chunks of one length part
    function _firstDifference(bytes calldata a, bytes calldata b) private pure returns (uint256 part) {
        // Eight elements at a time: taking a chunk's elements one by one would cost more than the rest of the move.
        uint256 at = 0;
        while (at + 32 <= a.length && bytes32(a[at:at + 32]) == bytes32(b[at:at + 32])) at += 32;
        part = at / 4;
        while (bytes4(a[4 * part:]) == bytes4(b[4 * part:])) part++;
    }

    function _require(uint256 dispute, bytes32 hash) private view {
        bytes32 stored = _states[dispute];
        require(stored == hash && hash != 0, WrongState(stored));
    }

    function _deadline(uint256 word) private view returns (uint256) {
        return Clocks.deadline(word, _response, _recompute);
    }

    function _requireInTime(uint256 word) private view {
        uint256 deadline = _deadline(word);
        require(block.timestamp <= deadline, TooLate(deadline));
    }

    /// @dev `Moved`: the sibling stands behind the answer in calldata.
    function _emitMoved(uint256 dispute, bytes32[2] calldata next) private {
        bytes32 topic = Moved.selector;
        assembly ("memory-safe") {
            let from := mload(0x40)
            calldatacopy(from, next, 0x60)
            log2(from, 0x60, topic, dispute)
        }
    }

    /// @dev keccak256(abi.encode(GameState)), of which a move within a level has all in calldata but one word.
    function _hash(
        uint256 word,
        bytes32 context,
        bytes32[2] calldata shown,
        bytes32 node
    ) private pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let from := mload(0x40)
            mstore(from, word)
            mstore(add(from, 0x20), context)
            calldatacopy(add(from, 0x40), shown, 0x40)
            mstore(add(from, 0x80), node)
            hash := keccak256(from, 0xa0)
        }
    }
}
