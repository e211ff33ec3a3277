// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {TaskManager} from "../../contracts/TaskManager.sol";
import {IStakeVault} from "../../contracts/interfaces/IStakeVault.sol";
import {ITaskManager, Phase, Resolution, State, Task} from "../../contracts/interfaces/ITaskManager.sol";
import {JobId, LayoutRoot, RunRoot, TaskId} from "../../contracts/libraries/Ids.sol";
import {Periods, Terms} from "../../contracts/libraries/Terms.sol";
import {TestToken} from "../../contracts/local/TestToken.sol";
import {vm} from "./Vm.sol";

/// @dev A task manager with accounts around it, and the moves of a task. The committee and the game are plain
/// accounts.
abstract contract World {
    uint256 internal constant UNBONDING = 60 days;
    uint256 internal constant RICH = 1_000_000;
    uint80 internal constant STAKE = 1000;
    uint80 internal constant BOND = 500;
    uint80 internal constant REWARD = 90;
    uint80 internal constant PRICE = 7;
    RunRoot internal constant TRUTH = RunRoot.wrap("truth");
    RunRoot internal constant LIE = RunRoot.wrap("lie");
    RunRoot internal constant LIE_2 = RunRoot.wrap("another lie");
    address internal constant CLIENT = address(0xC11E);
    address internal constant COMMITTEE = address(0xC0);
    address internal constant GAME = address(0x6A);
    address internal constant ANYONE = address(0xA);

    TestToken internal token;
    TaskManager internal manager;
    IStakeVault internal vault;

    function build() internal {
        token = makeToken();
        manager = new TaskManager(token, UNBONDING);
        vault = manager.vault();
        fund(CLIENT);
        for (uint256 i = 0; i < 8; i++) fund(owner(i));
    }

    function makeToken() internal virtual returns (TestToken) {
        return new TestToken();
    }

    /// @dev Seats are taken in this order: providers, then challengers that reveal.
    function owner(uint256 seat) internal pure returns (address) {
        return address(uint160(0x1000 + seat));
    }

    function fund(address account) internal {
        token.mint(account, 2 * RICH);
        vm.prank(account);
        token.approve(address(vault), type(uint256).max);
        vm.prank(account);
        vault.deposit(RICH);
    }

    function defaultTerms() internal pure returns (Terms memory terms) {
        terms.client = CLIENT;
        terms.salt = "salt";
        terms.job = JobId.wrap("job");
        terms.stateLayout = LayoutRoot.wrap("layout");
        terms.steps = 5;
        terms.commitEvery = 2;
        terms.tensors = 3;
        terms.providers = 2;
        terms.maxDemands = 3;
        terms.reward = REWARD;
        terms.stake = STAKE;
        terms.bond = BOND;
        terms.chunkPrice = PRICE;
        terms.committee = COMMITTEE;
        terms.periods = Periods({
            toAccept: 1 days,
            toCommit: 2 days,
            toReveal: 3 hours,
            toChallenge: 1 days,
            toJudge: 2 days,
            toEscalate: 5 hours,
            toPlay: 3 days,
            toAnswer: 7 hours
        });
    }

    function withGame() internal pure returns (Terms memory terms) {
        terms = defaultTerms();
        terms.game = GAME;
    }

    function post(Terms memory terms) internal returns (TaskId task) {
        vm.prank(terms.client);
        return manager.post(terms);
    }

    function accept(TaskId task, uint256 seat) internal {
        vm.prank(owner(seat));
        assert(manager.accept(task) == seat);
    }

    function salt(uint256 seat) internal pure returns (bytes32) {
        return keccak256(abi.encode("salt", seat));
    }

    function commitment(TaskId task, uint256 seat, RunRoot root) internal view returns (bytes32) {
        return manager.commitmentOf(task, owner(seat), root, salt(seat));
    }

    function commit(TaskId task, uint256 seat, RunRoot root) internal {
        bytes32 hash = commitment(task, seat, root);
        vm.prank(owner(seat));
        manager.commit(task, seat, hash);
    }

    function reveal(TaskId task, uint256 seat, RunRoot root) internal {
        vm.prank(owner(seat));
        manager.reveal(task, seat, root, salt(seat));
    }

    /// @dev What a challenger commits to now. Challengers are numbered as accounts: seats come later.
    function challengeHash(TaskId task, uint256 account, RunRoot root) internal view returns (bytes32) {
        return manager.challengeOf(task, standing(task), owner(account), root, salt(account));
    }

    function challenge(Terms memory terms, uint256 account, RunRoot root) internal {
        TaskId task = manager.taskId(terms);
        bytes32 hash = challengeHash(task, account, root);
        RunRoot now_ = standing(task);
        vm.prank(owner(account));
        manager.challenge(terms, now_, hash);
    }

    function revealChallenge(Terms memory terms, uint256 account, RunRoot root) internal {
        vm.prank(ANYONE);
        manager.revealChallenge(terms, owner(account), root, salt(account));
    }

    /// @dev The window is over, and challenges may be revealed.
    function closeWindow(Terms memory terms) internal {
        pastDeadline(manager.taskId(terms));
        manager.expire(terms);
    }

    /// @dev One account challenges, and reveals its claim when the window is over.
    function challenged(Terms memory terms, uint256 account, RunRoot root) internal {
        challenge(terms, account, root);
        closeWindow(terms);
        revealChallenge(terms, account, root);
    }

    /// @dev The claim of the lowest seat that stands, or zero.
    function standing(TaskId task) internal view returns (RunRoot root) {
        Task memory t = manager.taskOf(task);
        for (uint256 seat = t.seats; seat > 0; seat--) {
            if (t.revealed & ~t.out & (1 << (seat - 1)) == 0) continue;
            (, bytes32 value) = manager.seatOf(task, seat - 1);
            root = RunRoot.wrap(value);
        }
    }

    function accepted(Terms memory terms) internal returns (TaskId task) {
        task = post(terms);
        for (uint256 seat = 0; seat < terms.providers; seat++) accept(task, seat);
    }

    function committed(Terms memory terms, bytes32[] memory roots) internal returns (TaskId task) {
        task = accepted(terms);
        for (uint256 seat = 0; seat < roots.length; seat++) commit(task, seat, RunRoot.wrap(roots[seat]));
    }

    /// @dev From nothing to the comparison of these claims, one for each provider.
    function claimed(Terms memory terms, bytes32[] memory roots) internal returns (TaskId task) {
        task = committed(terms, roots);
        for (uint256 seat = 0; seat < roots.length; seat++) reveal(task, seat, RunRoot.wrap(roots[seat]));
        manager.compare(task);
    }

    /// @dev A task in which both providers claim the truth.
    function agreed(Terms memory terms) internal returns (TaskId task) {
        return claimed(terms, list(TRUTH, TRUTH));
    }

    /// @dev A task in which seat 1 lies.
    function disputed(Terms memory terms) internal returns (TaskId task) {
        return claimed(terms, list(TRUTH, LIE));
    }

    function list(RunRoot a, RunRoot b) internal pure returns (bytes32[] memory roots) {
        roots = new bytes32[](2);
        (roots[0], roots[1]) = (RunRoot.unwrap(a), RunRoot.unwrap(b));
    }

    function list(RunRoot a, RunRoot b, RunRoot c) internal pure returns (bytes32[] memory roots) {
        roots = new bytes32[](3);
        (roots[0], roots[1], roots[2]) = (RunRoot.unwrap(a), RunRoot.unwrap(b), RunRoot.unwrap(c));
    }

    function ruling(uint256 dispute, bytes32[] memory claims, uint256 losers) internal pure returns (Resolution memory) {
        return Resolution({dispute: dispute, claims: claims, losers: losers, verdict: "verdict file"});
    }

    /// @dev The second claim of the list is wrong.
    function secondLies(TaskId task) internal view returns (Resolution memory) {
        return ruling(manager.taskOf(task).dispute, list(TRUTH, LIE), 2);
    }

    function resolve(Terms memory terms, Resolution memory resolution) internal {
        vm.prank(manager.taskOf(manager.taskId(terms)).phase == Phase.Playing ? terms.game : terms.committee);
        manager.resolve(terms, resolution);
    }

    /// @dev Moves the time to the last second of the current state.
    function toDeadline(TaskId task) internal {
        vm.warp(manager.taskOf(task).deadline);
    }

    function pastDeadline(TaskId task) internal {
        uint256 deadline = manager.taskOf(task).deadline;
        if (block.timestamp <= deadline) vm.warp(deadline + 1);
    }

    function assertState(TaskId task, State state) internal view {
        Task memory t = manager.taskOf(task);
        assert(t.state == state && t.phase == Phase.None);
    }

    function assertPhase(TaskId task, Phase phase) internal view {
        Task memory t = manager.taskOf(task);
        assert(t.state == State.Disputed && t.phase == phase);
    }

    function credit(address account) internal view returns (uint256) {
        return vault.accountOf(account).credit;
    }

    function stakeOf(address account) internal view returns (uint256) {
        IStakeVault.Account memory a = vault.accountOf(account);
        return uint256(a.active) + a.unbonding;
    }

    /// @dev Reverts unless nothing of the account is exposed any more. Returns how much stake it has lost.
    function lossOf(address account) internal view returns (uint256) {
        assert(vault.accountOf(account).exposed == 0);
        return RICH - stakeOf(account);
    }

    /// @dev The error of a call that needs another state of the task.
    function wrongState(State state, Phase phase) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(ITaskManager.WrongState.selector, state, phase);
    }

    /// @dev For an ended task: the vault owes nothing but stakes, credits and what is burned.
    function assertSettled() internal view {
        assert(vault.escrow() == 0);
        uint256 sum = vault.condemned() + stakeOf(CLIENT) + credit(CLIENT) + credit(COMMITTEE) + credit(GAME);
        for (uint256 i = 0; i < 8; i++) sum += stakeOf(owner(i)) + credit(owner(i));
        assert(token.balanceOf(address(vault)) == sum);
    }
}

/// @dev A test with a world of its own.
abstract contract TestWorld is World {
    function setUp() public virtual {
        build();
    }
}
