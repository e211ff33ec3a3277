// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

interface VmFiles {
    function readFileBinary(string calldata path) external view returns (bytes memory);
    function envString(string calldata name) external view returns (string memory);
    function toString(uint256 value) external pure returns (string memory);
}

VmFiles constant vm = VmFiles(address(uint160(uint256(keccak256("hevm cheat code")))));

/// @dev Files of cases, which TypeScript writes (cases.ts): a first byte that says what they are for, then
/// the cases.
library Files {
    /// @return number of files, which is the length of the file `count`
    function count() internal view returns (uint256 number) {
        number = vm.readFileBinary(string.concat(_folder(), "count")).length;
        assert(number > 0);
    }

    function read(uint256 file) internal view returns (uint256 kind, bytes memory cases) {
        cases = vm.readFileBinary(string.concat(_folder(), vm.toString(file)));
        kind = uint8(cases[0]);
        assembly ("memory-safe") {
            // The cases begin after the first byte: their length replaces it.
            let length := sub(mload(cases), 1)
            cases := add(cases, 1)
            mstore(cases, length)
        }
    }

    function _folder() private view returns (string memory) {
        return string.concat(".hardhat/sweep/", vm.envString("VERDE_SWEEP"), "/cases/");
    }

    /// @return value the 32 bytes from `at`; after the end anything
    function word(bytes memory data, uint256 at) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := mload(add(add(data, 0x20), at))
        }
    }
}
