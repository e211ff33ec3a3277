// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {IRefereeCommittee, Verdict} from "./interfaces/IRefereeCommittee.sol";
import {ITaskManager, Resolution} from "./interfaces/ITaskManager.sol";
import {Terms, TermsLib} from "./libraries/Terms.sol";

/// @title The committee of `IRefereeCommittee`
contract RefereeCommittee is IRefereeCommittee, EIP712 {
    using TermsLib for Terms;

    bytes32 private constant VERDICT = keccak256(
        "Verdict(bytes32 task,uint256 dispute,bytes32[] claims,uint256 losers,bytes32 file,uint64 validUntil)"
    );

    /// @inheritdoc IRefereeCommittee
    ITaskManager public immutable manager;
    /// @inheritdoc IRefereeCommittee
    uint256 public immutable threshold;
    /// @inheritdoc IRefereeCommittee
    mapping(address account => bool) public isMember;

    /// @param members for good
    /// @param threshold_ signatures that make a verdict
    constructor(ITaskManager manager_, address[] memory members, uint256 threshold_) EIP712("Verde committee", "1") {
        require(threshold_ != 0 && threshold_ <= members.length, BadCommittee());
        for (uint256 i = 0; i < members.length; i++) {
            require(members[i] != address(0) && !isMember[members[i]], BadCommittee());
            isMember[members[i]] = true;
        }
        manager = manager_;
        threshold = threshold_;
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
                verdict: verdict.file,
                referees: signers
            })
        );
    }

    /// @inheritdoc IRefereeCommittee
    function digestOf(bytes32 task, Verdict calldata verdict) public view returns (bytes32 digest) {
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
            bool signed = SignatureChecker.isValidSignatureNow(signer, digest, signatures[i]);
            require(signed, WrongSignature(signer));
            last = signer;
        }
    }
}
