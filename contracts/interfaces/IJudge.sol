// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Witness} from "../game/Agreed.sol";
import {Context, Level} from "../game/GameTypes.sol";

/// @title The step at the bottom of a dispute (spec 7.5), executed once from agreed values
/// @notice A witness is read from front to back; what comes next follows from the dispute. Its path begins with the roots of side 0's segment,
/// step and op trees (no step tree in segment 0).
/// For the assembly of a state: the path goes on with the roots of the graph's trees of kernels and of outputs, the siblings of the disputed
/// output, and the root of its tensor; the data is the tensor's number (4 bytes). Then what `Agreed.checkTensors` needs.
/// For an element: the data holds what is read, in the order of the operator's arguments (of a gather: index, then source), a tensor's type and
/// a chunk's bytes where they are read first; then the accumulator before the disputed step of a fold (4 bytes), but for the first. The path goes on
/// with the siblings of the chunks, tensor by tensor in the same order; with what `Agreed.checkTensors` needs; with those of the accumulator.
interface IJudge {
    /// @notice Reverts unless the witness holds.
    /// @param level the last one that the dispute has passed
    /// @return what a right claim is: bits of an element or accumulator, or a root
    function judge(Level level, Context calldata context, Witness calldata witness) external view returns (bytes32);
}
