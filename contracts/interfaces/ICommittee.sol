// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {TaskId} from "../libraries/Ids.sol";
import {Terms} from "../libraries/Terms.sol";
import {ITaskManager} from "./ITaskManager.sol";

/// @notice What referees sign, together with the task's id.
/// @dev Claims are `RunRoot`s, passed as bytes32: solc encodes an array of a named type word by word, and an
/// array of bytes32 in one copy.
/// @param dispute its number within the task
/// @param claims all distinct claims that stand, each a run root
/// @param losers bit i: claims[i] is wrong
/// @param file hash of the verdict file
/// @param validUntil the last second at which the signatures count
struct Verdict {
    uint256 dispute;
    bytes32[] claims;
    uint256 losers;
    bytes32 file;
    uint64 validUntil;
}

/// @title A committee that decides disputes by the signatures of M of its N members
/// @notice Members sign, by EIP-712, `Verdict(bytes32 task,uint256 dispute,bytes32[] claims,uint256
/// losers,bytes32 file,uint64 validUntil)` for this contract on this chain. Members may be contracts
/// (ERC-1271). `StakeVault.claim(committee)` pays in what the committee earns, and `payMember` pays it to the
/// members. Who the members are, and how they share, is said by `IRefereeCommittee` and `IRotatingCommittee`.
interface ICommittee {
    /// @notice There are no members, or one is zero or repeated, or the threshold is not between 1 and their
    /// number.
    error BadCommittee();
    /// @notice The signatures were valid until `validUntil`.
    error VerdictExpired(uint256 validUntil);
    /// @notice There are `given` signatures: fewer than `threshold`, or not as many as signers.
    error WrongSignatureCount(uint256 given, uint256 threshold);
    /// @notice Signers must be members, in rising order of their addresses, none twice.
    error WrongSigner(address signer);
    /// @notice The signature is not the signer's over this verdict.
    error WrongSignature(address signer);
    /// @notice The member has already been paid its share.
    error NothingToPay();

    /// @notice Submits a verdict to the task manager. Anyone may.
    /// @param terms of the task
    /// @param verdict that the members have signed
    /// @param signers in rising order of their addresses
    /// @param signatures one for each signer, in the same order
    function submit(
        Terms calldata terms,
        Verdict calldata verdict,
        address[] calldata signers,
        bytes[] calldata signatures
    ) external;

    /// @notice Pays a member its share of what the committee has earned. Anyone may.
    /// @param member who is paid
    /// @return amount what was paid
    function payMember(address member) external returns (uint256 amount);

    /// @notice What members sign.
    /// @param task the task's id
    /// @param verdict to be signed
    /// @return digest by EIP-712
    function digestOf(TaskId task, Verdict calldata verdict) external view returns (bytes32 digest);

    /// @notice Whether an account may sign a verdict about a task now.
    /// @param task in dispute
    /// @param account to look up
    /// @return whether its signature counts
    function isMemberFor(TaskId task, address account) external view returns (bool);

    /// @notice The task manager to which verdicts are submitted. It never changes.
    /// @return its address
    function manager() external view returns (ITaskManager);

    /// @notice How many members have to sign a verdict. It never changes.
    /// @return a number from 1 to that of the members
    function threshold() external view returns (uint256);

    /// @notice The number of members that judge a dispute. It never changes.
    /// @return how many there are
    function members() external view returns (uint256);

    /// @notice The token in which the committee is paid.
    /// @return its address
    function token() external view returns (IERC20);

    /// @notice What has been paid to a member so far.
    /// @param member who was paid
    /// @return in units of the token
    function paid(address member) external view returns (uint256);
}
