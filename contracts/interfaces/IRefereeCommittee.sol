// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ICommittee, Verdict} from "./ICommittee.sol";

/// @title A committee whose members never change
/// @notice All members have equal shares of everything that the committee earns, whoever has signed.
interface IRefereeCommittee is ICommittee {
    /// @notice What has been paid to all members so far.
    /// @return in units of the token
    function paidToAll() external view returns (uint256);

    /// @notice Whether an account is one of the members, who never change.
    /// @param account to look up
    /// @return whether it is a member
    function isMember(address account) external view returns (bool);
}
