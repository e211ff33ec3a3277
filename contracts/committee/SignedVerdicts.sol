// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {ICommittee, Verdict} from "../interfaces/ICommittee.sol";
import {TaskId} from "../libraries/Ids.sol";

/// @title What the members of every kind of committee sign
abstract contract SignedVerdicts is ICommittee, EIP712 {
    bytes32 private constant VERDICT = keccak256(
        "Verdict(bytes32 task,uint256 dispute,bytes32[] claims,uint256 losers,bytes32 file,uint64 validUntil)"
    );

    constructor() EIP712("Verde committee", "1") {}

    /// @inheritdoc ICommittee
    function digestOf(TaskId task, Verdict calldata verdict) public view returns (bytes32 digest) {
        bytes32 claims = keccak256(abi.encodePacked(verdict.claims));
        bytes32 hash = keccak256(
            abi.encode(VERDICT, task, verdict.dispute, claims, verdict.losers, verdict.file, verdict.validUntil)
        );
        return _hashTypedDataV4(hash);
    }

    /// @dev Signatures that have expired would count for ever otherwise.
    function _requireValid(Verdict calldata verdict) internal view {
        require(block.timestamp <= verdict.validUntil, VerdictExpired(verdict.validUntil));
    }
}
