// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SaleId, SealKey} from "../../contracts/exchange/SaleTypes.sol";
import {Sale, SaleState, SaleTerms} from "../../contracts/interfaces/IExchange.sol";
import {TaskId} from "../../contracts/libraries/Ids.sol";
import {NaiveSeal, Sealed, SaleWorld} from "./SaleWorld.sol";
import {vm} from "./Vm.sol";

/// @dev Buyers and sellers that act at random on a few sales of one settled task. A sale is careful if its
/// buyer takes only what it has checked, and complains in time.
contract Traders is SaleWorld {
    using NaiveSeal for Sealed;

    uint256 private constant MOST = 6;
    uint32 private constant CHUNKS = 3;

    struct Traded {
        SaleId id;
        /// The chunk that is wrong, or CHUNKS if all are right.
        uint32 wrong;
        bool careful;
        bool released;
        bool shown;
    }

    TaskId private task;
    Traded[] private traded;
    uint256 public endings;

    constructor() {
        buildExchange();
        task = post(defaultTerms());
        settle(task);
    }

    function open(uint256 seed) external {
        if (traded.length >= MOST) return;
        SaleTerms memory terms = saleTerms(task);
        terms.salt = bytes32(traded.length);
        SaleId id = pledge(terms);
        uint32 wrong = uint32((seed >> 8) % (2 * CHUNKS));
        traded.push(Traded(id, wrong < CHUNKS ? wrong : CHUNKS, seed % 3 != 0, false, false));
    }

    function wait(uint256 seed) external {
        vm.warp(block.timestamp + (seed % 30 hours));
    }

    function sealedFor(Traded storage t) private view returns (Sealed memory s) {
        s = sealedChunks(CHUNKS);
        if (t.wrong < CHUNKS) {
            s.ciphertext[t.wrong][3] ^= 0x01;
            s.commit();
        }
    }

    /// @dev What the state allows, by whoever may; a careful buyer never lets its time pass.
    function move(uint256 seed) external {
        if (traded.length == 0) return;
        Traded storage t = traded[seed % traded.length];
        SaleState state = exchange.saleOf(t.id).state;
        bool late = block.timestamp > exchange.deadlineOf(t.id);
        Sealed memory s = sealedFor(t);
        if (state == SaleState.Pledged && !late) offer(t.id, s);
        if (state == SaleState.Offered && !late) take(t.id);
        if (state == SaleState.Taken && !late && seed % 5 != 0) {
            exchange.releaseKey(t.id, KEY);
            t.released = true;
            if (t.careful && t.wrong < CHUNKS) show(t, s);
        }
        if (state == SaleState.Released && !late && t.wrong < CHUNKS && seed % 2 == 0) show(t, s);
        if (state == SaleState.Released && late) ends(abi.encodeCall(exchange.finish, (t.id)));
        if (state != SaleState.Released && late && uint8(state) < 5) ends(abi.encodeCall(exchange.expire, (t.id)));
    }

    /// @dev Calls that must fail, whoever makes them.
    function cheat(uint256 seed) external {
        if (traded.length == 0) return;
        Traded storage t = traded[seed % traded.length];
        if (exchange.saleOf(t.id).state != SaleState.Released) return;
        Sealed memory s = sealedFor(t);
        uint32 right = uint32((seed >> 16) % CHUNKS);
        if (right == t.wrong) return;
        vm.prank(CLIENT);
        (bool done, ) = address(exchange).call(abi.encodeCall(exchange.complain, (t.id, KEY, s.shown(right))));
        assert(!done);
    }

    function bank(uint256 seed) external {
        address owner = seed % 2 == 0 ? CLIENT : seller();
        if (exchange.creditOf(owner) != 0) exchange.claim(owner);
        if (seed % 3 == 0 && exchange.condemned() != 0) exchange.burn();
    }

    function show(Traded storage t, Sealed memory s) private {
        exchange.complain(t.id, KEY, s.shown(t.wrong));
        t.shown = true;
    }

    function ends(bytes memory data) private {
        (bool done, ) = address(exchange).call(data);
        assert(done);
        endings++;
    }

    /// @dev The balance is what is owed, and what is owed is the sum over all sales.
    function isSolvent() external view returns (bool) {
        uint256 held = 0;
        for (uint256 i = 0; i < traded.length; i++) {
            SaleState state = exchange.saleOf(traded[i].id).state;
            if (uint8(state) >= uint8(SaleState.Paid)) continue;
            held += state == SaleState.Pledged ? SHARE : SHARE + SALE_BOND;
        }
        uint256 owed = held + exchange.creditOf(CLIENT) + exchange.creditOf(seller()) + exchange.condemned();
        return exchange.escrow() == held && token.balanceOf(address(exchange)) == owed;
    }

    /// @dev Paid means: every chunk decrypts to its leaf, or nobody has complained in time.
    function isPaidOnlyForWeights() external view returns (bool) {
        for (uint256 i = 0; i < traded.length; i++) {
            Traded storage t = traded[i];
            if (exchange.saleOf(t.id).state != SaleState.Paid) continue;
            if (!t.released || t.shown) return false;
            if (t.careful && t.wrong < CHUNKS) return false;
        }
        return true;
    }

    /// @dev A seller that has released the right weights is paid. Nobody can end the sale in another way.
    function isNeverCheated() external view returns (bool) {
        for (uint256 i = 0; i < traded.length; i++) {
            Traded storage t = traded[i];
            SaleState state = exchange.saleOf(t.id).state;
            bool honest = t.released && t.wrong == CHUNKS;
            if (honest && state != SaleState.Released && state != SaleState.Paid) return false;
            if (t.shown && state != SaleState.Returned) return false;
        }
        return true;
    }
}

/// @dev What holds whatever buyers and sellers do.
contract SaleInvariantsTest {
    Traders private traders;

    function setUp() public {
        traders = new Traders();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(traders);
    }

    function invariant_PaidMeansDecryptableOrNoComplaintInTime() public view {
        assert(traders.isPaidOnlyForWeights());
        assert(traders.isNeverCheated());
    }

    function invariant_TheBalanceIsWhatIsOwed() public view {
        assert(traders.isSolvent());
    }

    /// @dev A long walk ends sales in every way, so the invariants are not vacuous.
    function test_TheWalkEndsSales() public {
        for (uint256 step = 0; step < 300; step++) {
            uint256 seed = uint256(keccak256(abi.encode("walk", step)));
            uint256 kind = seed % 10;
            seed >>= 8;
            if (kind < 2) traders.open(seed);
            else if (kind < 6) traders.move(seed);
            else if (kind < 7) traders.cheat(seed);
            else if (kind < 8) traders.bank(seed);
            else traders.wait(seed);
            assert(traders.isPaidOnlyForWeights() && traders.isNeverCheated() && traders.isSolvent());
        }
        assert(traders.endings() > 2);
    }
}
