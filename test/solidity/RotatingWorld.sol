// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {RotatingCommittee} from "../../contracts/RotatingCommittee.sol";
import {Verdict} from "../../contracts/interfaces/ICommittee.sol";
import {Bracket, BracketId, IDisputeGame} from "../../contracts/interfaces/IDisputeGame.sol";
import {Phase, Resolution} from "../../contracts/interfaces/ITaskManager.sol";
import {DrawSecrets} from "../../contracts/libraries/DrawSecrets.sol";
import {TaskId} from "../../contracts/libraries/Ids.sol";
import {Terms} from "../../contracts/libraries/Terms.sol";
import {vm} from "./Vm.sol";
import {TestWorld} from "./World.sol";

/// @dev A game that decides what the test wants. Its brackets are as in `DisputeGame`.
contract FakeGame {
    mapping(BracketId bracket => Bracket) private _brackets;

    function prepay(TaskId, address) external payable {}

    function longestGame(uint256, uint256) external pure returns (uint256) {
        return 1 days;
    }

    function set(TaskId task, uint256 dispute, uint8 players, bool closed) external {
        Bracket storage b = _brackets[BracketId.wrap(keccak256(abi.encode(task, dispute)))];
        (b.players, b.closed) = (players, closed);
    }

    function bracketOf(BracketId bracket) external view returns (Bracket memory) {
        return _brackets[bracket];
    }
}

/// @dev A committee of three that is drawn from a pool, two of which make a verdict.
abstract contract RotatingWorld is TestWorld {
    uint256 internal constant PRICE_OF_PLACE = 10_000;
    uint256 internal constant MEMBERS = 3;
    bytes32 internal constant LAST = "last link";
    FakeGame internal fakeGame;
    RotatingCommittee internal committee;
    /// @dev The keys of those that were drawn last, in rising order of their addresses.
    uint256[] internal drawnKeys;

    function setUp() public virtual override {
        super.setUp();
        fakeGame = new FakeGame();
        committee = new RotatingCommittee(manager, IDisputeGame(address(fakeGame)), PRICE_OF_PLACE, MEMBERS, 2);
    }

    function key(uint256 i) internal pure returns (uint256) {
        return 1000 + i;
    }

    function candidate(uint256 i) internal pure returns (address) {
        return vm.addr(key(i));
    }

    function register(uint256 i) internal {
        address account = candidate(i);
        token.mint(account, PRICE_OF_PLACE);
        vm.prank(account);
        token.approve(address(committee), type(uint256).max);
        vm.prank(account);
        committee.register();
    }

    function registerMany(uint256 from, uint256 to) internal {
        for (uint256 i = from; i < to; i++) register(i);
    }

    /// @dev The link that a round opens, from 0.
    function link(uint256 index) internal pure returns (bytes32 secret) {
        secret = LAST;
        for (uint256 i = index; i < 5; i++) secret = DrawSecrets.linkOf(secret);
    }

    function rotatingTerms(address game) internal view returns (Terms memory terms) {
        terms = defaultTerms();
        terms.committee = address(committee);
        terms.game = game;
        terms.salt = committee.saltOf(committee.linkOf(link(0)));
    }

    function nextBlock() internal {
        vm.roll(block.number + 1);
    }

    /// @dev Convenes and draws with the link of a round, from 0.
    function drawRound(Terms memory terms, uint256 index) internal {
        committee.convene(terms);
        nextBlock();
        committee.draw(terms, link(index));
        sortDrawn(terms);
    }

    function drawn(Terms memory terms) internal view returns (address[] memory) {
        TaskId task = manager.taskId(terms);
        uint256 dispute = manager.taskOf(task).dispute;
        return committee.drawnOf(task, dispute, committee.hearingOf(task, dispute).round);
    }

    /// @dev Candidates have the numbers below 64.
    function sortDrawn(Terms memory terms) internal {
        delete drawnKeys;
        address[] memory accounts = drawn(terms);
        for (uint256 i = 0; i < accounts.length; i++) {
            uint256 number = 0;
            while (candidate(number) != accounts[i]) number++;
            drawnKeys.push(key(number));
        }
        for (uint256 i = 0; i < drawnKeys.length; i++)
            for (uint256 j = 0; j + 1 < drawnKeys.length - i; j++)
                if (vm.addr(drawnKeys[j]) > vm.addr(drawnKeys[j + 1]))
                    (drawnKeys[j], drawnKeys[j + 1]) = (drawnKeys[j + 1], drawnKeys[j]);
    }

    /// @dev A task in dispute, before the first draw.
    function heard(Terms memory terms) internal returns (TaskId task) {
        task = disputed(terms);
    }

    /// @param losers bit 0: the truth loses, bit 1: the lie loses
    function verdictOf(Terms memory terms, uint256 losers) internal view returns (Verdict memory) {
        TaskId task = manager.taskId(terms);
        return
            Verdict({
                dispute: manager.taskOf(task).dispute,
                claims: list(TRUTH, LIE),
                losers: losers,
                file: "file",
                validUntil: uint64(block.timestamp + 10 days)
            });
    }

    function sign(uint256 by, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(by, digest);
        return abi.encodePacked(r, s, v);
    }

    /// @dev Signatures of the drawn members whose bit is set.
    function signatures(
        Terms memory terms,
        Verdict memory v,
        uint256 mask
    ) internal view returns (address[] memory signers, bytes[] memory signed) {
        uint256 count = 0;
        for (uint256 i = 0; i < drawnKeys.length; i++) count += (mask >> i) & 1;
        (signers, signed) = (new address[](count), new bytes[](count));
        bytes32 digest = committee.digestOf(manager.taskId(terms), v);
        count = 0;
        for (uint256 i = 0; i < drawnKeys.length; i++) {
            if ((mask >> i) & 1 == 0) continue;
            (signers[count], signed[count]) = (vm.addr(drawnKeys[i]), sign(drawnKeys[i], digest));
            count++;
        }
    }

    function submit(Terms memory terms, uint256 losers, uint256 mask) internal {
        Verdict memory v = verdictOf(terms, losers);
        (address[] memory signers, bytes[] memory signed) = signatures(terms, v, mask);
        committee.submit(terms, v, signers, signed);
    }

    /// @dev The member with this number shows its signature.
    function attest(Terms memory terms, uint256 losers, uint256 number) internal {
        Verdict memory v = verdictOf(terms, losers);
        bytes memory signed = sign(drawnKeys[number], committee.digestOf(manager.taskId(terms), v));
        committee.attest(terms, v, vm.addr(drawnKeys[number]), signed);
    }

    function stake(uint256 by) internal view returns (uint256) {
        return committee.candidateOf(vm.addr(by)).stake;
    }

    function pay(uint256 by) internal view returns (uint256) {
        return committee.candidateOf(vm.addr(by)).pay;
    }

    /// @dev The end of the time of the current round.
    function pastRound(Terms memory terms) internal {
        TaskId task = manager.taskId(terms);
        vm.warp(uint256(committee.hearingOf(task, manager.taskOf(task).dispute).until) + 1);
    }

    /// @dev The ruling that waits for an escalation.
    function waiting(Terms memory terms, uint256 losers) internal view returns (Resolution memory r) {
        r = ruling(manager.taskOf(manager.taskId(terms)).dispute, list(TRUTH, LIE), losers);
        r.verdict = "file";
    }

    function escalate(Terms memory terms, uint256 ruled, uint256 seat) internal {
        Resolution memory r = waiting(terms, ruled);
        vm.prank(owner(seat));
        manager.escalate(terms, r, seat);
    }

    /// @dev A loser of the ruling takes it to the game, which says who loses.
    function overrule(Terms memory terms, uint256 ruled, uint256 seat, uint256 losers) internal {
        TaskId task = manager.taskId(terms);
        escalate(terms, ruled, seat);
        assertPhase(task, Phase.Playing);
        fakeGame.set(task, 1, 2, true);
        vm.prank(address(fakeGame));
        manager.resolve(terms, ruling(1, list(TRUTH, LIE), losers));
    }

    /// @dev What the contract has is at least what it owes.
    function assertCovered() internal view {
        assert(token.balanceOf(address(committee)) + credit(address(committee)) >= committee.liabilities());
    }
}
