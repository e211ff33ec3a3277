// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Float32} from "./Float32.sol";
import {leadingZeros} from "./LeadingZeros.sol";

/// @title What a contract computes before it is deployed, so that a chain that computes otherwise refuses it
/// @notice Without it, a chain that lacks an instruction would take the contract and every move of a dispute,
/// and fail at the last one. The answers are TypeScript's (test/contracts/self-test.test.ts).
library SelfTest {
    uint256 private constant ROUNDS = 24;
    /// @dev A float with the last bits and the sign of a word: in [0.5, 2), so that sums cancel and round.
    uint256 private constant KEPT = 0x80ffffff;
    uint256 private constant HALF = 0x3f000000;
    bytes32 private constant WORDS = 0x2f0a5cdfdf9c8c92e5d8dc4c4de15251a7872c15b4c660df4febafbaf1ed75c7;
    bytes32 private constant FLOATS = 0x2b096c6219e85cefa3698fd9693018d2fb79d855555160d17e2848838d0e4c2d;

    /// @notice This chain's instructions or its SHA-256 give other results. Deploy the build that
    /// `verde chain deploy` chooses.
    error OtherMachine(bytes32 found);

    /// @notice Reverts unless the highest bits of words and SHA-256 are right.
    function checkWords() internal pure {
        bytes32 found = _words();
        require(found == WORDS, OtherMachine(found));
    }

    /// @notice Reverts unless the arithmetic of floats is right.
    function checkFloats() internal pure {
        bytes32 found = _floats();
        require(found == FLOATS, OtherMachine(found));
    }

    /// @dev A chain of hashes: nothing in it is known when the contract is compiled.
    function _words() private pure returns (bytes32 chain) {
        unchecked {
            for (uint256 i = 0; i < ROUNDS; i++) {
                uint256 word = uint256(chain) >> (11 * i);
                chain = sha256(abi.encodePacked(chain, leadingZeros(word), leadingZeros(1 << (11 * i))));
            }
        }
    }

    /// @dev Any pattern is an operand: most of them are in the common range, the third is not.
    function _floats() private pure returns (bytes32 chain) {
        unchecked {
            for (uint256 i = 0; i < ROUNDS; i++) {
                uint256 word = uint256(chain);
                uint256 a = ((word & KEPT) | HALF);
                uint256 b = (((word >> 32) & KEPT) | HALF);
                uint256 c = uint32(word >> 64);
                bytes memory linear = abi.encodePacked(Float32.add(a, b), Float32.sub(a, b), Float32.mul(b, c));
                bytes memory others = abi.encodePacked(Float32.div(c, a), Float32.sqrt(b), Float32.fromUint(c));
                chain = sha256(abi.encodePacked(chain, linear, others));
            }
        }
    }
}
