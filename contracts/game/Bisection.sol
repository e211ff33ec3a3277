// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBisection} from "../interfaces/IBisection.sol";
import {Clocks, Pace} from "./Clocks.sol";
import {Descent} from "./Descent.sol";
import {Consents} from "./Consents.sol";
import {Claim, Consent, Context, GameState, Move, PairId, Position, Question} from "./GameTypes.sol";
import {GameWord, GameWordLib} from "./GameWord.sol";
import {GasBonds} from "./GasBonds.sol";
import {Parting, Rounds} from "./Rounds.sol";
import {StateHash} from "./StateHash.sol";
import {TreeShape} from "./TreeShape.sol";

/// @title The game of `IBisection`
/// @dev The machine (`Machine`) defines what is computed. The game only knows its trees.
abstract contract Bisection is IBisection, GasBonds, Rounds, Descent, Consents {
    uint256 internal constant BOTH = 3;

    /// @dev Seconds: see `Pace`.
    uint32 internal immutable _clock;
    uint32 internal immutable _response;
    uint32 internal immutable _recompute;

    /// @dev The number of the next dispute. It is never zero, so the first dispute costs what others do.
    uint256 internal _disputes = 1;
    mapping(uint256 dispute => bytes32) internal _states;

    constructor(Pace memory pace_, uint256 gasBond_) GasBonds(gasBond_) {
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
        GameWord word,
        bytes32 context,
        bytes32 shown,
        bytes32[2] calldata beside,
        bytes32[2] calldata siblings,
        bytes32[4] calldata next
    ) external {
        (bytes32 child, bytes32 own, bytes32 other) = _ascended(shown, beside, siblings, next);
        _require(dispute, StateHash.ofState(word, context, other, own));
        // Both sides agree on all nodes to the left of the path, and differ on the path.
        require(word.asksForChildren() && word.isDeep() && child != shown, WrongQuestion());
        _requireInTime(word);
        word = word.descended((siblings[0] == 0 ? 2 : 0) | (siblings[1] == 0 ? 1 : 0));
        require(_asksForNodes(word), WrongQuestion());
        _states[dispute] = StateHash.ofState(Clocks.pass(word), context, child, shown);
        _emitMoved(dispute, siblings);
    }

    /// @inheritdoc IBisection
    function turn(uint256 dispute, GameState calldata state, Context calldata context, Move calldata m) external payable {
        Consent memory none;
        _turn(dispute, state, context, m, none);
    }

    /// @inheritdoc IBisection
    function turnFor(
        uint256 dispute,
        GameState calldata state,
        Context calldata context,
        Move calldata m,
        Consent calldata consent
    ) external payable {
        _turn(dispute, state, context, m, consent);
    }

    /// @inheritdoc IBisection
    function prove(uint256 dispute, GameWord word, Context calldata context, bytes calldata witness) external {
        _require(dispute, StateHash.ofState(word, StateHash.ofShown(context), 0, 0));
        require(word.question() == Question.Bottom, WrongQuestion());
        _requireInTime(word);
        Claim right = _outcome(word.level(), context, witness);
        uint256 losers = (context.claims[0] == right ? 0 : 1) | (context.claims[1] == right ? 0 : 2);
        _end(dispute, context, losers);
    }

    /// @inheritdoc IBisection
    function timeout(uint256 dispute, GameState calldata state, Context calldata context) external {
        _load(dispute, state, context);
        uint256 deadline = _deadline(state.word);
        require(block.timestamp > deadline, TooEarly(deadline));
        _end(dispute, context, state.word.question() == Question.Bottom ? BOTH : 1 << state.word.turn());
    }

    /// @dev Starts a dispute between two different claims.
    /// @param c players, owners, claims, and what the machine knows from the start
    /// @param clock what side 0, which moves first, has left of its clock
    function _start(Context memory c, uint256 clock) internal returns (uint256 dispute) {
        Position memory p;
        p.count = uint32(_top(c));
        bytes32 hash = StateHash.ofMemory(c);
        GameWord word = GameWordLib.start(clock, _clock, block.timestamp).placed(p);
        dispute = _disputes++;
        _states[dispute] = StateHash.ofState(word, hash, 0, 0);
        emit Started(dispute, GameState({word: word, context: hash, shown: 0, node: 0}), c);
    }

    function _end(uint256 dispute, Context calldata context, uint256 losers) private {
        delete _states[dispute];
        emit Ended(dispute, context.players, losers);
        _ended(context.players, losers);
    }

    /// @dev Called before the first move of a side. Takes the bond that the move posts.
    function _begun(PairId players, uint256 side) internal virtual;

    /// @dev Called when a dispute has ended.
    /// @param losers bit i: side i has lost; at least one has
    function _ended(PairId players, uint256 losers) internal virtual;

    /// @dev Reverts unless a dispute is in this state.
    function _load(uint256 dispute, GameState calldata state, Context calldata context) internal view {
        _require(dispute, StateHash.ofState(state.word, state.context, state.shown, state.node));
        require(state.context == StateHash.ofShown(context), WrongContext());
    }

    /// @dev A wallet that is asked for its signature is asked before the new state is written. It is asked
    /// by a static call, so it can't move meanwhile.
    function _turn(
        uint256 dispute,
        GameState calldata state,
        Context calldata context,
        Move calldata m,
        Consent memory consent
    ) private {
        _load(dispute, state, context);
        uint256 own = state.word.turn();
        if (_sidesMoved(state.word) < 2) _begun(context.players, own);
        else require(msg.value == 0, WrongBond(msg.value, 0));
        Position memory p = state.word.positionOf();
        Context memory c = StateHash.load(context);
        require(p.question != Question.Bottom, WrongQuestion());
        _requireInTime(state.word);
        bytes32[2] memory nodes = _reply(own, p, c, state, m, consent);
        (bytes32 shown, bytes32 node) = _answer(own, p, c, nodes, m, consent);
        _states[dispute] = StateHash.ofState(Clocks.pass(state.word.placed(p)), StateHash.ofMemory(c), shown, node);
        emit Turned(dispute, m.reply, m.next);
    }

    /// @dev Checks the mover's reply to the questions that the other side has answered, and moves to the next
    /// question.
    /// @return nodes what both sides claim at the new position, for a node or a leaf
    function _reply(
        uint256 own,
        Position memory p,
        Context memory c,
        GameState calldata state,
        Move calldata m,
        Consent memory consent
    ) private view returns (bytes32[2] memory nodes) {
        if (p.question == Question.Start) {
            p.question = Question.Opening;
            return nodes;
        }
        if (p.question == Question.Opening) {
            bool hasNodes = p.count > 1;
            (bytes calldata opening, bytes calldata rest) = _split(p, m.reply);
            nodes[own] = _openClaim(p, c, c.claims[own], m.facts, opening);
            if (_bindsLast(p.level)) _requireConsent(nodes[own], own, p, c, consent, consent.reply);
            nodes[1 - own] = state.shown;
            nodes = _begin(p, c, m.facts, nodes);
            return hasNodes ? _descend(own, p, c, nodes, rest, m) : nodes;
        }
        if (p.question == Question.Children) {
            nodes[own] = state.node;
            nodes[1 - own] = state.shown;
            return _descend(own, p, c, nodes, m.reply, m);
        }
        require(_leafOfPayload(p, c, m.reply) == state.node, WrongAnswer());
        require(_leafOfPayload(p, c, m.shown) == state.shown, WrongAnswer());
        uint256 partBytes = _partBytes(p.level);
        uint256 part = partBytes > 0 ? _firstDifference(m.reply, m.shown, partBytes) : 0;
        Claim[2] memory claims;
        claims[own] = _claimOf(p.level, m.reply, part);
        claims[1 - own] = _claimOf(p.level, m.shown, part);
        return _pass(p, c, m.facts, claims, part);
    }

    /// @dev Descends as far as the other side has shown.
    function _descend(
        uint256 own,
        Position memory p,
        Context memory c,
        bytes32[2] memory nodes,
        bytes calldata reply,
        Move calldata m
    ) private view returns (bytes32[2] memory) {
        Parting memory parting = _followed(p, c, nodes[own], nodes[1 - own], reply, m.shown);
        nodes[own] = parting.own;
        nodes[1 - own] = parting.other;
        if (!parting.areClaims) return _settle(p, c, m.facts, nodes);
        Claim[2] memory claims;
        assembly ("memory-safe") {
            claims := nodes
        }
        return _pass(p, c, m.facts, claims, 0);
    }

    /// @dev Takes the mover's answer to the next questions.
    /// @param nodes what both sides claim at the position
    /// @return shown the field `shown` of the next state
    /// @return node the field `node` of the next state
    function _answer(
        uint256 own,
        Position memory p,
        Context memory c,
        bytes32[2] memory nodes,
        Move calldata m,
        Consent memory consent
    ) private view returns (bytes32 shown, bytes32 node) {
        if (p.question == Question.Bottom) return (0, 0);
        if (p.question == Question.Opening) {
            (bytes calldata opening, bytes calldata rest) = _split(p, m.next);
            shown = _openClaim(p, c, c.claims[own], m.facts, opening);
            if (_bindsLast(p.level)) _requireConsent(shown, own, p, c, consent, consent.next);
            if (p.count > 1) require(_nodeAbove(_rootOf(p), c, rest) == shown, WrongAnswer());
            return (shown, 0);
        }
        bool inside = p.question == Question.Children;
        shown = inside ? _nodeAbove(p, c, m.next) : _leafOfPayload(p, c, m.next);
        require(shown == nodes[own], WrongAnswer());
        return (shown, nodes[1 - own]);
    }

    /// @return the position of the root of the opened tree
    function _rootOf(Position memory p) private pure returns (Position memory) {
        return Position(Question.Children, p.level, TreeShape.heightOf(p.count), p.count, 0);
    }

    /// @return opening the bytes that open the tree
    /// @return rest what is shown below the root of the tree
    function _split(
        Position memory p,
        bytes calldata answer
    ) private pure returns (bytes calldata opening, bytes calldata rest) {
        uint256 length = _openingBytes(p);
        bool fits = p.count > 1 ? answer.length > length : answer.length == length;
        require(fits, WrongLength(answer.length, length));
        return (answer[:length], answer[length:]);
    }

    /// @return whether four nodes two levels below are shown as hashes, and not by what they commit to
    function _asksForNodes(GameWord word) private pure returns (bool) {
        return word.isDeep() && (word.height() > 2 || _partBytes(word.level()) > 0);
    }

    function _require(uint256 dispute, bytes32 hash) private view {
        bytes32 stored = _states[dispute];
        require(stored == hash && hash != 0, WrongState(stored));
    }

    function _deadline(GameWord word) private view returns (uint256) {
        return Clocks.deadline(word, _response, _recompute);
    }

    function _requireInTime(GameWord word) private view {
        uint256 deadline = _deadline(word);
        require(block.timestamp <= deadline, TooLate(deadline));
    }

    /// @dev Emits `Moved` with the siblings and the four nodes after them in calldata.
    function _emitMoved(uint256 dispute, bytes32[2] calldata siblings) private {
        bytes32 topic = Moved.selector;
        assembly ("memory-safe") {
            let from := mload(0x40)
            calldatacopy(from, siblings, 0xc0)
            log2(from, 0xc0, topic, dispute)
        }
    }
}
