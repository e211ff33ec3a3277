// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {Level, Place} from "../../contracts/game/GameTypes.sol";
import {RunRoot} from "../../contracts/libraries/Ids.sol";
import {Signatures} from "../../contracts/libraries/Signatures.sol";
import {OpeningHash} from "../../contracts/training/OpeningHash.sol";
import {PlaceLib} from "../../contracts/training/Place.sol";
import {CHUNK, OP, SEGMENT, STEP} from "../../contracts/training/TrainingTypes.sol";
import {vm} from "./Vm.sol";

/// @dev The fields of what is signed.
struct Sentence {
    bytes32 run;
    Level tree;
    uint32 segment;
    uint32 step;
    uint32 kernel;
    uint32 element;
    bytes32 root;
}

/// @dev A vector of test/vectors/openings.json. `wrong` are signatures that do not count.
struct OpeningVector {
    Sentence sentence;
    bytes32 digest;
    address signer;
    bytes signature;
    bytes[] wrong;
}

/// @dev An account without a key. Its code may be put to any address: it needs no constructor.
contract Wallet is IERC1271 {
    mapping(bytes32 digest => bool) public agreed;
    /// @dev What it answers instead, unless zero.
    bytes4 private other;

    function agree(bytes32 digest, bool agrees) external {
        agreed[digest] = agrees;
    }

    function answer(bytes4 other_) external {
        other = other_;
    }

    function isValidSignature(bytes32 digest, bytes calldata) external view returns (bytes4) {
        require(agreed[digest]);
        return other == 0 ? IERC1271.isValidSignature.selector : other;
    }
}

contract OpeningHashTest {
    bytes[] private encoded;

    function setUp() public {
        encoded = vm.parseJsonBytesArray(vm.readFile("test/vectors/openings.json"), ".encoded");
        assert(encoded.length == 9);
    }

    function test_digestsAndSignaturesAreThoseOfTheCounterpart() public view {
        for (uint256 i = 0; i < encoded.length; i++) {
            OpeningVector memory v = abi.decode(encoded[i], (OpeningVector));
            assert(_digestOf(v.sentence) == v.digest);
            assert(Signatures.isSigned(v.digest, v.signer, v.signature));
            assert(this.isSignedCalldata(v.digest, v.signer, v.signature));
            assert(v.wrong.length > 20);
            for (uint256 k = 0; k < v.wrong.length; k++) {
                assert(!Signatures.isSigned(v.digest, v.signer, v.wrong[k]));
                assert(!this.isSignedCalldata(v.digest, v.signer, v.wrong[k]));
            }
        }
    }

    /// @dev Whatever else is said is another sentence.
    function testFuzz_everyFieldIsSigned(Sentence memory s, uint256 field, uint32 change) public pure {
        change = change == 0 ? 1 : change;
        bytes32 digest = _digestOf(s);
        field %= 7;
        if (field == 0) s.run = bytes32(uint256(s.run) ^ change);
        if (field == 1) s.tree = Level.wrap(Level.unwrap(s.tree) ^ uint8(change | 1));
        if (field == 2) s.segment ^= change;
        if (field == 3) s.step ^= change;
        if (field == 4) s.kernel ^= change;
        if (field == 5) s.element ^= change;
        if (field == 6) s.root = bytes32(uint256(s.root) ^ change);
        assert(_digestOf(s) != digest);
    }

    function test_anAccountWithoutAKeyIsAsked() public {
        Wallet wallet = new Wallet();
        bytes32 digest = "digest";
        assert(!_accepts(digest, address(wallet)));
        wallet.agree(digest, true);
        assert(_accepts(digest, address(wallet)) && !_accepts("another digest", address(wallet)));
        wallet.answer(0xffffffff);
        assert(!_accepts(digest, address(wallet)));
        // Nobody answers at an address without code, and a contract that has no such function does not
        // answer.
        assert(!_accepts(digest, address(0)) && !_accepts(digest, address(0xa)) && !_accepts(digest, address(this)));
    }

    function isSignedCalldata(bytes32 digest, address by, bytes calldata signature) external view returns (bool) {
        return Signatures.isSignedCalldata(digest, by, signature);
    }

    function _accepts(bytes32 digest, address by) private view returns (bool accepted) {
        accepted = Signatures.isSigned(digest, by, "anything");
        assert(accepted == this.isSignedCalldata(digest, by, "anything"));
    }

    function _digestOf(Sentence memory s) private pure returns (bytes32) {
        Place place = PlaceLib.passing(Place.wrap(0), SEGMENT, s.segment, 0);
        place = PlaceLib.passing(PlaceLib.passing(place, STEP, s.step, 0), OP, s.kernel, 0);
        place = PlaceLib.passing(place, CHUNK, s.element / 64, s.element % 64);
        return OpeningHash.digestOf(RunRoot.wrap(s.run), s.tree, place, s.root);
    }
}
