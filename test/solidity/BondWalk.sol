// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Context, GameState, PairId} from "../../contracts/game/GameTypes.sol";
import {Bracket, BracketId, Roster} from "../../contracts/interfaces/IDisputeGame.sol";
import {State} from "../../contracts/interfaces/ITaskManager.sol";
import {RunRoot} from "../../contracts/libraries/Ids.sol";
import {BracketTable} from "./BracketTable.sol";
import {vm} from "./Vm.sol";

/// @dev Players post bonds, open their claims, are late, and end brackets at random, one task after the
/// other.
contract BondWalk is BracketTable {
    uint256 private constant PLAYERS = 4;
    uint256 private constant PREPAY = 0;
    uint256 private constant OPEN = 1;
    uint256 private constant MOVE = 2;
    uint256 private constant LATE = 3;
    uint256 private constant CLOSE = 4;
    uint256 private constant SETTLE = 5;
    uint256 private constant RECLAIM = 6;
    uint256 private constant WITHDRAW = 7;
    uint256 private constant FALL = 8;
    /// @dev Claim 0 is that of seats 0 and 3. It meets claim 1, and whichever stands then meets claim 2.
    uint256 private constant CLAIMS = 3;

    struct Dispute {
        uint256 number;
        uint256 first;
        GameState state;
        Context context;
        uint256 since;
        bool moved;
    }

    /// @dev An encoded roster.
    bytes private roster;
    BracketId private bracket;
    Dispute[] private disputes;
    bool private opened;
    uint256 public lost;
    uint256 public attempts;
    uint256 public successes;
    mapping(uint256 kind => uint256) public count;

    constructor() {
        build();
        begin();
    }

    /// @dev A new task. Bonds that were posted before the old one's game are reclaimed first.
    function begin() private {
        for (uint256 seat = 0; seat < PLAYERS; seat++) reclaim(seat);
        vm.warp(NOW);
        terms.salt = keccak256(abi.encode(terms.salt));
        bring(rootsOf(PLAYERS, CLAIMS));
        delete disputes;
        opened = false;
    }

    function balance() external view returns (uint256) {
        return address(game).balance;
    }

    function owed() external view returns (uint256 sum) {
        sum = lost + game.creditOf(address(this));
        for (uint256 seat = 0; seat < PLAYERS; seat++) {
            sum += game.creditOf(owner(seat));
            if (game.hasPrepaid(taskId(), owner(seat))) sum += BOND;
        }
        Bracket memory b = game.bracketOf(bracket);
        if (opened && !b.closed) sum += BOND * ones(b.posted);
    }

    function act(uint256 seed) external {
        uint256 kind = seed % 8;
        seed >>= 8;
        uint256 seat = seed % PLAYERS;
        if (kind == WITHDRAW) return withdraw(seat);
        if (!opened) {
            if (kind == OPEN || kind == MOVE) openAll();
            else if (kind == CLOSE) leave();
            else if (!game.hasPrepaid(taskId(), owner(seat))) prepay(seat);
            return;
        }
        Bracket memory b = game.bracketOf(bracket);
        if (kind == SETTLE && seed % 5 == 0) return end(b, false);
        if (claimsLeft(b.standing) <= 1) return end(b, true);
        if (kind == SETTLE && seed % 5 == 1 && b.standing & 9 != 0 && b.standing & 2 != 0) return fall();
        pairAll(1);
        Dispute storage d = disputes[seed % disputes.length];
        if (d.moved || game.stateOf(d.number) == 0) return;
        if (kind == LATE || kind == RECLAIM || kind == CLOSE) late(d);
        else move(d, b, seed);
    }

    function prepay(uint256 seat) private {
        done(PREPAY, address(manager), abi.encodeCall(manager.prepay, (game, taskId(), seat)), BOND);
    }

    /// @dev The task is decided without a bracket.
    function leave() private {
        manager.end(State.Final);
        begin();
    }

    function reclaim(uint256 seat) private {
        if (!game.hasPrepaid(taskId(), owner(seat))) return;
        done(RECLAIM, address(game), abi.encodeCall(game.reclaim, (terms, owner(seat))), 0);
    }

    function openAll() private {
        RunRoot[] memory roots = rootsOf(PLAYERS, CLAIMS);
        Roster memory all = rosterOf(roots);
        roster = abi.encode(all);
        bracket = BracketId.wrap(keccak256(abi.encode(all.task, all.dispute)));
        opened = done(OPEN, address(game), abi.encodeCall(game.open, (terms, parts)), 0);
        pairAll(0);
    }

    /// @dev Begins all disputes that can begin. In the first round no time has passed.
    function pairAll(uint256 round) private {
        uint256 posted = game.bracketOf(bracket).posted;
        Roster memory all = abi.decode(roster, (Roster));
        for (uint256 i = 0; i < PLAYERS; i++)
            for (uint256 j = i + 1; j < PLAYERS; j++) {
                // Only claim 2 waits for the second round.
                if ((i == 2 || j == 2 ? 1 : 0) != round) continue;
                (bool taken, bytes memory number) = address(game).call(abi.encodeCall(game.pair, (all, i, j)));
                if (!taken) continue;
                bool earlier = (posted >> i) & 1 == 1 && (posted >> j) & 1 == 0;
                Dispute storage d = disputes.push();
                (d.number, d.first, d.since) = (abi.decode(number, (uint256)), earlier ? i : j, block.timestamp);
                (d.state, d.context) = begun(all, d.first, i + j - d.first, CLOCK, block.timestamp);
            }
    }

    /// @dev Sometimes the bond is sent although it is posted already.
    function move(Dispute storage d, Bracket memory b, uint256 seed) private {
        if (block.timestamp > d.since + CLOCK) return;
        bool posted = (b.posted >> d.first) & 1 == 1;
        bool stands = b.standing & bothOf(d) == bothOf(d);
        if (!stands) return;
        attempts++;
        (bool taken, ) = openTree(d.number, d.state, d.context, 1 + (d.first % CLAIMS), posted && seed % 3 != 0 ? 0 : BOND);
        if (!taken) return;
        d.moved = true;
        successes++;
        count[MOVE]++;
    }

    function late(Dispute storage d) private {
        if (block.timestamp <= d.since + CLOCK) vm.warp(d.since + CLOCK + 1);
        done(LATE, address(game), abi.encodeCall(game.timeout, (d.number, d.state, d.context)), 0);
    }

    function claimsLeft(uint256 standing) private pure returns (uint256) {
        return (standing & 9 != 0 ? 1 : 0) + ((standing >> 1) & 1) + ((standing >> 2) & 1);
    }

    /// @dev The first round is over, and claims 0 and 1 stand.
    function fall() private {
        uint256 end_ = NOW + game.longestRound(terms.steps, terms.commitEvery);
        if (block.timestamp <= end_) vm.warp(end_ + 1);
        done(FALL, address(game), abi.encodeCall(game.fall, (abi.decode(roster, (Roster)))), 0);
    }

    function end(Bracket memory b, bool decided) private {
        uint256 out = ones(b.posted & ~b.standing);
        uint256 winners = ones(b.posted & b.standing);
        Roster memory all = abi.decode(roster, (Roster));
        bytes memory data = abi.encodeCall(game.close, (terms, all));
        if (!decided) {
            manager.end(State.Refunded);
            data = abi.encodeCall(game.settle, (all));
        }
        if (!done(decided ? CLOSE : SETTLE, address(game), data, 0)) return;
        if (winners == 0) winners = ones(b.standing);
        uint256 paid = decided && winners > 0 ? ((out * BOND) / 2 / winners) * winners : 0;
        lost += out * BOND - paid;
        begin();
    }

    function withdraw(uint256 seat) private {
        if (game.creditOf(owner(seat)) == 0) return;
        vm.prank(owner(seat));
        attempts++;
        game.withdraw(payable(owner(seat)));
        successes++;
        count[WITHDRAW]++;
    }

    /// @dev A failed call is no error.
    function done(uint256 kind, address where, bytes memory data, uint256 value) private returns (bool taken) {
        attempts++;
        (taken, ) = where.call{value: value}(data);
        if (!taken) return false;
        successes++;
        count[kind]++;
    }

    function bothOf(Dispute storage d) private view returns (uint256) {
        uint256 word = uint256(PairId.unwrap(d.context.players));
        return (1 << uint8(word >> 8)) | (1 << uint8(word));
    }

    function ones(uint256 bits) private pure returns (uint256 sum) {
        for (; bits != 0; bits &= bits - 1) sum++;
    }
}
