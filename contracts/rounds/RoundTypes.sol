// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {JobId, StateRoot} from "../libraries/Ids.sol";

/// @notice A plan: the hash of its turns, templates and seats (spec 6.10).
type PlanId is bytes32;

/// @notice One performance of a plan: the hash of the plan, the chain, the manager, the terms and the keys.
type InstanceId is bytes32;

using {samePlan as ==} for PlanId global;

function samePlan(PlanId a, PlanId b) pure returns (bool) {
    return PlanId.unwrap(a) == PlanId.unwrap(b);
}

/// @notice A turn of a plan, as far as it says whose a seat is. Seats are in the order of turns, then of
/// members.
/// @param members how many seats the turn has
/// @param first number of the participant that is member 0 of its role
/// @param quorum how many members must be there in a round after round 0; zero if the turn misses nobody
struct RoundTurn {
    uint32 members;
    uint32 first;
    uint32 quorum;
}

/// @notice How long each state of an instance may last, in seconds.
/// @param toJoin until all have joined
/// @param toRecord until the record is posted
/// @param toChallenge in which leaves can be challenged
/// @param toAnswer until an accusation or a demand is answered
struct RoundPeriods {
    uint32 toJoin;
    uint32 toRecord;
    uint32 toChallenge;
    uint32 toAnswer;
}

/// @notice What the participants of an instance agree on. All that is signed in it names their hash.
/// @param client posts the instance and pays for it
/// @param salt tells equal instances apart
/// @param plan the plan's id
/// @param rounds after round 0
/// @param templates root of the plan's tree of templates
/// @param seats root of the plan's tree of seats
/// @param templateCount how many templates there are
/// @param turns in their order
/// @param participants their accounts, with whose keys they sign their leaves
/// @param recorder the account that signs and posts the record
/// @param stake of each participant and of the recorder
/// @param bond of a challenger
/// @param reward to each participant and to the recorder, if it has not lost
/// @param price of a demand
/// @param periods seconds
struct RoundTerms {
    address client;
    bytes32 salt;
    PlanId plan;
    uint32 rounds;
    bytes32 templates;
    bytes32 seats;
    uint32 templateCount;
    RoundTurn[] turns;
    address[] participants;
    address recorder;
    uint80 stake;
    uint80 bond;
    uint80 reward;
    uint80 price;
    RoundPeriods periods;
}

/// @notice The storage part of a plan (spec 6.10). Its stores are the last participants.
/// @param role of the stores
/// @param members how many stores there are; zero if the plan has no storage part
/// @param copies how many stores have to hold a leaf; zero if there are none
struct PlanStores {
    bytes role;
    uint32 members;
    uint32 copies;
}

/// @notice Where a leaf is.
/// @param round from 0, which makes the initial states
/// @param seat its number among all seats of the plan
struct LeafPlace {
    uint32 round;
    uint32 seat;
}

/// @notice What a leaf's run root is a hash of: its run has one segment.
/// @param job its id
/// @param every training steps of the segment
/// @param start the state before the first step; zero if there are no steps
/// @param end the final state
struct LeafClaim {
    JobId job;
    uint32 every;
    StateRoot start;
    StateRoot end;
}

/// @notice A leaf and the siblings that lead from it to the record.
/// @param claim the leaf
/// @param inRound siblings in the tree of its round
/// @param inRecord siblings of the round in the record
struct RecordedLeaf {
    LeafClaim claim;
    bytes32[] inRound;
    bytes32[] inRecord;
}

/// @notice The leaf that stands in the place of an absent member: the last one that it has made.
/// @param source number of the source that is read there
/// @param round in which the leaf was made
/// @param inRound its siblings in the tree of that round
/// @param inRecord siblings of that round in the record
struct StandingLeaf {
    uint32 source;
    uint32 round;
    bytes32[] inRound;
    bytes32[] inRecord;
}

/// @notice Who of a turn's members was there in a round, as the recorder has signed it.
/// @param round from 1
/// @param turn its number
/// @param present bit i: member i was there
/// @param signature of the recorder
struct SignedRoll {
    uint32 round;
    uint32 turn;
    uint256 present;
    bytes signature;
}

/// @notice By what the owner of an accused leaf has read what it did.
/// @param signatures of the owners of the leaves that it has read
/// @param stood the rounds that the accusation has named; none if it has named none
/// @param rolls for each source that was read from another round than the record has it, what the recorder
/// has signed of the later of the two; one roll for several sources in a row is given once
struct LeafExcuse {
    bytes[] signatures;
    uint32[] stood;
    SignedRoll[] rolls;
}

/// @notice What a turn reads.
/// @param turn its number
/// @param back how many rounds back
/// @param member its number, or `OWN`
struct SeatSource {
    uint32 turn;
    uint32 back;
    uint32 member;
}

/// @dev The reader's own number, as a member.
uint32 constant OWN = type(uint32).max;

/// @notice A job template.
/// @param name of the job
/// @param steps training steps
/// @param step root of the step graph
/// @param init root of the init graph
/// @param lists lengths of the dataset's lists: one for each source, then the seat's own
struct TemplateJob {
    bytes name;
    uint32 steps;
    bytes32 step;
    bytes32 init;
    uint32[] lists;
}

/// @notice What seats of a turn run whose data has the same types.
/// @param turn its number
/// @param sources what it reads, in the order of the lists
/// @param genesis the job of round 0, which reads nothing
/// @param later the job of later rounds
struct RoundTemplate {
    uint32 turn;
    SeatSource[] sources;
    TemplateJob genesis;
    TemplateJob later;
}

/// @notice All from which a leaf's job follows.
/// @param place of the leaf
/// @param leaf what the record has there
/// @param index number of its template
/// @param template itself
/// @param templatePath its siblings in the tree of templates
/// @param shard roots of the tensors that the seat has in every round
/// @param seatPath the seat's siblings in the tree of seats
/// @param sources the leaves that it reads, in the order of the template's sources; in round 0 none
/// @param standing of the sources whose member was absent, in their order: where the leaf was made
struct LeafEvidence {
    LeafPlace place;
    RecordedLeaf leaf;
    uint32 index;
    RoundTemplate template;
    bytes32[] templatePath;
    bytes32[] shard;
    bytes32[] seatPath;
    RecordedLeaf[] sources;
    StandingLeaf[] standing;
}

/// @notice What a leaf reads.
/// @param ends final states, in the order of the template's sources
/// @param rounds in which the leaves were made
/// @param absent whether the member was absent, so that the leaf is of an earlier round than its place
struct LeafReads {
    StateRoot[] ends;
    uint32[] rounds;
    bool[] absent;
}

/// @notice A store's signature for a place: of a receipt, or of a note of absence.
/// @param store its number among the stores
/// @param signature of its account
struct StoreSignature {
    uint32 store;
    bytes signature;
}

/// @notice A chunk that a store is asked for.
/// @param place of the leaf
/// @param end the leaf's final state
/// @param store its number among the stores
/// @param entry number of the entry in the state
/// @param chunk number of the chunk in that entry
struct CopyPlace {
    LeafPlace place;
    StateRoot end;
    uint32 store;
    uint32 entry;
    uint32 chunk;
}

/// @notice A chunk, with the way from it to the final state.
/// @param entries how many the state has
/// @param tensorType the entry's type, encoded
/// @param chunk the elements, 4 bytes each, little-endian
/// @param chunkPath siblings in the entry's chunk tree
/// @param statePath siblings in the tree of the state's entries
struct CopyProof {
    uint32 entries;
    bytes tensorType;
    bytes chunk;
    bytes32[] chunkPath;
    bytes32[] statePath;
}

/// @notice What shows that a state has no such chunk.
/// @param entries how many the state has
/// @param tree root of the tree of the state's entries if the entry is none of them, else of the entry's
/// chunk tree
/// @param tensorType the entry's type, encoded; empty if there is no such entry
/// @param statePath siblings in the tree of the state's entries; none if there is no such entry
struct NoCopyProof {
    uint32 entries;
    bytes32 tree;
    bytes tensorType;
    bytes32[] statePath;
}

/// @notice The demands for copies that one store has to answer.
/// @param due deadline of the last one
/// @param open how many have not ended
struct CopyQueue {
    uint40 due;
    uint32 open;
}
