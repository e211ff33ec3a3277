// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Agreed, Tensors, Trees, Witness} from "./game/Agreed.sol";
import {Context, Level} from "./game/GameTypes.sol";
import {PlaceWord} from "./game/PlaceWord.sol";
import {SizeWord} from "./game/SizeWord.sol";
import {Tape} from "./game/Tape.sol";
import {IJudge} from "./interfaces/IJudge.sol";

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
        else revert Agreed.NotAgreed();
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
}
