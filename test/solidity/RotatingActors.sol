// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Hearing} from "../../contracts/interfaces/IRotatingCommittee.sol";
import {Phase, State, Task} from "../../contracts/interfaces/ITaskManager.sol";
import {TaskId} from "../../contracts/libraries/Ids.sol";
import {Terms} from "../../contracts/libraries/Terms.sol";
import {RotatingWorld} from "./RotatingWorld.sol";
import {vm} from "./Vm.sol";

/// @dev A pool in which every second account is honest: when it is drawn it shows at once that the truth is
/// right. The others lie, are silent, come and go. The game says the truth.
contract RotatingActors is RotatingWorld {
    uint256 public constant POOL = 10;
    uint256 private constant TASKS = 30;
    Terms[] private _tasks;
    mapping(address account => uint256) private _given;
    mapping(string what => uint256) public count;

    constructor() {
        setUp();
        for (uint256 i = 0; i < POOL; i++) join(i);
    }

    function isHonest(address account) private pure returns (bool) {
        for (uint256 i = 0; i < POOL; i += 2) if (candidate(i) == account) return true;
        return false;
    }

    function join(uint256 i) private {
        address account = candidate(i);
        uint256 needed = PRICE_OF_PLACE - committee.candidateOf(account).stake;
        uint256 balance = token.balanceOf(account);
        if (balance < needed) {
            token.mint(account, needed - balance);
            _given[account] += needed - balance;
        }
        vm.prank(account);
        token.approve(address(committee), type(uint256).max);
        vm.prank(account);
        committee.register();
        count["register"]++;
    }

    function post(uint256 seed) external {
        if (_tasks.length == TASKS) return;
        Terms memory terms = rotatingTerms(seed % 2 == 0 ? address(0) : address(fakeGame));
        terms.steps = uint32(100 + _tasks.length);
        heard(terms);
        _tasks.push(terms);
    }

    function pool(uint256 seed) external {
        uint256 i = (seed >> 8) % POOL;
        address account = candidate(i);
        uint40 readyAt = committee.candidateOf(account).readyAt;
        if (seed % 3 == 0) {
            if (committee.candidateOf(account).pay != 0) committee.payMember(account);
            return;
        }
        if (readyAt == 0 && committee.candidateOf(account).stake < PRICE_OF_PLACE) return join(i);
        if (readyAt == 0 && seed % 5 == 0) {
            vm.prank(account);
            committee.leavePool();
            count["leave"]++;
        } else if (readyAt != 0 && block.timestamp >= readyAt) {
            vm.prank(account);
            committee.withdraw(account);
            count["withdraw"]++;
        }
    }

    function wait(uint256 seed) external {
        nextBlock();
        vm.warp(block.timestamp + (seed % 7 == 0 ? 20 days : seed % 10 hours));
    }

    function move(uint256 seed) external {
        if (_tasks.length == 0) return;
        Terms memory terms = _tasks[(seed >> 16) % _tasks.length];
        TaskId task = manager.taskId(terms);
        Task memory t = manager.taskOf(task);
        nextBlock();
        if (t.state == State.Disputed && block.timestamp > t.deadline && t.phase == Phase.Judging)
            return manager.expire(terms);
        if (t.state == State.Disputed && t.phase == Phase.Judging) return judge(terms, task, seed);
        Hearing memory h = committee.hearingOf(task, 1);
        if (t.state == State.Disputed && t.phase == Phase.Ruled) return end(terms, task, h, seed);
        if (!h.ruled || h.settled) return;
        committee.settle(terms, 1);
        count["settle"]++;
    }

    function judge(Terms memory terms, TaskId task, uint256 seed) private {
        Hearing memory h = committee.hearingOf(task, 1);
        if (h.round == 0 || (h.until != 0 && block.timestamp > h.until)) {
            try committee.convene(terms) {
                count[h.round == 0 ? "convene" : "replace"]++;
            } catch {}
        } else if (h.until == 0) {
            bytes32 secret = link(0);
            for (uint256 i = 0; i < 4; i++) if (committee.openedOf(task) == link(i)) secret = link(i + 1);
            committee.draw(terms, secret);
            count["draw"]++;
            sortDrawn(terms);
            for (uint256 i = 0; i < MEMBERS; i++) if (isHonest(vm.addr(drawnKeys[i]))) attest(terms, 2, i);
        } else {
            speak(terms, task, seed);
        }
    }

    function speak(Terms memory terms, TaskId task, uint256 seed) private {
        sortDrawn(terms);
        uint256 truth = 0;
        for (uint256 i = 0; i < MEMBERS; i++) if (isHonest(vm.addr(drawnKeys[i]))) truth |= 1 << i;
        uint256 lie = 7 ^ truth;
        if (seed % 4 == 0) return;
        if (ones(truth) > 1) {
            submit(terms, 2, truth);
            count["truth"]++;
        } else if (seed % 2 == 0) {
            submit(terms, 1, lie);
            count["lie"]++;
        } else {
            for (uint256 i = 0; i < MEMBERS; i++)
                if ((lie >> i) & 1 == 1 && committee.memberOf(task, 1, vm.addr(drawnKeys[i])).vote == 0)
                    return attest(terms, 1, i);
        }
    }

    function end(Terms memory terms, TaskId task, Hearing memory h, uint256 seed) private {
        if (block.timestamp > manager.taskOf(task).deadline) {
            manager.enforce(terms, waiting(terms, h.losers == 1 ? 1 : 2));
            count["enforce"]++;
        } else if (h.losers == 1) {
            overrule(terms, 1, 0, 2);
            count["overrule"]++;
        } else if (seed % 2 == 0) {
            overrule(terms, 2, 1, 2);
            count["confirm"]++;
        }
    }

    function ones(uint256 bits) private pure returns (uint256 n) {
        for (; bits != 0; bits &= bits - 1) n++;
    }

    /// @return what the committee has and does not owe; reverts if it owes more than it has
    function surplus() external view returns (uint256) {
        return token.balanceOf(address(committee)) + credit(address(committee)) - committee.liabilities();
    }

    /// @return sum of all stakes and pay
    function owned() external view returns (uint256 sum) {
        for (uint256 i = 0; i < POOL; i++) {
            address account = candidate(i);
            sum += uint256(committee.candidateOf(account).stake) + committee.candidateOf(account).pay;
        }
    }

    function liabilities() external view returns (uint256) {
        return committee.liabilities();
    }

    /// @return whether no honest account has less than it was given
    function honestAreWhole() external view returns (bool) {
        for (uint256 i = 0; i < POOL; i += 2) {
            address account = candidate(i);
            uint256 wealth = token.balanceOf(account);
            wealth += uint256(committee.candidateOf(account).stake) + committee.candidateOf(account).pay;
            if (wealth < _given[account]) return false;
        }
        return true;
    }
}
