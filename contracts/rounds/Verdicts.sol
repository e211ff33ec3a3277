// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Fault, IRoundManager, Instance, RoundState} from "../interfaces/IRoundManager.sol";
import {ITaskManager} from "../interfaces/ITaskManager.sol";
import {RunRoot} from "../libraries/Ids.sol";
import {InstanceStore} from "./InstanceStore.sol";
import {PlanHash} from "./PlanHash.sol";
import {RecordHash} from "./RecordHash.sol";
import {InstanceId, LeafPlace, RoundTerms} from "./RoundTypes.sol";

/// @title What is shown at once, and what the game decides
abstract contract Verdicts is IRoundManager, InstanceStore {
    uint256 private constant CHALLENGER = 1;
    uint256 private constant OWNER = 2;

    /// @inheritdoc IRoundManager
    function equivocate(
        RoundTerms calldata terms,
        LeafPlace calldata place,
        RunRoot[2] calldata runs,
        bytes[2] calldata signatures
    ) external {
        (InstanceId instance, Instance storage i) = _begun(terms);
        require(runs[0] != runs[1], NoContradiction());
        (uint256 participant, address owner) = PlanHash.ownerOf(terms, place.seat);
        for (uint256 s = 0; s < 2; s++)
            _requireSigned(RecordHash.leafDigest(instance, place, runs[s]), owner, signatures[s]);
        _convict(instance, i, participant, owner, msg.sender, Fault.Equivocation);
    }

    /// @inheritdoc IRoundManager
    function misrecord(RoundTerms calldata terms, bytes32 record, bytes calldata signature) external {
        InstanceId instance = _instanceOf(terms);
        Instance storage i = _instances[instance];
        require(i.state == RoundState.Challengeable, WrongRoundState(i.state));
        require(record != i.record, NoContradiction());
        bytes32 digest = RecordHash.recordDigest(instance, terms.rounds + 1, record);
        _requireSigned(digest, terms.recorder, signature);
        _convict(instance, i, _recorderOf(terms), terms.recorder, msg.sender, Fault.Record);
    }

    /// @inheritdoc IRoundManager
    function challenged(
        RoundTerms calldata terms,
        uint32 seat,
        address challenger
    ) external returns (InstanceId instance, uint256 participant, address owner, bytes32 record) {
        Instance storage i;
        (instance, i) = _in(terms, RoundState.Challengeable);
        _requireGame();
        (participant, owner) = PlanHash.ownerOf(terms, seat);
        require(!_isOut(i, participant) && owner != challenger, NothingToWin(owner));
        record = i.record;
        i.open++;
        _vault().expose(challenger, terms.bond);
    }

    /// @inheritdoc IRoundManager
    function decide(
        InstanceId instance,
        uint256 participant,
        address owner,
        address challenger,
        uint256 losers
    ) external {
        Instance storage i = _instances[instance];
        _requireGame();
        i.open--;
        // Who has lost gets nothing of another's loss.
        bool stands = !_isOut(i, participant) && losers & OWNER == 0;
        if (losers & CHALLENGER != 0) _slash(challenger, i.bond, stands ? owner : address(0));
        else _vault().release(challenger, i.bond);
        address to = losers & CHALLENGER == 0 ? challenger : address(0);
        if (losers & OWNER != 0) _convict(instance, i, participant, owner, to, Fault.Game);
    }

    function _requireGame() private view {
        require(msg.sender == _game, ITaskManager.WrongCaller(msg.sender, _game));
    }
}
