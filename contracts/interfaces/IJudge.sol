// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Claim, Context, Level} from "../game/GameTypes.sol";

/// @title The step at the bottom of a dispute (spec 7.5), executed once from agreed values
/// @notice A witness is read from front to back; the dispute decides what comes next. Nothing is aligned: a
/// hash has 32 bytes. A witness begins with keccak256 of both run roots, and the roots of side 0's segment,
/// step and operator trees (no step tree in segment 0).
/// For a state update, these follow: the roots of the graph's trees of kernels and of outputs; the number of
/// the tensor that is the disputed output (4 bytes), its siblings, and the root of that tensor; then what
/// `Agreed.checkTensors` needs.
/// For an element, these follow: the kernel's length (4 bytes) and encoding; then, tensor by tensor, what is
/// read, in the order of the operator's arguments (for a gather: index, then source). For each tensor: its
/// type, the chunks of the elements that are read, in that order, then the chunks' siblings. Then what
/// `Agreed.checkTensors` needs. Then, except for the first step of a fold, the accumulator before the
/// disputed one (4 bytes) and its siblings.
/// The siblings of several leaves of one tree are the ones that do not follow from the leaves, in the order
/// in which `Tape.climb` needs them.
interface IJudge {
    /// @notice The witness does not lead to what both sides agree on.
    error NotAgreed();
    /// @notice The witness ends before the proof does.
    error WitnessTooShort();
    /// @notice The witness holds more than the proof needs.
    error WitnessTooLong();
    /// @notice An element lies outside its tensor. A graph that is not refused has no such step, since views
    /// and gathers are checked against the types of what they read (src/repops/kernels/kernel.ts), and those
    /// types are proven. So the witness shows a wrong type.
    error NoSuchElement(uint256 element);

    /// @notice Reverts unless the witness is valid.
    /// @param level the last level that the dispute has passed
    /// @return the correct claim: bits of an element or accumulator, or a root
    function judge(Level level, Context calldata context, bytes calldata witness) external view returns (Claim);
}
