// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title What the sides of a dispute put up for each other's gas
/// @notice The first move of each side posts the bond, in the chain's own currency; all other moves post
/// nothing. The winner gets all bonds: its own, and the other side's if that side has moved. If both sides
/// lose, nobody gets them: they stay in the contract.
/// Anyone who may move for a side may post its bond. The bond still goes to the owner of the winning claim.
/// So nobody gains the other side's bond by moving first, and an account that posts a bond for another one
/// gives it away.
/// @dev The question tells which sides have moved, so a bond takes no storage before a dispute ends.
interface IGasBonds {
    event Withdrawn(address indexed owner, address to, uint256 amount);

    /// @notice This move posts `value`, but has to post `wanted`.
    error WrongBond(uint256 value, uint256 wanted);
    /// @notice There is nothing to withdraw.
    error NoCredit(address owner);
    /// @notice The receiver does not accept the payment.
    error NotReceived(address to);

    /// @notice Withdraws all that the sender is credited.
    /// @param to the receiver
    function withdraw(address payable to) external returns (uint256 amount);

    /// @notice The bond that a first move posts, in wei.
    function gasBond() external view returns (uint256);

    /// @notice What an owner may withdraw, in wei.
    function creditOf(address owner) external view returns (uint256);
}
