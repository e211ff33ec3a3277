// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {PairId} from "../game/GameTypes.sol";
import {Bracket, BracketId, IDisputeGame, Player, Roster} from "../interfaces/IDisputeGame.sol";
import {RunRoot, TaskId} from "../libraries/Ids.sol";

/// @title What is stored of a bracket, and how brackets, pairs of players and claims are named
abstract contract Brackets is IDisputeGame {
    /// @dev Players whose pairs have a bit in the bracket's slot: 28 pairs.
    uint256 private constant PAIRS_IN_SLOT = 8;
    /// @dev Bits at the end of a bracket's name that the numbers of the two players replace.
    uint256 private constant PAIR_BITS = 16;

    /// @dev Keyed by the bracket's name without its last bits.
    mapping(BracketId bracket => Bracket) private _brackets;
    /// @dev Pairs for which the bracket's slot has no bit. Keyed by the bracket's name and the numbers of the
    /// players, the lower one first.
    mapping(PairId players => bool) private _paired;

    /// @inheritdoc IDisputeGame
    function bracketOf(BracketId bracket) external view returns (Bracket memory) {
        return _brackets[_keyOf(bracket)];
    }

    /// @dev Reverts if two players have been paired before. The bracket's slot has a bit for each pair of its
    /// first players, since a slot more costs a fifth of what pairing costs.
    function _markPaired(Bracket storage b, BracketId bracket, uint256 first, uint256 second) internal {
        bool known;
        if (second < PAIRS_IN_SLOT) {
            uint256 bit = 1 << ((second * (second - 1)) / 2 + first);
            known = b.paired & bit != 0;
            b.paired |= uint32(bit);
        } else {
            PairId players = _pairOf(bracket, first, second);
            known = _paired[players];
            _paired[players] = true;
        }
        require(!known, NoPair(first, second));
    }

    /// @dev Reverts if the dispute has a bracket.
    function _newBracket(TaskId task, uint256 dispute) internal view returns (Bracket storage b, BracketId bracket) {
        bracket = BracketId.wrap(keccak256(abi.encode(task, dispute)));
        b = _brackets[_keyOf(bracket)];
        require(b.players == 0, BracketExists(bracket));
    }

    function _bracket(Roster calldata roster) internal view returns (Bracket storage b, BracketId bracket) {
        bracket = BracketId.wrap(keccak256(abi.encode(roster.task, roster.dispute)));
        b = _brackets[_keyOf(bracket)];
        require(b.players != 0 && b.roster == _hashOf(roster), NoSuchBracket(bracket));
    }

    function _keyOf(BracketId bracket) internal pure returns (BracketId) {
        return BracketId.wrap((BracketId.unwrap(bracket) >> PAIR_BITS) << PAIR_BITS);
    }

    function _pairOf(BracketId bracket, uint256 first, uint256 second) internal pure returns (PairId) {
        return PairId.wrap(BracketId.unwrap(_keyOf(bracket)) | bytes32((first << 8) | second));
    }

    /// @return b the bracket of a pair
    /// @return first the bit of the player of side 0
    /// @return second the bit of the player of side 1
    function _playersIn(PairId players) internal view returns (Bracket storage b, uint256 first, uint256 second) {
        uint256 word = uint256(PairId.unwrap(players));
        b = _brackets[_keyOf(BracketId.wrap(PairId.unwrap(players)))];
        return (b, 1 << uint8(word >> 8), 1 << uint8(word));
    }

    function _indexOf(bytes32[] memory claims, RunRoot claim) internal pure returns (uint256 index) {
        while (claims[index] != RunRoot.unwrap(claim)) index++;
    }

    /// @return claims the distinct claims of all players, in the order of the players
    /// @return right bit i: a player stands with claims[i]
    function _claimsOf(
        Player[] memory players,
        uint256 standing
    ) internal pure returns (bytes32[] memory claims, uint256 right) {
        claims = new bytes32[](players.length);
        uint256 count = 0;
        for (uint256 i = 0; i < players.length; i++) {
            bytes32 claim = RunRoot.unwrap(players[i].claim);
            uint256 known = 0;
            while (known < count && claims[known] != claim) known++;
            if (known == count) claims[count++] = claim;
            if (standing & (1 << i) != 0) right |= 1 << known;
        }
        assembly ("memory-safe") {
            mstore(claims, count)
        }
    }

    function _ones(uint256 bits) internal pure returns (uint256 count) {
        for (; bits != 0; bits &= bits - 1) count++;
    }

    /// @dev 160 bits, so that it fits into the slot of the bracket.
    function _hashOf(Roster memory roster) internal pure returns (bytes20) {
        return bytes20(keccak256(abi.encode(roster)));
    }
}
