// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {RefereeCommittee} from "../../contracts/RefereeCommittee.sol";
import {TaskManager} from "../../contracts/TaskManager.sol";
import {ICommittee, Verdict} from "../../contracts/interfaces/ICommittee.sol";
import {ITaskManager, Phase, State} from "../../contracts/interfaces/ITaskManager.sol";
import {TaskId} from "../../contracts/libraries/Ids.sol";
import {Terms} from "../../contracts/libraries/Terms.sol";
import {CallingToken} from "./Tokens.sol";
import {vm} from "./Vm.sol";
import {TestWorld} from "./World.sol";

/// @dev A member without a key, which agrees to one digest.
contract Signer1271 is IERC1271 {
    bytes32 public agreed;

    function agree(bytes32 digest) external {
        agreed = digest;
    }

    function isValidSignature(bytes32 digest, bytes calldata) external view returns (bytes4) {
        return digest == agreed ? IERC1271.isValidSignature.selector : bytes4(0);
    }
}

contract RefereeCommitteeTest is TestWorld {
    RefereeCommittee private committee;
    Signer1271 private contractMember;
    uint256[3] private keys;

    function setUp() public override {
        super.setUp();
        contractMember = new Signer1271();
        keys = [uint256(11), 22, 33];
        // In rising order of their addresses.
        for (uint256 i = 0; i < 2; i++)
            for (uint256 j = 0; j < 2 - i; j++)
                if (vm.addr(keys[j]) > vm.addr(keys[j + 1])) (keys[j], keys[j + 1]) = (keys[j + 1], keys[j]);
        address[] memory members = new address[](4);
        for (uint256 i = 0; i < 3; i++) members[i] = vm.addr(keys[i]);
        members[3] = address(contractMember);
        committee = new RefereeCommittee(manager, members, 2);
    }

    function judged() private returns (Terms memory terms, Verdict memory verdict) {
        terms = defaultTerms();
        terms.committee = address(committee);
        disputed(terms);
        verdict = Verdict({
            dispute: 1,
            claims: list(TRUTH, LIE),
            losers: 2,
            file: "file",
            validUntil: uint64(block.timestamp + 1 hours)
        });
    }

    function sign(uint256 key, bytes32 digest) private pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function signatures(bytes32 digest, uint256 a, uint256 b) private view returns (address[] memory, bytes[] memory) {
        address[] memory signers = new address[](2);
        bytes[] memory signed = new bytes[](2);
        (signers[0], signers[1]) = (vm.addr(keys[a]), vm.addr(keys[b]));
        (signed[0], signed[1]) = (sign(keys[a], digest), sign(keys[b], digest));
        return (signers, signed);
    }

    function test_TwoOfThreeDecide() public {
        (Terms memory terms, Verdict memory verdict) = judged();
        TaskId task = manager.taskId(terms);
        vm.warp(verdict.validUntil);
        (address[] memory signers, bytes[] memory signed) = signatures(committee.digestOf(task, verdict), 0, 2);
        vm.prank(ANYONE);
        committee.submit(terms, verdict, signers, signed);
        assertState(task, State.Challengeable);
        assert(lossOf(owner(1)) == STAKE && credit(address(committee)) == 100);
        // The same verdict a second time.
        vm.expectRevert(wrongState(State.Challengeable, Phase.None));
        committee.submit(terms, verdict, signers, signed);
    }

    function test_TheDigestIsEIP712() public {
        (Terms memory terms, Verdict memory v) = judged();
        TaskId task = manager.taskId(terms);
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Verde committee"),
                keccak256("1"),
                block.chainid,
                address(committee)
            )
        );
        bytes32 kind = keccak256(
            "Verdict(bytes32 task,uint256 dispute,bytes32[] claims,uint256 losers,bytes32 file,uint64 validUntil)"
        );
        bytes32 claims = keccak256(abi.encodePacked(TRUTH, LIE));
        bytes32 hash = keccak256(abi.encode(kind, task, v.dispute, claims, v.losers, v.file, v.validUntil));
        bytes32 digest = committee.digestOf(task, v);
        assert(digest == keccak256(abi.encodePacked(hex"1901", domain, hash)));
        vm.chainId(block.chainid + 1);
        assert(committee.digestOf(task, v) != digest);
    }

    function test_AVerdictExpires() public {
        (Terms memory terms, Verdict memory verdict) = judged();
        (address[] memory signers, bytes[] memory signed) = signatures(
            committee.digestOf(manager.taskId(terms), verdict),
            0,
            1
        );
        vm.warp(uint256(verdict.validUntil) + 1);
        vm.expectRevert(abi.encodeWithSelector(ICommittee.VerdictExpired.selector, verdict.validUntil));
        committee.submit(terms, verdict, signers, signed);
    }

    function refused(Terms memory t, Verdict memory v, address[] memory who, bytes[] memory what, bytes memory why) private {
        vm.expectRevert(why);
        committee.submit(t, v, who, what);
    }

    function test_SignersAreEnoughMembersInOrder() public {
        (Terms memory terms, Verdict memory verdict) = judged();
        bytes32 digest = committee.digestOf(manager.taskId(terms), verdict);
        (address[] memory signers, bytes[] memory signed) = signatures(digest, 0, 1);
        bytes4 wrong = ICommittee.WrongSigner.selector;
        bytes4 count = ICommittee.WrongSignatureCount.selector;
        refused(terms, verdict, signers, new bytes[](3), abi.encodeWithSelector(count, 3, 2));
        refused(terms, verdict, signers, new bytes[](1), abi.encodeWithSelector(count, 1, 2));
        refused(terms, verdict, new address[](1), new bytes[](1), abi.encodeWithSelector(count, 1, 2));
        (signers, signed) = signatures(digest, 1, 1);
        refused(terms, verdict, signers, signed, abi.encodeWithSelector(wrong, signers[1]));
        (signers, signed) = signatures(digest, 1, 0);
        refused(terms, verdict, signers, signed, abi.encodeWithSelector(wrong, signers[1]));
        (signers, signed) = signatures(digest, 0, 1);
        signers[0] = address(1);
        refused(terms, verdict, signers, signed, abi.encodeWithSelector(wrong, address(1)));
    }

    function test_SignaturesBindTheVerdict() public {
        (Terms memory terms, Verdict memory verdict) = judged();
        TaskId task = manager.taskId(terms);
        (address[] memory signers, bytes[] memory signed) = signatures(committee.digestOf(task, verdict), 0, 1);
        bytes memory why = abi.encodeWithSelector(ICommittee.WrongSignature.selector, signers[0]);
        verdict.losers = 1;
        refused(terms, verdict, signers, signed, why);
        (verdict.losers, verdict.file) = (2, "another");
        refused(terms, verdict, signers, signed, why);
        (verdict.file, verdict.dispute) = ("file", 2);
        refused(terms, verdict, signers, signed, why);
        (verdict.dispute, verdict.claims) = (1, list(LIE, TRUTH));
        refused(terms, verdict, signers, signed, why);
        verdict.claims = list(TRUTH, LIE);
        verdict.validUntil++;
        refused(terms, verdict, signers, signed, why);
        verdict.validUntil--;
        // Another task, another chain, and a signature that is cut off.
        terms.salt = "another task";
        refused(terms, verdict, signers, signed, why);
        terms.salt = "salt";
        uint256 here = block.chainid;
        vm.chainId(here + 1);
        refused(terms, verdict, signers, signed, why);
        vm.chainId(here);
        bytes memory second = signed[1];
        signed[1] = hex"00";
        refused(
            terms,
            verdict,
            signers,
            signed,
            abi.encodeWithSelector(ICommittee.WrongSignature.selector, signers[1])
        );
        signed[1] = second;
        committee.submit(terms, verdict, signers, signed);
        assertState(task, State.Challengeable);
    }

    function test_AnotherCommitteesVerdictIsRefused() public {
        (Terms memory terms, Verdict memory verdict) = judged();
        address[] memory members = new address[](2);
        (members[0], members[1]) = (vm.addr(keys[0]), vm.addr(keys[1]));
        RefereeCommittee twin = new RefereeCommittee(manager, members, 2);
        bytes32 digest = twin.digestOf(manager.taskId(terms), verdict);
        (address[] memory signers, bytes[] memory signed) = signatures(digest, 0, 1);
        bytes memory why = abi.encodeWithSelector(ICommittee.WrongSignature.selector, signers[0]);
        refused(terms, verdict, signers, signed, why);
        vm.expectRevert(abi.encodeWithSelector(ITaskManager.WrongCaller.selector, twin, committee));
        twin.submit(terms, verdict, signers, signed);
    }

    function test_AMemberMayBeAContract() public {
        (Terms memory terms, Verdict memory verdict) = judged();
        TaskId task = manager.taskId(terms);
        bytes32 digest = committee.digestOf(task, verdict);
        address[] memory signers = new address[](2);
        bytes[] memory signed = new bytes[](2);
        uint256 first = vm.addr(keys[0]) < address(contractMember) ? 0 : 1;
        (signers[first], signers[1 - first]) = (vm.addr(keys[0]), address(contractMember));
        signed[first] = sign(keys[0], digest);
        bytes memory why = abi.encodeWithSelector(ICommittee.WrongSignature.selector, contractMember);
        refused(terms, verdict, signers, signed, why);
        contractMember.agree(digest);
        committee.submit(terms, verdict, signers, signed);
        assertState(task, State.Challengeable);
    }

    function test_CommitteesAreWellFormed() public {
        bytes4 bad = ICommittee.BadCommittee.selector;
        address[] memory members = new address[](2);
        (members[0], members[1]) = (address(1), address(2));
        vm.expectRevert(bad);
        new RefereeCommittee(manager, members, 0);
        vm.expectRevert(bad);
        new RefereeCommittee(manager, members, 3);
        members[1] = address(1);
        vm.expectRevert(bad);
        new RefereeCommittee(manager, members, 1);
        members[1] = address(0);
        vm.expectRevert(bad);
        new RefereeCommittee(manager, members, 1);
        members[1] = address(2);
        RefereeCommittee fine = new RefereeCommittee(manager, members, 2);
        assert(fine.threshold() == 2 && fine.members() == 2 && fine.isMember(address(2)) && !fine.isMember(address(3)));
        TaskId none = TaskId.wrap(0);
        assert(fine.isMemberFor(none, address(2)) && !fine.isMemberFor(none, address(3)));
        assert(address(fine.manager()) == address(manager) && address(fine.token()) == address(token));
    }

    function test_MembersHaveEqualShares() public {
        address first = vm.addr(keys[0]);
        address second = vm.addr(keys[1]);
        token.mint(address(committee), 403);
        vm.expectRevert(abi.encodeWithSelector(ICommittee.WrongSigner.selector, ANYONE));
        committee.payMember(ANYONE);
        vm.prank(ANYONE);
        assert(committee.payMember(first) == 100);
        vm.expectRevert(ICommittee.NothingToPay.selector);
        committee.payMember(first);
        token.mint(address(committee), 41);
        assert(committee.payMember(first) == 11 && committee.payMember(second) == 111);
        assert(token.balanceOf(first) == 111 && token.balanceOf(second) == 111 && token.balanceOf(ANYONE) == 0);
        assert(committee.paid(first) == 111 && committee.paidToAll() == 222);
        assert(committee.payMember(vm.addr(keys[2])) == 111 && committee.payMember(address(contractMember)) == 111);
    }

    function test_PayIsClosedToATokenThatCallsBack() public {
        CallingToken calling = new CallingToken();
        address[] memory members = new address[](2);
        (members[0], members[1]) = (address(1), address(2));
        RefereeCommittee twin = new RefereeCommittee(new TaskManager(calling, UNBONDING), members, 1);
        calling.mint(address(twin), 100);
        calling.onTransfer(address(twin), abi.encodeCall(twin.payMember, (address(2))));
        assert(twin.payMember(address(1)) == 50);
        assert(!calling.succeeded() && calling.balanceOf(address(2)) == 0);
        bytes memory closed = abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
        assert(keccak256(calling.answer()) == keccak256(closed));
    }
}
