// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Judge} from "../../contracts/Judge.sol";
import {Pace} from "../../contracts/game/Clocks.sol";
import {Consent, Context, GameState, Level, Move, Place} from "../../contracts/game/GameTypes.sol";
import {IBisection} from "../../contracts/interfaces/IBisection.sol";
import {IDisputeGame} from "../../contracts/interfaces/IDisputeGame.sol";
import {IGasBonds} from "../../contracts/interfaces/IGasBonds.sol";
import {RunRoot} from "../../contracts/libraries/Ids.sol";
import {OpeningHash} from "../../contracts/training/OpeningHash.sol";
import {Transcript} from "./Bisection.t.sol";
import {BisectionHarness} from "./BisectionHarness.sol";
import {Wallet} from "./OpeningHash.t.sol";
import {vm} from "./Vm.sol";

/// @dev A wallet that tries to move while it is asked for its signature, and agrees to everything.
contract Reentrant {
    IBisection private immutable game;
    bytes private call;
    bool public moved;

    constructor(IBisection game_) {
        game = game_;
    }

    function prepare(bytes calldata call_) external {
        call = call_;
    }

    function isValidSignature(bytes32, bytes calldata) external returns (bytes4) {
        // Enough gas for a move. A call that may not write loses all of it.
        (bool taken, ) = address(game).call{gas: 500_000}(call);
        if (taken) moved = true;
        return this.isValidSignature.selector;
    }
}

/// @dev A call of `turnFor`, or of `turn` without a consent.
struct Shown {
    GameState state;
    Context context;
    Move move;
    Consent consent;
}

/// @dev Accounts that own no claim make moves for owners that have signed (test/vectors/game.json).
contract ConsentsTest {
    address private constant STRANGER = address(0x57);
    uint256 private constant BOND = 1 ether;
    /// @dev The keys of the owners: scripts/game-vectors.ts has them too.
    uint256[2] private keys =
        [0x0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a, 0x0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b];

    BisectionHarness private game;
    bytes[] private encoded;

    function setUp() public {
        encoded = vm.parseJsonBytesArray(vm.readFile("test/vectors/game.json"), ".encoded");
    }

    /// @dev The whole dispute, both sides, is played by an account that owns neither claim.
    function test_aStrangerPlaysWhatTheOwnersHaveSigned() public {
        uint256 decided = 0;
        uint256[2] memory signed;
        for (uint256 i = 0; i < encoded.length; i++) {
            Transcript memory t = _begin(i);
            for (uint256 j = 0; j < t.calls.length; j++) {
                bool consents = t.consented[j].length > 0;
                assert(consents == t.open[j]);
                if (consents) {
                    Consent memory consent = this.shownIn(t.consented[j]).consent;
                    signed[0] += consent.reply.length / 65;
                    signed[1] += consent.next.length / 65;
                }
                vm.warp(t.times[j + 1]);
                (bool taken, ) = _send(STRANGER, consents ? t.consented[j] : t.calls[j], _bondAt(j));
                assert(taken && game.stateOf(1) == t.states[j + 1]);
            }
            if (t.proof.length == 0) continue;
            (bool proven, ) = _send(STRANGER, t.proof, 0);
            assert(proven && game.losersOf(t.players) == t.wrong);
            // An account that posts a bond for an owner gives it away.
            assert(game.creditOf(STRANGER) == 0 && game.postedBy(t.players) == 3);
            decided++;
        }
        // Each opening is shown twice: as an answer, and by the other side as a reply.
        assert(decided == encoded.length - 1 && signed[0] == 30 && signed[1] == 30);
    }

    /// @dev An owner may use either function, and needs no signature. Nobody else may do without one.
    function test_onlyTheOwnerNeedsNoSignature() public {
        for (uint256 i = 0; i < encoded.length; i += 3) {
            Transcript memory t = _begin(i);
            for (uint256 j = 0; j < t.calls.length; j++) {
                if (t.open[j]) {
                    address owner = t.owners[j % 2];
                    vm.warp(t.times[j + 1]);
                    bytes memory notTheOwner = abi.encodeWithSelector(IBisection.NotTheOwner.selector, owner);
                    _refuses(j, t.calls[j], notTheOwner);
                    _refusesAs(j, _withSignatures(t.consented[j], ""), IBisection.NotSigned.selector);
                    Shown memory s = this.shownIn(t.consented[j]);
                    delete s.consent;
                    bytes memory unsigned = _callOf(s);
                    _refuses(j, unsigned, notTheOwner);
                    uint256 id = vm.snapshotState();
                    (bool taken, ) = _send(owner, unsigned, _bondAt(j));
                    assert(taken && game.stateOf(1) == t.states[j + 1]);
                    vm.revertToState(id);
                }
                _play(t, j);
            }
        }
    }

    /// @dev The signatures of both keys over this opening and over all that lie near it, for the reply and
    /// for the next answer: only the owner's over this one counts.
    function test_noOtherSignatureOpensATree() public {
        uint256 refused = 0;
        for (uint256 i = 0; i < encoded.length; i++) {
            Transcript memory t = _begin(i);
            for (uint256 j = 0; j < t.calls.length; j++) {
                if (t.open[j]) {
                    vm.warp(t.times[j + 1]);
                    refused += _refusesOthers(t, j);
                }
                _play(t, j);
            }
        }
        assert(refused > 1000);
    }

    function _refusesOthers(Transcript memory t, uint256 j) private returns (uint256 refused) {
        uint256 own = j % 2;
        for (uint256 which = 0; which < 2; which++) {
            Shown memory s = this.shownIn(t.consented[j]);
            bytes memory good = which == 0 ? s.consent.reply : s.consent.next;
            if (good.length == 0) continue;
            _sets(s.consent, which, "");
            bytes32 digest = _digestShown(j, _callOf(s));
            assert(keccak256(_sign(keys[own], digest)) == keccak256(good));
            bytes memory reason = abi.encodeWithSelector(IBisection.NotSigned.selector, t.owners[own], digest);
            bytes[] memory others = _others(own, digest, good, s.consent.chain);
            for (uint256 k = 0; k < others.length; k++) {
                _sets(s.consent, which, others[k]);
                _refuses(j, _callOf(s), reason);
            }
            refused += others.length;
        }
    }

    function _sets(Consent memory consent, uint256 which, bytes memory signature) private pure {
        if (which == 0) consent.reply = signature;
        else consent.next = signature;
    }

    /// @dev The digest that the game wants, from its own refusal.
    function _digestShown(uint256 j, bytes memory unsigned) private returns (bytes32 digest) {
        (bool taken, bytes memory failure) = _send(STRANGER, unsigned, _bondAt(j));
        assert(!taken && bytes4(failure) == IBisection.NotSigned.selector && failure.length == 68);
        assembly ("memory-safe") {
            digest := mload(add(failure, 0x44))
        }
    }

    /// @dev The other side's signature, malformed ones, and the owner's over what it is not asked for.
    function _others(
        uint256 own,
        bytes32 digest,
        bytes memory good,
        bytes32[] memory chain
    ) private view returns (bytes[] memory others) {
        (bytes32 r, bytes32 s, uint8 v) = _split(good);
        bytes32 high = bytes32(0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141 - uint256(s));
        others = new bytes[](22);
        others[0] = _sign(keys[1 - own], digest);
        others[1] = abi.encodePacked(r, high, v ^ 7);
        others[2] = abi.encodePacked(r, s, v - 27);
        others[3] = abi.encodePacked(r, s);
        others[4] = abi.encodePacked(r, s, v, uint8(0));
        others[5] = abi.encodePacked(r, s, v ^ 7);
        others[6] = _sign(keys[own], keccak256(abi.encode(digest)));
        for (uint256 tree = 1; tree < 6; tree += 2)
            for (uint256 k = 0; k < 5; k++) {
                // Other places, and other runs: the other side's, and what else the chain holds.
                bytes32 run = chain[(own + k) % chain.length];
                bytes32 other = OpeningHash.digestOf(RunRoot.wrap(run), Level.wrap(uint8(tree)), Place.wrap(k), chain[2]);
                assert(other != digest);
                others[7 + 5 * (tree / 2) + k] = _sign(keys[own], other);
            }
    }

    /// @dev A chain that is too short, altered, or shifted so that a root takes the place of a run.
    function test_theChainIsTheOneThatTheContextHolds() public {
        uint256 tried = 0;
        for (uint256 i = 0; i < encoded.length; i += 2) {
            Transcript memory t = _begin(i);
            for (uint256 j = 0; j < t.calls.length; j++) {
                if (t.open[j]) {
                    vm.warp(t.times[j + 1]);
                    tried += _refusesOtherChains(t, j);
                }
                _play(t, j);
            }
        }
        assert(tried > 100);
    }

    function _refusesOtherChains(Transcript memory t, uint256 j) private returns (uint256 tried) {
        bytes memory wrong = abi.encodeWithSelector(IDisputeGame.WrongFacts.selector);
        Shown memory s = this.shownIn(t.consented[j]);
        bytes32[] memory right = s.consent.chain;
        for (uint256 k = 0; k < right.length; k++) {
            right[k] ^= bytes32(uint256(1));
            _refuses(j, _callOf(s), wrong);
            right[k] ^= bytes32(uint256(1));
        }
        for (uint256 length = 1; length < right.length; length++) {
            s.consent.chain = _part(right, 0, length);
            _refuses(j, _callOf(s), wrong);
        }
        // Its first two hashes, folded into one, take the place of a run, and a root that of the other one.
        s.consent.chain = _part(right, 1, right.length - 1);
        s.consent.chain[0] = keccak256(abi.encode(right[0], right[1]));
        _refuses(j, _callOf(s), wrong);
        // What comes after the chain is not read.
        s.consent.chain = _part(right, 0, right.length + 1);
        _takes(t, j, _callOf(s));
        return 2 * right.length + 1;
    }

    /// @return part `length` words from number `from` on; zeros after the last one
    function _part(bytes32[] memory words, uint256 from, uint256 length) private pure returns (bytes32[] memory part) {
        part = new bytes32[](length);
        for (uint256 k = 0; k < length && from + k < words.length; k++) part[k] = words[from + k];
    }

    /// @dev Every byte of the call is bound, as it is in the owner's own call.
    function testFuzz_noByteMayChange(uint256 which, uint256 where, uint8 change) public {
        vm.assume(change != 0);
        Transcript memory t = _begin(which % encoded.length);
        for (uint256 j = 0; j < t.calls.length; j++) {
            if (t.open[j]) {
                bytes memory altered = bytes.concat(t.consented[j]);
                uint256 place = where % altered.length;
                altered[place] = bytes1(uint8(altered[place]) ^ change);
                vm.warp(t.times[j + 1]);
                uint256 id = vm.snapshotState();
                (bool taken, ) = _send(STRANGER, altered, _bondAt(j));
                // Padding that is not read may change.
                assert(game.stateOf(1) == t.states[taken ? j + 1 : j]);
                vm.revertToState(id);
            }
            _play(t, j);
        }
    }

    /// @dev Of the first moves of both sides, some open a step tree. The account that makes the move posts
    /// the bond.
    function test_theSenderPostsTheBond() public {
        uint256 found = 0;
        for (uint256 i = 0; i < encoded.length; i++) {
            Transcript memory t = _begin(i);
            if (!t.open[1]) continue;
            found++;
            _play(t, 0);
            vm.warp(t.times[2]);
            address owner = t.owners[1];
            vm.deal(owner, 5 ether);
            uint256[3] memory values = [0, BOND - 1, BOND + 1];
            for (uint256 k = 0; k < values.length; k++) {
                (bool sent, bytes memory failure) = _send(STRANGER, t.consented[1], values[k]);
                bytes memory wrong = abi.encodeWithSelector(IGasBonds.WrongBond.selector, values[k], BOND);
                assert(!sent && keccak256(failure) == keccak256(wrong));
            }
            (bool taken, ) = _send(STRANGER, t.consented[1], BOND);
            assert(taken && owner.balance == 5 ether && address(game).balance == 2 * BOND);
            // Nobody can make the owner's first move a second time, and what the owner sends returns.
            vm.prank(owner);
            (taken, ) = address(game).call{value: BOND}(t.calls[1]);
            assert(!taken && owner.balance == 5 ether);
            Shown memory s = this.shownIn(t.open[2] ? t.consented[2] : t.calls[2]);
            vm.warp(t.times[2] + 4001);
            game.timeout(1, s.state, s.context);
            // The side that was played for has answered, so the other side is late.
            assert(game.losersOf(t.players) == 1 && game.creditOf(STRANGER) == 0);
        }
        assert(found > 2);
    }

    function test_aStrangersMoveIsInTime() public {
        Transcript memory t = _begin(0);
        uint256 j = 0;
        while (!t.open[j]) _play(t, j++);
        vm.warp(t.times[j] + 4001);
        _refusesAs(j, t.consented[j], IBisection.TooLate.selector);
    }

    /// @dev A wallet has no key. It is asked at the block of the move, whatever the signature looks like.
    function test_aWalletMayChangeItsMind() public {
        uint256 asked = 0;
        for (uint256 i = 0; i < encoded.length; i += 3) {
            // What a wallet has agreed to holds in every dispute, so each of them begins with new wallets.
            uint256 fresh = vm.snapshotState();
            Transcript memory t = _begin(i);
            address[2] memory owners = t.owners;
            for (uint256 side = 0; side < 2; side++) vm.etch(owners[side], address(new Wallet()).code);
            for (uint256 j = 0; j < t.calls.length; j++) {
                vm.warp(t.times[j + 1]);
                if (!t.open[j]) {
                    _play(t, j);
                    continue;
                }
                Wallet wallet = Wallet(owners[j % 2]);
                bytes memory call = _withSignatures(t.consented[j], "no signature");
                bytes32 digest = _disagreed(j, call, wallet);
                wallet.agree(digest, true);
                // A move that opens two trees needs two signatures.
                bytes32 second = _openings(t.consented[j]) == 2 ? _disagreed(j, call, wallet) : bytes32(0);
                if (second != 0) wallet.agree(second, true);
                uint256 id = vm.snapshotState();
                (bool taken, ) = _send(STRANGER, call, _bondAt(j));
                assert(taken && game.stateOf(1) == t.states[j + 1]);
                vm.revertToState(id);
                wallet.agree(digest, false);
                assert(_disagreed(j, call, wallet) == digest);
                // The key of an account that has code still signs.
                _taken(t, j, t.consented[j]);
                asked++;
            }
            vm.revertToState(fresh);
        }
        assert(asked > 20);
    }

    /// @return digest that the wallet has not agreed to
    function _disagreed(uint256 j, bytes memory call, Wallet wallet) private returns (bytes32 digest) {
        (bool taken, bytes memory failure) = _send(STRANGER, call, _bondAt(j));
        assert(!taken && bytes4(failure) == IBisection.NotSigned.selector && failure.length == 68);
        address owner;
        assembly ("memory-safe") {
            owner := mload(add(failure, 0x24))
            digest := mload(add(failure, 0x44))
        }
        assert(owner == address(wallet) && !wallet.agreed(digest));
    }

    /// @dev The wallet is asked by a static call, so it can't move while it is asked.
    function test_aWalletThatIsAskedCannotMove() public {
        uint256 asked = 0;
        for (uint256 i = 0; i < encoded.length; i += 3) {
            Transcript memory t = _begin(i);
            for (uint256 side = 0; side < 2; side++) vm.etch(t.owners[side], address(new Reentrant(game)).code);
            for (uint256 j = 0; j < t.calls.length; j++) {
                vm.warp(t.times[j + 1]);
                if (t.open[j]) {
                    Reentrant wallet = Reentrant(t.owners[j % 2]);
                    wallet.prepare(t.calls[j]);
                    _taken(t, j, _withSignatures(t.consented[j], "asks the wallet"));
                    assert(!wallet.moved());
                    asked++;
                } else _play(t, j);
            }
        }
        assert(asked > 20);
    }

    function _openings(bytes memory call) private view returns (uint256) {
        Consent memory consent = this.shownIn(call).consent;
        return (consent.reply.length + consent.next.length) / 65;
    }

    function _withSignatures(bytes memory call, bytes memory signature) private view returns (bytes memory) {
        Shown memory s = this.shownIn(call);
        (s.consent.reply, s.consent.next) = (signature, signature);
        return _callOf(s);
    }

    function _begin(uint256 i) private returns (Transcript memory t) {
        t = abi.decode(encoded[i], (Transcript));
        assert(t.owners[0] == vm.addr(keys[0]) && t.owners[1] == vm.addr(keys[1]));
        game = new BisectionHarness(new Judge(), Pace({clock: 4000, response: 600, recompute: 1800}), BOND);
        vm.warp(t.times[0]);
        game.start(t.players, t.owners, t.job, t.steps, t.commitEvery, t.claims);
        assert(game.stateOf(1) == t.states[0]);
    }

    /// @dev Makes a move as its owner.
    function _play(Transcript memory t, uint256 j) private {
        vm.warp(t.times[j + 1]);
        (bool taken, ) = _send(t.owners[j % 2], t.calls[j], _bondAt(j));
        assert(taken && game.stateOf(1) == t.states[j + 1]);
    }

    /// @dev A stranger makes the move, and it leads where the owner's would.
    function _taken(Transcript memory t, uint256 j, bytes memory call) private {
        (bool taken, ) = _send(STRANGER, call, _bondAt(j));
        assert(taken && game.stateOf(1) == t.states[j + 1]);
    }

    /// @dev The same, as if it had not happened.
    function _takes(Transcript memory t, uint256 j, bytes memory call) private {
        uint256 id = vm.snapshotState();
        _taken(t, j, call);
        vm.revertToState(id);
    }

    function _bondAt(uint256 j) private pure returns (uint256) {
        return j < 2 ? BOND : 0;
    }

    function _send(address from, bytes memory data, uint256 value) private returns (bool, bytes memory) {
        vm.deal(from, value);
        vm.prank(from);
        return address(game).call{value: value}(data);
    }

    function _refuses(uint256 j, bytes memory call, bytes memory reason) private {
        (bool taken, bytes memory failure) = _send(STRANGER, call, _bondAt(j));
        assert(!taken && keccak256(failure) == keccak256(reason));
    }

    function _refusesAs(uint256 j, bytes memory call, bytes4 reason) private {
        (bool taken, bytes memory failure) = _send(STRANGER, call, _bondAt(j));
        assert(!taken && bytes4(failure) == reason);
    }

    function _sign(uint256 key, bytes32 digest) private pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function _split(bytes memory signature) private pure returns (bytes32 r, bytes32 s, uint8 v) {
        assembly ("memory-safe") {
            r := mload(add(signature, 0x20))
            s := mload(add(signature, 0x40))
            v := byte(0, mload(add(signature, 0x60)))
        }
    }

    function shownIn(bytes calldata call) external pure returns (Shown memory s) {
        if (bytes4(call) == IBisection.turnFor.selector)
            (, s.state, s.context, s.move, s.consent) = abi.decode(call[4:], (uint256, GameState, Context, Move, Consent));
        else (, s.state, s.context, s.move) = abi.decode(call[4:], (uint256, GameState, Context, Move));
    }

    function _callOf(Shown memory s) private view returns (bytes memory) {
        return abi.encodeCall(game.turnFor, (1, s.state, s.context, s.move, s.consent));
    }
}
