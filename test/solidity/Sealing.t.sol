// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ChunkLeaf, KeyHash, SaleId, SealKey, SealRoot} from "../../contracts/exchange/SaleTypes.sol";
import {SealedChunk, Sealing} from "../../contracts/libraries/Sealing.sol";
import {NaiveSeal, Sealed} from "./SaleWorld.sol";
import {vm} from "./Vm.sol";

/// @dev The library's functions, with chunks in calldata.
contract Opener {
    function opened(SealedChunk calldata chunk, SealKey key) external view returns (ChunkLeaf) {
        return Sealing.opened(chunk, key);
    }

    function rootOf(SealedChunk calldata chunk, uint256 chunks) external view returns (SealRoot) {
        return Sealing.rootOf(chunk, chunks);
    }

    function hashOf(SaleId sale, SealKey key) external pure returns (KeyHash) {
        return Sealing.hashOf(sale, key);
    }
}

/// @dev Sealing against the specification, byte by byte, and against the vectors that TypeScript makes.
contract SealingTest {
    using NaiveSeal for Sealed;

    Opener private opener = new Opener();

    function chunkOf(uint32 index, bytes memory ciphertext) private pure returns (SealedChunk memory chunk) {
        (chunk.index, chunk.ciphertext) = (index, ciphertext);
    }

    function testFuzz_AChunkOpensToWhatWasSealed(bytes memory text, SealKey key, uint32 index) public view {
        if (text.length > 300) return;
        bytes memory sealedText = NaiveSeal.encrypt(text, key, index);
        ChunkLeaf found = opener.opened(chunkOf(index, sealedText), key);
        assert(ChunkLeaf.unwrap(found) == sha256(abi.encodePacked(hex"02", text)));
    }

    function test_EveryLengthOpens() public view {
        for (uint256 length = 0; length <= 256; length += length < 70 ? 1 : 31) {
            bytes memory text = new bytes(length);
            for (uint256 i = 0; i < length; i++) text[i] = bytes1(uint8(i));
            SealKey key = SealKey.wrap(keccak256(abi.encode(length)));
            bytes memory sealedText = NaiveSeal.encrypt(text, key, uint32(length));
            ChunkLeaf found = opener.opened(chunkOf(uint32(length), sealedText), key);
            assert(ChunkLeaf.unwrap(found) == sha256(abi.encodePacked(hex"02", text)));
        }
    }

    function test_EveryChunkLeadsToTheRoot() public view {
        for (uint256 count = 1; count <= 9; count++) {
            bytes[] memory plain = new bytes[](count);
            for (uint256 i = 0; i < count; i++) plain[i] = abi.encode(i);
            Sealed memory s = NaiveSeal.seal(plain, SealKey.wrap("key"));
            for (uint32 i = 0; i < count; i++)
                assert(SealRoot.unwrap(opener.rootOf(s.shown(i), count)) == SealRoot.unwrap(s.root()));
        }
    }

    function testFuzz_TheKeyHashBindsTheSale(SaleId sale, SealKey key) public view {
        assert(KeyHash.unwrap(opener.hashOf(sale, key)) == KeyHash.unwrap(NaiveSeal.keyHash(sale, key)));
    }
}
