// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Context} from "./GameTypes.sol";
import {GameWord} from "./GameWord.sol";

/// @title keccak256(abi.encode(x)) for what every move shows: the state and its context
/// @dev Both types are static, so calldata holds them encoded already. Decoding and encoding them again would
/// cost more than the rest of a move.
library StateHash {
    /// @return hash keccak256(abi.encode(GameState))
    function ofState(
        GameWord word,
        bytes32 context,
        bytes32 shown,
        bytes32 node
    ) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let from := mload(0x40)
            mstore(from, word)
            mstore(add(from, 0x20), context)
            mstore(add(from, 0x40), shown)
            mstore(add(from, 0x60), node)
            hash := keccak256(from, 0x80)
        }
    }

    function ofShown(Context calldata context) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let from := mload(0x40)
            calldatacopy(from, context, 0x180)
            hash := keccak256(from, 0x180)
        }
    }

    /// @dev In memory the two owners and the two claims are stored elsewhere, at addresses that the struct
    /// holds.
    function ofMemory(Context memory context) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let from := mload(0x40)
            mstore(from, mload(context))
            mcopy(add(from, 0x20), mload(add(context, 0x20)), 0x40)
            mcopy(add(from, 0x60), add(context, 0x40), 0xc0)
            mcopy(add(from, 0x120), mload(add(context, 0x100)), 0x40)
            mstore(add(from, 0x160), mload(add(context, 0x120)))
            hash := keccak256(from, 0x180)
        }
    }

    /// @dev Use it only for a context whose hash has been checked: then its addresses are known to be clean.
    function load(Context calldata shown) internal pure returns (Context memory context) {
        assembly ("memory-safe") {
            let owners := mload(add(context, 0x20))
            let claims := mload(add(context, 0x100))
            calldatacopy(owners, add(shown, 0x20), 0x40)
            calldatacopy(claims, add(shown, 0x120), 0x40)
            calldatacopy(add(context, 0x40), add(shown, 0x60), 0xc0)
            mstore(context, calldataload(shown))
            mstore(add(context, 0x120), calldataload(add(shown, 0x160)))
        }
    }
}
