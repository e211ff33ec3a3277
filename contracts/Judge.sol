// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";
import {Claim, Context, Level, Place, Sizes} from "./game/GameTypes.sol";
import {IJudge} from "./interfaces/IJudge.sol";
import {Gather, KernelPoint, Point, PointInput} from "./libraries/KernelPoint.sol";
import {SelfTest} from "./libraries/SelfTest.sol";
import {TaggedHash} from "./libraries/TaggedHash.sol";
import * as Tags from "./libraries/Tags.sol";
import {Agreed, Trees} from "./training/Agreed.sol";
import {KernelHead} from "./training/KernelHead.sol";
import {Leaves, LeavesLib} from "./training/Leaves.sol";
import {OperandsLib, Shown} from "./training/Operands.sol";
import {PlaceLib} from "./training/Place.sol";
import {SizesLib} from "./training/Sizes.sol";
import {Read, Tape} from "./training/Tape.sol";
import {TrainingHash} from "./training/TrainingHash.sol";
import {STATE} from "./training/TrainingTypes.sol";

/// @title The judge of `IJudge`
/// @notice Trusts the EVM, SHA-256 and keccak256, and the hashes in the context, which the game has checked.
/// It trusts nobody's witness: what is not proven is refused. It has no owner and no storage, so any game may
/// use it. A build for another chain's instructions refuses to be deployed.
contract Judge is IJudge {
    using LeavesLib for Leaves;
    using OperandsLib for Shown;
    using PlaceLib for Place;
    using SizesLib for Sizes;

    /// @dev A chain that computes otherwise refuses the deployment.
    constructor() {
        SelfTest.checkWords();
        SelfTest.checkFloats();
    }

    /// @inheritdoc IJudge
    function judge(
        Level level,
        Context calldata context,
        bytes calldata witness
    ) external view returns (Claim right) {
        Trees memory t = Agreed.open(context, witness);
        if (level == STATE) right = Claim.wrap(_entry(t, context));
        else right = Claim.wrap(bytes32(_element(t, context)));
        Tape.end(t.read);
    }

    /// @return root of the tensor that the graph names for the disputed entry of the new state
    function _entry(Trees memory t, Context calldata c) private view returns (bytes32 root) {
        bytes32 kernels = Tape.next(t.read);
        bytes32 outputs = Tape.next(t.read);
        require(Hashes.efficientKeccak256(kernels, outputs) == c.graph, NotAgreed());
        uint256 from = Tape.take(t.read, 4);
        bytes32 leaf = TaggedHash.ofCalldata(Tags.GRAPH_OUTPUT, from, 4);
        require(Tape.climbOne(t.read, c.sizes.outputs(), c.place.element(), leaf) == outputs, NotAgreed());
        root = Tape.next(t.read);
        Leaves memory tensors = LeavesLib.none(1);
        tensors.add(Tape.wordAt(from), root, 0);
        Agreed.checkTensors(t, c, tensors);
    }

    /// @return bits of the disputed element, or of the accumulator after the disputed fold index
    function _element(Trees memory t, Context calldata c) private view returns (uint256 bits) {
        Read memory read = t.read;
        bytes calldata kernel = Tape.blob(read);
        require(TrainingHash.ofKernel(kernel) == c.kernel, NotAgreed());
        if (KernelPoint.isGather(kernel)) return _gathered(t, c, kernel);
        uint256 k = c.place.fold();
        Point[] memory steps = _steps(kernel, c, k);
        // The result of a fold without steps is its start.
        if (steps.length == 0) return KernelPoint.start(kernel);
        OperandsLib.read(t, c, _inputsOf(steps));
        bits = steps[0].start;
        if (k > 0) {
            bits = Tape.number(read);
            Agreed.checkAccumulator(t, c, bits);
        }
        for (uint256 i = 0; i < steps.length; i++) bits = KernelPoint.step(kernel, steps[i], bits);
    }

    /// @return steps the disputed step, or all steps of a short fold
    function _steps(bytes calldata kernel, Context calldata c, uint256 k) private pure returns (Point[] memory steps) {
        bool isWhole = KernelPoint.isFold(kernel) && c.sizes.foldLeaves() == 0;
        steps = new Point[](isWhole ? KernelHead.foldLength(kernel) : 1);
        for (uint256 i = 0; i < steps.length; i++) steps[i] = KernelPoint.reads(kernel, c.place.element(), k + i);
    }

    /// @return inputs of all steps, one after the other
    function _inputsOf(Point[] memory steps) private pure returns (PointInput[] memory inputs) {
        if (steps.length == 1) return steps[0].inputs;
        uint256 count = steps[0].inputs.length;
        inputs = new PointInput[](steps.length * count);
        for (uint256 i = 0; i < inputs.length; i++) inputs[i] = steps[i / count].inputs[i % count];
    }

    /// @dev Spec 4.4.
    /// @return bits of the element of the chosen row, or the fill value
    function _gathered(Trees memory t, Context calldata c, bytes calldata kernel) private view returns (uint256 bits) {
        Gather memory g = KernelPoint.gather(kernel);
        Leaves memory tensors = LeavesLib.none(2);
        Shown memory s;
        s.chunks = LeavesLib.none(2);
        s.show(t.read);
        uint256 element = c.place.element();
        uint256 rank = s.rank;
        uint256 chosen = s.bitsOf(t.read, KernelPoint.gatherIndex(kernel, element, rank));
        if (g.source != g.index) {
            tensors.add(g.index, s.rootOf(t.read), 0);
            s.show(t.read);
        }
        (bool exists, uint256 from) = KernelPoint.gatherSource(kernel, element, chosen, rank, s.rowsOf());
        if (!exists) s.showFirst(t.read);
        bits = exists ? s.bitsOf(t.read, from) : g.fill;
        tensors.add(g.source, s.rootOf(t.read), 0);
        Agreed.checkTensors(t, c, tensors);
    }
}
