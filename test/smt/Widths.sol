// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Clocks} from "../../contracts/game/Clocks.sol";
import {GameWord} from "../../contracts/game/GameWord.sol";
import {TensorType} from "../../contracts/libraries/TensorType.sol";

/// @title Unchecked arithmetic that stays within its words
contract WidthProofs {
    /// @dev The guaranteed times have 32 bits, and a dispute has two sides.
    function deadlines(GameWord word, uint32 response, uint32 recompute) external pure {
        require(word.turn() <= 1);
        uint256 deadline = Clocks.deadline(word, response, recompute);
        assert(deadline >= word.since() + (response < recompute ? response : recompute));
        assert(deadline >= word.since() + word.clockOf(word.turn()));
        assert(deadline < 2 ** 41);
    }

    /// @dev The chunks of a tensor are all of its elements, and no chunk is empty.
    function chunks(uint256 count) external pure {
        require(count <= TensorType.MAX_ELEMENTS);
        uint256 number = TensorType.chunksOf(count);
        assert(number * TensorType.CHUNK_ELEMENTS >= count);
        assert(number == 0 || (number - 1) * TensorType.CHUNK_ELEMENTS < count);
    }

    function lengths(uint256 count, uint256 index) external pure {
        require(count <= TensorType.MAX_ELEMENTS && index < TensorType.chunksOf(count));
        uint256 length = TensorType.chunkBytes(count, index);
        assert(length != 0 && length <= 256 && length % 4 == 0);
        assert(length == 256 || index == TensorType.chunksOf(count) - 1);
    }
}
