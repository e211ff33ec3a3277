// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Agreed, Tensors, Trees, Witness} from "./game/Agreed.sol";
import {Context, Level} from "./game/GameTypes.sol";
import {Levels} from "./game/Levels.sol";
import {Operands, OperandsLib} from "./game/Operands.sol";
import {PlaceWord} from "./game/PlaceWord.sol";
import {SizeWord} from "./game/SizeWord.sol";
import {Tape} from "./game/Tape.sol";
import {IJudge} from "./interfaces/IJudge.sol";
import {KernelPoint, Point, PointInput} from "./libraries/KernelPoint.sol";

/// @title The judge of `IJudge`
contract Judge is IJudge {
    using PlaceWord for uint256;
    using SizeWord for uint256;

    bytes1 private constant GRAPH_OUTPUT = 0x12;

    /// @inheritdoc IJudge
    function judge(
        Level level,
        Context calldata context,
        Witness calldata witness
    ) external view returns (bytes32 right) {
        Trees memory t = Agreed.open(context, witness);
        if (level == Level.State) right = _entry(t, context, witness);
        else right = bytes32(_element(t, context, witness));
        Tape.end(t.read, witness.data, witness.path);
    }

    /// @return root of the tensor that the graph names for the disputed entry of the new state
    function _entry(
        Trees memory t,
        Context calldata c,
        Witness calldata w
    ) private view returns (bytes32 root) {
        bytes32 kernels = Tape.next(t.read, w.path);
        bytes32 outputs = Tape.next(t.read, w.path);
        require(keccak256(abi.encode(kernels, outputs)) == c.graph, Agreed.NotAgreed());
        bytes calldata number = Tape.take(t.read, w.data, 4);
        bytes32 leaf = sha256(abi.encodePacked(GRAPH_OUTPUT, number));
        bytes32 reached = Tape.climbOne(t.read, w.path, c.sizes.outputs(), c.place.element(), leaf);
        require(reached == outputs, Agreed.NotAgreed());
        root = Tape.next(t.read, w.path);
        Tensors memory tensors = Tensors({numbers: new uint256[](1), roots: new bytes32[](1)});
        tensors.numbers[0] = uint32(bytes4(number));
        tensors.roots[0] = root;
        Agreed.checkTensors(t, c, w, tensors);
    }

    /// @return bits of the disputed element, or of the accumulator after the disputed fold index
    function _element(Trees memory t, Context calldata c, Witness calldata w) private view returns (uint256 bits) {
        require(Levels.leafOfKernel(w.kernel) == c.kernel, Agreed.NotAgreed());
        if (KernelPoint.isGather(w.kernel)) return _gathered(t, c, w);
        uint256 k = c.place.fold();
        Point memory p = KernelPoint.reads(w.kernel, c.place.element(), k);
        // A fold without steps gives its start.
        if (p.isFold && c.sizes.foldLength() == 0) return p.start;
        Operands memory o = OperandsLib.none(p.inputs.length);
        uint256[] memory operands = new uint256[](p.inputs.length);
        uint256 count = 0;
        for (uint256 i = 0; i < p.inputs.length; i++) {
            PointInput memory input = p.inputs[i];
            if (input.isRead) operands[count++] = OperandsLib.bitsOf(o, t, w, input.tensor, input.element);
        }
        bool shows = p.isFold && k > 0;
        uint256 accumulator = shows ? uint32(bytes4(Tape.take(t.read, w.data, 4))) : p.start;
        OperandsLib.prove(o, t, c, w);
        if (shows) Agreed.checkAccumulator(t, c, w, uint32(accumulator));
        return KernelPoint.step(w.kernel, p, accumulator, operands);
    }

    /// @dev spec 4.4
    /// @return bits of the element of the chosen row, or the fill value
    function _gathered(Trees memory t, Context calldata c, Witness calldata w) private view returns (uint256 bits) {
        (uint256 source, uint256 index, uint256 fill) = KernelPoint.gather(w.kernel);
        uint256 element = c.place.element();
        Operands memory o = OperandsLib.none(2);
        uint256 rank = OperandsLib.rankOf(o, t, w, index);
        uint256 chosen = OperandsLib.bitsOf(o, t, w, index, KernelPoint.gatherIndex(w.kernel, element, rank));
        uint256 rows = OperandsLib.rowsOf(o, t, w, source);
        (bool exists, uint256 from) = KernelPoint.gatherSource(w.kernel, element, chosen, rank, rows);
        if (exists) {
            bits = OperandsLib.bitsOf(o, t, w, source, from);
        } else {
            bits = fill;
            OperandsLib.showFirst(o, t, w, source);
        }
        OperandsLib.prove(o, t, c, w);
    }
}
