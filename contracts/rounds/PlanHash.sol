// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRoundManager} from "../interfaces/IRoundManager.sol";
import * as Tags from "../libraries/Tags.sol";
import {
    InstanceId,
    LeafPlace,
    OWN,
    PlanId,
    PlanStores,
    RoundTemplate,
    RoundTerms,
    SeatSource,
    TemplateJob
} from "./RoundTypes.sol";

/// @title Hashes of plans and instances, and the numbers of seats (spec 6.10)
/// @dev The counterpart of src/rounds/plan.ts, template.ts and statement.ts.
library PlanHash {
    /// @dev The number of the storage part among the parts that not every plan has.
    uint32 private constant STORAGE_PART = 3;

    /// @return the id of the plan that the terms describe
    /// @param name of the plan
    /// @param turns root of its tree of turns, whose names are in nothing else
    /// @param stores its storage part
    function planOf(
        RoundTerms calldata terms,
        bytes calldata name,
        bytes32 turns,
        PlanStores calldata stores
    ) internal pure returns (PlanId) {
        bytes memory text = abi.encodePacked(Tags.PLAN, Tags.SPEC_VERSION, terms.rounds, uint32(name.length), name);
        text = abi.encodePacked(text, turns, terms.templates, terms.seats);
        return PlanId.wrap(sha256(stores.members == 0 ? text : abi.encodePacked(text, _partOf(stores))));
    }

    /// @return the instance that signatures name; its salt is the hash of all terms
    function instanceOf(RoundTerms calldata terms, address manager) internal view returns (InstanceId) {
        bytes memory text =
            abi.encodePacked(Tags.INSTANCE, terms.plan, block.chainid, manager, keccak256(abi.encode(terms)));
        text = abi.encodePacked(text, uint32(terms.participants.length));
        for (uint256 i = 0; i < terms.participants.length; i++) text = abi.encodePacked(text, terms.participants[i]);
        return InstanceId.wrap(sha256(abi.encodePacked(text, terms.recorder)));
    }

    /// @return the leaf of a template in the tree of templates
    function templateOf(RoundTemplate calldata template) internal pure returns (bytes32) {
        bytes memory text = abi.encodePacked(Tags.PLAN_PART, template.turn, uint32(template.sources.length));
        for (uint256 i = 0; i < template.sources.length; i++) {
            SeatSource calldata source = template.sources[i];
            text = abi.encodePacked(text, source.turn, source.back, source.member);
        }
        return sha256(bytes.concat(text, _jobOf(template.genesis), _jobOf(template.later)));
    }

    /// @return count how many seats there are
    function seatsOf(RoundTerms calldata terms) internal pure returns (uint256 count) {
        for (uint256 i = 0; i < terms.turns.length; i++) count += terms.turns[i].members;
    }

    /// @return turn of a seat
    /// @return member which member's it is
    function turnOf(RoundTerms calldata terms, uint256 seat) internal pure returns (uint32 turn, uint32 member) {
        uint256 left = seat;
        for (; turn < terms.turns.length; turn++) {
            uint256 members = terms.turns[turn].members;
            if (left < members) return (turn, uint32(left));
            left -= members;
        }
        revert IRoundManager.NoSuchSeat(seat);
    }

    /// @return participant the number of a seat's owner
    /// @return owner its account
    function ownerOf(RoundTerms calldata terms, uint256 seat) internal pure returns (uint256 participant, address owner) {
        (uint32 turn, uint32 member) = turnOf(terms, seat);
        participant = uint256(terms.turns[turn].first) + member;
        owner = terms.participants[participant];
    }

    /// @return from the place of a source, as seen from a seat in a later round than 0
    function sourceOf(
        RoundTerms calldata terms,
        LeafPlace calldata reader,
        SeatSource calldata source
    ) internal pure returns (LeafPlace memory from) {
        (, uint32 member) = turnOf(terms, reader.seat);
        from.round = reader.round > source.back ? reader.round - source.back : 0;
        from.seat = firstSeatOf(terms, source.turn) + (source.member == OWN ? member : source.member);
    }

    /// @return seat that of member 0 of a turn
    function firstSeatOf(RoundTerms calldata terms, uint32 turn) internal pure returns (uint32 seat) {
        for (uint256 i = 0; i < turn; i++) seat += terms.turns[i].members;
    }

    /// @return whether the member of a seat may be absent in a round
    function mayMiss(RoundTerms calldata terms, uint256 round, uint32 turn) internal pure returns (bool) {
        return round != 0 && terms.turns[turn].quorum != 0;
    }

    function _partOf(PlanStores calldata stores) private pure returns (bytes32) {
        bytes memory role = abi.encodePacked(uint32(stores.role.length), stores.role);
        return sha256(abi.encodePacked(Tags.PLAN_PART, STORAGE_PART, role, stores.members, stores.copies));
    }

    function _jobOf(TemplateJob calldata job) private pure returns (bytes memory text) {
        text = abi.encodePacked(uint32(job.name.length), job.name, job.steps, job.step, job.init, uint32(job.lists.length));
        for (uint256 i = 0; i < job.lists.length; i++) text = abi.encodePacked(text, job.lists[i]);
    }
}
