// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {TaskId} from "../libraries/Ids.sol";
import {Terms} from "../libraries/Terms.sol";
import {ITaskManager} from "./ITaskManager.sol";

/// @notice What referees sign, together with the task's id.
/// @dev Claims are `RunRoot`s; solc encodes an array of a named type word by word, and one of bytes32 in one copy.
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
/// @notice Members sign, by EIP-712, `Verdict(bytes32 task,uint256 dispute,bytes32[] claims,uint256 losers,bytes32 file,uint64
/// validUntil)` for this contract on this chain. Members may be contracts (ERC-1271). All members have equal shares of what the
/// committee earns: it comes in by `StakeVault.claim(committee)` and goes out by `payMember`.
interface IRefereeCommittee {
    /// @notice Members are none, zero or repeated, or the threshold is not between 1 and their number.
    error BadCommittee();
    /// @notice The signatures count until `validUntil`.
    error VerdictExpired(uint256 validUntil);
    /// @notice There are `given` signatures, or as many signers as signatures are not given.
    error WrongSignatureCount(uint256 given, uint256 threshold);
    /// @notice Signers must be members, in rising order of their addresses, none twice.
    error WrongSigner(address signer);
    /// @notice The signature is not the signer's over this verdict.
    error WrongSignature(address signer);
    /// @notice The member has had its share.
    error NothingToPay();

    /// @notice Carries a verdict to the task manager. Anyone may.
    /// @param signers in rising order of their addresses
    function submit(
        Terms calldata terms,
        Verdict calldata verdict,
        address[] calldata signers,
        bytes[] calldata signatures
    ) external;

    /// @notice Pays a member its share of what has come in. Anyone may.
    /// @return amount what was paid
    function payMember(address member) external returns (uint256 amount);

    /// @return digest what members sign
    function digestOf(TaskId task, Verdict calldata verdict) external view returns (bytes32 digest);

    function manager() external view returns (ITaskManager);

    function threshold() external view returns (uint256);

    /// @notice How many there are.
    function members() external view returns (uint256);

    /// @notice What the committee is paid in.
    function token() external view returns (IERC20);

    /// @notice What a member has been paid so far.
    function paid(address member) external view returns (uint256);

    /// @notice What all members have been paid so far.
    function paidToAll() external view returns (uint256);

    function isMember(address account) external view returns (bool);
}
