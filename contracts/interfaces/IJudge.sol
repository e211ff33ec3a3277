// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Witness} from "../game/Agreed.sol";
import {Context, Level} from "../game/GameTypes.sol";

/// @title The step at the bottom of a dispute (spec 7.5), executed once from agreed values
/// @notice A witness is read from front to back; what comes next follows from the dispute. Its path begins with the roots of side 0's segment,
/// step and op trees (no step tree in segment 0).
/// For the assembly of a state: the path goes on with the roots of the graph's trees of kernels and of outputs, the siblings of the disputed
/// output, and the root of its tensor; the data is the tensor's number (4 bytes). Then what `Agreed.checkTensors` needs.
interface IJudge {
    /// @notice Reverts unless the witness holds.
    /// @param level the last one that the dispute has passed
    /// @return what a right claim is: bits of an element or accumulator, or a root
    function judge(Level level, Context calldata context, Witness calldata witness) external view returns (bytes32);
}
