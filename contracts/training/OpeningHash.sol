// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {Level} from "../game/GameTypes.sol";
import {RunRoot} from "../libraries/Ids.sol";
import {Place, PlaceLib} from "./Place.sol";

/// @title What a party signs about a tree of its run (spec 7.3): "in this run, the tree at this place has
/// this root"
/// @notice The domain names no chain and no contract (EIP-712). So what was signed for a referee off the
/// chain counts here too. It can't be a committee's verdict or a salt: their domains name both, so the type
/// of the domain is another one.
/// @dev The counterpart of src/claims/opening.ts.
library OpeningHash {
    using PlaceLib for Place;

    bytes32 private constant DOMAIN_TYPE = keccak256("EIP712Domain(string name,string version)");
    bytes32 private constant DOMAIN = keccak256(abi.encode(DOMAIN_TYPE, keccak256("Verde opening"), keccak256("1")));
    bytes32 private constant OPENING = keccak256(
        "Opening(bytes32 run,uint8 tree,uint32 segment,uint32 step,uint32 kernel,uint32 element,bytes32 root)"
    );

    /// @param tree level of the tree
    /// @param place of the tree: indices of the levels above it, and zeros
    function digestOf(RunRoot run, Level tree, Place place, bytes32 root) internal pure returns (bytes32) {
        bytes32 hash = keccak256(
            abi.encode(OPENING, run, tree, place.segment(), place.step(), place.kernel(), place.element(), root)
        );
        return MessageHashUtils.toTypedDataHash(DOMAIN, hash);
    }
}
