// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IRefereeCommittee, Verdict} from "./interfaces/IRefereeCommittee.sol";
import {ITaskManager, Resolution} from "./interfaces/ITaskManager.sol";
import {TaskId} from "./libraries/Ids.sol";
import {Signatures} from "./libraries/Signatures.sol";
import {Terms, TermsLib} from "./libraries/Terms.sol";

/// @title The committee of `IRefereeCommittee`
/// @notice Trusts a threshold of its members with every dispute of the tasks that name it, and nobody else.
/// It trusts them with no money but their own share.
contract RefereeCommittee is IRefereeCommittee, EIP712, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;
    using TermsLib for Terms;

    bytes32 private constant VERDICT = keccak256(
        "Verdict(bytes32 task,uint256 dispute,bytes32[] claims,uint256 losers,bytes32 file,uint64 validUntil)"
    );

    /// @inheritdoc IRefereeCommittee
    ITaskManager public immutable manager;
    /// @inheritdoc IRefereeCommittee
    uint256 public immutable threshold;
    /// @inheritdoc IRefereeCommittee
    uint256 public immutable members;
    /// @inheritdoc IRefereeCommittee
    IERC20 public immutable token;
    /// @inheritdoc IRefereeCommittee
    mapping(address account => bool) public isMember;
    /// @inheritdoc IRefereeCommittee
    mapping(address member => uint256) public paid;
    /// @inheritdoc IRefereeCommittee
    uint256 public paidToAll;

    /// @param members_ the members, which never change
    /// @param threshold_ signatures that a verdict needs
    constructor(ITaskManager manager_, address[] memory members_, uint256 threshold_) EIP712("Verde committee", "1") {
        require(threshold_ != 0 && threshold_ <= members_.length, BadCommittee());
        for (uint256 i = 0; i < members_.length; i++) {
            require(members_[i] != address(0) && !isMember[members_[i]], BadCommittee());
            isMember[members_[i]] = true;
        }
        manager = manager_;
        threshold = threshold_;
        members = members_.length;
        token = manager_.vault().token();
    }

    /// @inheritdoc IRefereeCommittee
    function submit(
        Terms calldata terms,
        Verdict calldata verdict,
        address[] calldata signers,
        bytes[] calldata signatures
    ) external {
        require(block.timestamp <= verdict.validUntil, VerdictExpired(verdict.validUntil));
        bool enough = signers.length >= threshold && signers.length == signatures.length;
        require(enough, WrongSignatureCount(signatures.length, threshold));
        _requireSigned(digestOf(terms.idAt(address(manager)), verdict), signers, signatures);
        manager.resolve(
            terms,
            Resolution({
                dispute: verdict.dispute,
                claims: verdict.claims,
                losers: verdict.losers,
                verdict: verdict.file
            })
        );
    }

    /// @inheritdoc IRefereeCommittee
    function payMember(address member) external nonReentrant returns (uint256 amount) {
        require(isMember[member], WrongSigner(member));
        // Every member has the same share of everything that the committee has ever received.
        amount = (token.balanceOf(address(this)) + paidToAll) / members - paid[member];
        require(amount != 0, NothingToPay());
        paid[member] += amount;
        paidToAll += amount;
        token.safeTransfer(member, amount);
    }

    /// @inheritdoc IRefereeCommittee
    function digestOf(TaskId task, Verdict calldata verdict) public view returns (bytes32 digest) {
        bytes32 claims = keccak256(abi.encodePacked(verdict.claims));
        bytes32 hash = keccak256(
            abi.encode(VERDICT, task, verdict.dispute, claims, verdict.losers, verdict.file, verdict.validUntil)
        );
        return _hashTypedDataV4(hash);
    }

    function _requireSigned(bytes32 digest, address[] calldata signers, bytes[] calldata signatures) private view {
        address last = address(0);
        for (uint256 i = 0; i < signers.length; i++) {
            address signer = signers[i];
            require(signer > last && isMember[signer], WrongSigner(signer));
            require(Signatures.isSignedCalldata(digest, signer, signatures[i]), WrongSignature(signer));
            last = signer;
        }
    }
}
