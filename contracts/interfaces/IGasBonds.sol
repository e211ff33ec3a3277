// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title What the sides of a dispute put up for each other's gas
/// @notice The first move of each side brings the bond, in the chain's own currency; all other moves bring nothing. Who wins has what was
/// brought: its own, and the other side's where that has moved. Where both lose, nobody has it: what is brought then stays in the contract.
/// Anyone who may move for a side may bring its bond. It goes to the owner of the winning claim all the same, so that nobody can move first
/// for the sake of the other side's bond, and whoever brings one for somebody else has made a present.
/// @dev Which sides have moved follows from the question, so a bond takes no storage before a dispute ends.
interface IGasBonds {
    event Withdrawn(address indexed owner, address to, uint256 amount);

    /// @notice This move brings `value`, and it has to bring `wanted`.
    error WrongBond(uint256 value, uint256 wanted);
    /// @notice There is nothing to withdraw.
    error NoCredit(address owner);
    /// @notice The receiver does not take it.
    error NotReceived(address to);

    /// @notice Withdraws all that the sender is credited.
    /// @param to who gets it
    function withdraw(address payable to) external returns (uint256 amount);

    /// @notice What a first move brings, in wei.
    function gasBond() external view returns (uint256);

    /// @notice What an owner may withdraw, in wei.
    function creditOf(address owner) external view returns (uint256);
}
