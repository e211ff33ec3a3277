// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Hashes of earlier blocks
library BlockHashes {
    /// @dev Keeps the hashes of the last 8191 blocks, where the chain has it (EIP-2935).
    address private constant HISTORY = 0x0000F90827F1C53a10cb7A02335B175320002935;

    /// @return hash of the block; zero for the current block, a later one, and one that the chain has
    /// forgotten
    function hashOf(uint256 number) internal view returns (bytes32 hash) {
        hash = blockhash(number);
        if (hash == 0 && number < block.number) {
            (bool ok, bytes memory answer) = HISTORY.staticcall(abi.encode(number));
            if (ok && answer.length == 32) hash = abi.decode(answer, (bytes32));
        }
    }
}
