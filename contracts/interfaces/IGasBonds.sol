// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title What a player puts up for the gas of the others
/// @notice A player posts one bond for its whole bracket, in the chain's own currency, however many opponents
/// it has. A party that brings a dispute before the game posts it with that call: a challenger with
/// `challenge`, a loser of a ruling with `escalate`. Everybody else posts it with its first move.
/// A player that stands at the end gets its bond back. Half of the bonds of those who lost goes to the
/// players that stand and have posted, in equal parts; if none of them has, to all that stand. The other half
/// stays in the contract for ever, so a party that plays against itself loses.
/// Anyone who may move for a player may post its bond. It belongs to the player all the same. So nobody gains
/// by moving first for another one.
interface IGasBonds {
    event Withdrawn(address indexed owner, address to, uint256 amount);

    /// @notice This call sends `value`, but has to send `wanted`.
    error WrongBond(uint256 value, uint256 wanted);
    /// @notice There is nothing to withdraw.
    error NoCredit(address owner);
    /// @notice The receiver does not accept the payment.
    error NotReceived(address to);

    /// @notice Withdraws all that the sender is credited.
    /// @param to the receiver
    function withdraw(address payable to) external returns (uint256 amount);

    /// @notice The bond of a player, in wei.
    function gasBond() external view returns (uint256);

    /// @notice What an owner may withdraw, in wei.
    function creditOf(address owner) external view returns (uint256);
}
