// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Demand, Phase, Resolution, State, Task} from "../../contracts/interfaces/ITaskManager.sol";
import {RunRoot, TaskId} from "../../contracts/libraries/Ids.sol";
import {Terms} from "../../contracts/libraries/Terms.sol";
import {Vector, Vectors} from "./Vectors.sol";
import {vm} from "./Vm.sol";
import {World} from "./World.sol";

/// @dev Accounts that act at random on a few tasks, for the invariants. The owner of seat 0 is honest: it
/// claims what it computed, moves in time and delivers. The other accounts make any claims and calls. The
/// committee and the game judge honestly.
contract Actors is World, Vectors {
    uint256 private constant MOST_TASKS = 5;

    struct Played {
        Terms terms;
        TaskId id;
        Resolution ruling;
        /// The owner of the first seat: 0 for tasks with the honest provider, 1 for tasks of liars only.
        uint256 shift;
        Demand[] demands;
        uint256[] chunks;
        mapping(uint256 seat => RunRoot) said;
        /// Accounts that have challenged, in this order.
        address[] challengers;
        mapping(address owner => RunRoot) challenged;
    }

    Played[] private played;
    RunRoot private honestRoot;
    uint256 public attempts;
    uint256 public successes;
    mapping(string what => uint256) public count;

    constructor() {
        build();
        readVectors();
        honestRoot = load(0).root;
    }

    function tasks() external view returns (uint256) {
        return played.length;
    }

    /// @dev Sends a call and counts it; a failed call is no error.
    function attempt(address from, address where, bytes memory data, string memory what) private returns (bool done) {
        attempts++;
        vm.prank(from);
        (done, ) = where.call(data);
        if (!done) return false;
        successes++;
        count[what]++;
    }

    function call(address from, bytes memory data, string memory what) private returns (bool) {
        return attempt(from, address(manager), data, what);
    }

    function post(uint256 seed) external {
        if (played.length >= MOST_TASKS) return;
        Terms memory terms = aim(seed % 2 == 0 ? defaultTerms() : withGame(), load(0));
        terms.providers = uint8(2 + (seed >> 8) % 2);
        terms.stake = uint80(500 + (seed >> 16) % 1000);
        terms.reward = uint80((seed >> 32) % 100);
        terms.salt = bytes32(played.length);
        Played storage p = played.push();
        p.terms = terms;
        p.shift = (seed >> 40) % 2;
        p.id = manager.taskId(terms);
        call(CLIENT, abi.encodeCall(manager.post, (terms)), "post");
    }

    function who(Played storage p, uint256 seat) private view returns (address) {
        return owner(seat + p.shift);
    }

    function root(Played storage p, uint256 seat, uint256 seed) private view returns (RunRoot) {
        if (who(p, seat) == owner(0) || seed % 3 == 0) return honestRoot;
        return seed % 3 == 1 ? LIE : LIE_2;
    }

    /// @dev A move of some account in one of the tasks.
    function move(uint256 seed) external {
        if (played.length == 0) return;
        Played storage p = played[seed % played.length];
        Task memory t = manager.taskOf(p.id);
        seed >>= 8;
        if (t.state == State.Final) lapse(p, seed >> 8);
        if (block.timestamp > t.deadline && t.state != State.Revealed) return;
        if (t.state == State.Open) call(who(p, t.seats), abi.encodeCall(manager.accept, (p.id)), "accept");
        if (t.state == State.Accepted || t.state == State.Committed) claim(p, t, seed % t.seats, seed >> 8);
        if (t.state == State.Revealed) call(ANYONE, abi.encodeCall(manager.compare, (p.id)), "compare");
        if (t.state == State.Challengeable) disturb(p, t, seed);
        if (t.phase == Phase.Revealing) openChallenge(p, seed);
        if (t.state == State.Settled) disturb(p, t, seed);
        if (t.phase == Phase.Judging || t.phase == Phase.Playing) judge(p, t);
        if (t.phase == Phase.Ruled) appeal(p, t, seed % t.seats);
    }

    /// @dev Commits, or reveals if all have committed. A seat that is out or has moved does nothing.
    function claim(Played storage p, Task memory t, uint256 seat, uint256 seed) private {
        (, bytes32 value) = manager.seatOf(p.id, seat);
        bool waits = t.state == State.Accepted && t.committed < t.seats;
        if (waits && value == 0) {
            p.said[seat] = root(p, seat, seed);
            bytes32 hash = manager.commitmentOf(p.id, who(p, seat), p.said[seat], salt(seat));
            call(who(p, seat), abi.encodeCall(manager.commit, (p.id, seat, hash)), "commit");
        }
        if (!waits) open(p, t, seat);
    }

    function open(Played storage p, Task memory t, uint256 seat) private {
        if ((t.revealed | t.out) & (1 << seat) != 0) return;
        bytes memory data = abi.encodeCall(manager.reveal, (p.id, seat, p.said[seat], salt(seat)));
        call(ANYONE, data, "reveal");
    }

    /// @dev The claim of a seat that has revealed it.
    function claimOf(Played storage p, uint256 seat) private view returns (RunRoot) {
        (, bytes32 value) = manager.seatOf(p.id, seat);
        return RunRoot.wrap(value);
    }

    /// @dev A challenge, a demand or a delivery, if the terms allow it.
    function disturb(Played storage p, Task memory t, uint256 seed) private {
        RunRoot now_ = standing(p.id);
        uint256 next = p.terms.providers + p.challengers.length;
        if (seed % 3 == 0 && t.state == State.Challengeable && next < 7) {
            // Some challenge with the claim that stands, some with any lie.
            RunRoot other = (seed >> 4) % 4 == 0 ? root(p, next, seed >> 8) : now_ != honestRoot ? honestRoot : LIE;
            address challenger = who(p, next);
            bytes32 hash = manager.challengeOf(p.id, now_, challenger, other, salt(0));
            if (!call(challenger, abi.encodeCall(manager.challenge, (p.terms, now_, hash)), "challenge")) return;
            p.challengers.push(challenger);
            p.challenged[challenger] = other;
        } else if (seed % 3 == 1 && t.demands < p.terms.maxDemands) {
            ask(p, t, (seed >> 8) % 8, now_);
        } else if (now_ == honestRoot) deliverAll(p, t);
    }

    /// @dev A challenger reveals, unless it stays silent.
    function openChallenge(Played storage p, uint256 seed) private {
        address challenger = p.challengers[seed % p.challengers.length];
        if (manager.challengeBy(p.id, challenger) == 0 || (seed >> 8) % 8 == 0) return;
        RunRoot said = p.challenged[challenger];
        bytes memory data = abi.encodeCall(manager.revealChallenge, (p.terms, challenger, said, salt(0)));
        call(ANYONE, data, "revealChallenge");
    }

    function lapse(Played storage p, uint256 seed) private {
        for (uint256 i = 0; i < p.challengers.length; i++) {
            address challenger = p.challengers[(seed % p.challengers.length + i) % p.challengers.length];
            if (manager.challengeBy(p.id, challenger) == 0) continue;
            call(ANYONE, abi.encodeCall(manager.lapse, (p.terms, challenger)), "lapse");
            return;
        }
    }

    function ask(Played storage p, Task memory t, uint256 chunk, RunRoot now_) private {
        Vector memory v = load(chunk);
        if (v.root != honestRoot) return;
        (uint32 tensor, uint32 index) = (v.place.tensor, v.place.chunk);
        bytes memory data = abi.encodeCall(manager.demand, (p.terms, tensor, index, v.tensorType, v.layoutPath));
        if (!call(CLIENT, data, "demand")) return;
        if (t.demands == 0) {
            delete p.demands;
            delete p.chunks;
        }
        p.demands.push(Demand(tensor, index, now_, uint40(block.timestamp + p.terms.periods.toAnswer), v.tensorType));
        p.chunks.push(chunk);
    }

    function deliverAll(Played storage p, Task memory t) private {
        for (uint256 i = 0; i < t.demands; i++) {
            if (p.chunks[i] == type(uint256).max || block.timestamp > p.demands[i].deadline) continue;
            bytes memory data = abi.encodeCall(manager.deliver, (p.terms, i, p.demands[i], load(p.chunks[i]).proof));
            if (call(ANYONE, data, "deliver")) p.chunks[i] = type(uint256).max;
        }
    }

    /// @dev The honest verdict: each claim other than the honest root loses.
    function judge(Played storage p, Task memory t) private {
        bytes32[] memory claims = new bytes32[](3);
        (uint256 known, uint256 losers) = (0, 0);
        for (uint256 seat = 0; seat < t.seats; seat++) {
            if (t.revealed & ~t.out & (1 << seat) == 0) continue;
            bytes32 value = RunRoot.unwrap(claimOf(p, seat));
            bool seen = false;
            for (uint256 i = 0; i < known; i++) seen = seen || claims[i] == value;
            if (seen) continue;
            if (RunRoot.wrap(value) != honestRoot) losers |= 1 << known;
            claims[known++] = value;
        }
        bytes32[] memory listed = new bytes32[](known);
        for (uint256 i = 0; i < known; i++) listed[i] = claims[i];
        Resolution memory r = ruling(t.dispute, listed, losers);
        address authority = t.phase == Phase.Playing ? GAME : COMMITTEE;
        if (call(authority, abi.encodeCall(manager.resolve, (p.terms, r)), "resolve")) p.ruling = r;
    }

    function appeal(Played storage p, Task memory t, uint256 seat) private {
        bool lost = claimOf(p, seat) != honestRoot && t.revealed & ~t.out & (1 << seat) != 0;
        if (lost) call(who(p, seat), abi.encodeCall(manager.escalate, (p.terms, p.ruling, seat)), "escalate");
    }

    /// @dev Time passes to just after the next deadline. Before that, the honest accounts make their moves.
    function wait(uint256) external {
        uint256 next = type(uint256).max;
        for (uint256 i = 0; i < played.length; i++) {
            Played storage p = played[i];
            Task memory t = manager.taskOf(p.id);
            if (t.state == State.Final || t.state == State.Refunded) continue;
            actHonestly(p, t);
            t = manager.taskOf(p.id);
            if (t.deadline >= block.timestamp && t.deadline < next) next = t.deadline;
            for (uint256 j = 0; j < t.demands; j++) {
                uint256 deadline = p.demands[j].deadline;
                if (p.chunks[j] != type(uint256).max && deadline >= block.timestamp && deadline < next) next = deadline;
            }
        }
        if (next != type(uint256).max) vm.warp(next + 1);
    }

    function actHonestly(Played storage p, Task memory t) private {
        bool inTime = block.timestamp <= t.deadline;
        bool claims = t.state == State.Accepted || t.state == State.Committed;
        if (claims && inTime && p.shift == 0) claim(p, t, 0, 0);
        bool delivers = t.state == State.Challengeable || t.state == State.Disputed || t.state == State.Settled;
        // In a dispute the standing claim is the claim of the lowest seat that is not out.
        if (delivers && t.openDemands != 0 && p.shift == 0 && standing(p.id) == honestRoot) deliverAll(p, t);
        if (t.phase == Phase.Judging && inTime) judge(p, t);
    }

    /// @dev Any account ends a state whose time is over.
    function exit(uint256 seed) external {
        if (played.length != 0) endState(played[seed % played.length]);
    }

    function endState(Played storage p) private {
        Task memory t = manager.taskOf(p.id);
        if (t.state == State.Revealed) {
            call(ANYONE, abi.encodeCall(manager.compare, (p.id)), "compare");
            return;
        }
        bool challenged = t.state == State.Challengeable && t.challenges != 0;
        bool stands = t.state == State.Settled || (t.state == State.Challengeable && !challenged);
        if (stands && t.openDemands != 0) return expireDemand(p, t);
        if (block.timestamp <= t.deadline) return;
        if (t.phase == Phase.Ruled || t.phase == Phase.Playing) {
            call(ANYONE, abi.encodeCall(manager.enforce, (p.terms, p.ruling)), "enforce");
        } else if (stands) {
            call(ANYONE, abi.encodeCall(manager.finalize, (p.terms)), "finalize");
        } else if (t.state != State.None && t.state != State.Final && t.state != State.Refunded) {
            call(ANYONE, abi.encodeCall(manager.expire, (p.terms)), "expire");
        }
    }

    function expireDemand(Played storage p, Task memory t) private {
        for (uint256 i = 0; i < t.demands; i++) {
            if (p.chunks[i] == type(uint256).max || block.timestamp <= p.demands[i].deadline) continue;
            call(ANYONE, abi.encodeCall(manager.expireDemand, (p.terms, i, p.demands[i])), "expireDemand");
            return;
        }
    }

    /// @dev Moves money into the vault and out of it, independent of the tasks.
    function bank(uint256 seed) external {
        address whose = seed % 9 == 8 ? CLIENT : owner(seed % 9);
        uint256 kind = (seed >> 8) % 4;
        uint256 amount = 1 + (seed >> 16) % 1000;
        if (kind == 0) attempt(whose, address(vault), abi.encodeCall(vault.deposit, (amount)), "deposit");
        if (kind == 1) attempt(whose, address(vault), abi.encodeCall(vault.requestUnbond, (amount)), "requestUnbond");
        if (kind == 2 && credit(whose) != 0) attempt(ANYONE, address(vault), abi.encodeCall(vault.claim, (whose)), "claim");
        if (kind == 3 && vault.condemned() != 0) attempt(ANYONE, address(vault), abi.encodeCall(vault.burn, ()), "burn");
    }

    /// @dev An account without a seat ends all tasks, only by waiting. Returns whether that takes few steps.
    function endAll() external returns (bool) {
        for (uint256 i = 0; i < played.length; i++) {
            Played storage p = played[i];
            for (uint256 steps = 0; !ended(p.id); steps++) {
                if (steps == 40) return false;
                Task memory t = manager.taskOf(p.id);
                uint256 until = t.deadline;
                for (uint256 j = 0; j < t.demands; j++)
                    if (p.demands[j].deadline > until) until = p.demands[j].deadline;
                if (block.timestamp <= until) vm.warp(until + 1);
                endState(p);
            }
            for (uint256 j = 0; j < p.challengers.length; j++) lapse(p, j);
        }
        return true;
    }

    function ended(TaskId id) private view returns (bool) {
        State state = manager.taskOf(id).state;
        return state == State.None || state == State.Final || state == State.Refunded;
    }

    /// @dev Every account withdraws everything. Returns what is left, which should be nothing.
    function emptyVault() external returns (uint256 left) {
        address[4] memory others = [CLIENT, COMMITTEE, GAME, ANYONE];
        for (uint256 i = 0; i < 12; i++) {
            address leaver = i < 8 ? owner(i) : others[i - 8];
            uint256 active = vault.accountOf(leaver).active;
            if (active != 0) {
                vm.prank(leaver);
                vault.requestUnbond(active);
            }
            if (credit(leaver) != 0) vault.claim(leaver);
        }
        if (vault.condemned() != 0) vault.burn();
        vm.warp(block.timestamp + UNBONDING);
        for (uint256 i = 0; i < 9; i++) {
            address leaver = i < 8 ? owner(i) : CLIENT;
            if (stakeOf(leaver) == 0) continue;
            vm.prank(leaver);
            vault.draw();
        }
        return token.balanceOf(address(vault));
    }

    /// @dev What the vault has, minus what it owes.
    function surplus() external view returns (int256) {
        uint256 owed = uint256(vault.escrow()) + vault.condemned();
        owed += stakeOf(CLIENT) + credit(CLIENT) + credit(COMMITTEE) + credit(GAME);
        for (uint256 i = 0; i < 8; i++) owed += stakeOf(owner(i)) + credit(owner(i));
        return int256(token.balanceOf(address(vault))) - int256(owed);
    }

    /// @dev Everything that the honest provider has. It only grows, whatever the provider does with its
    /// stake.
    function honestWealth() external view returns (uint256) {
        return token.balanceOf(owner(0)) + stakeOf(owner(0)) + credit(owner(0));
    }
}
