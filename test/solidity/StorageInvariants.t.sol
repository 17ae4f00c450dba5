// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {
    IStorageUnits,
    StorageEfficiency,
    StorageState,
    StorageUnit
} from "../../contracts/interfaces/IStorageUnits.sol";
import {StorageSteps} from "./support/StorageSteps.sol";

/// The test runner knows only contracts of this file.
contract StorageActors is StorageSteps {}

/// What holds of every storage unit after any sequence of steps (docs/invariants.md).
contract StorageInvariants {
    uint256 private constant PPM = 1e6;

    StorageSteps private _s;

    function setUp() external {
        _s = new StorageActors();
        _s.begin();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_s);
    }

    function invariant_Storage() external view {
        IStorageUnits units = _s.units();
        uint32 count = units.unitCount();
        for (uint32 unit = 0; unit < count; ++unit) {
            StorageUnit memory terms = units.unitOf(unit);
            StorageState memory state = units.stateOf(unit);
            _chargeWithinCapacity(terms, state);
            _energyIsConserved(terms, state);
            _countedIsReported(unit, state);
            _availableAboveReserve(unit, terms, state);
            _declaredIsPossible(unit, terms, state);
        }
        require(units.stateOf(_s.touched()).countedThrough >= _s.countedBefore(), "S3 counted-through fell");
    }

    /// S1
    function _chargeWithinCapacity(StorageUnit memory terms, StorageState memory state) private pure {
        require(state.storedMicroWh <= terms.capacityWh * PPM, "S1 more stored than the unit can hold");
    }

    /// S2: what went in, less the losses that were declared, is what came out and what is left; the differences that readings leave
    /// are written down. So energy out is at most efficiency x energy in, and what was missing (what it held before, at most).
    function _energyIsConserved(StorageUnit memory terms, StorageState memory state) private pure {
        uint256 given = uint256(state.chargedWh) * terms.efficiencyPpm + state.missingMicroWh;
        uint256 taken = uint256(state.dischargedWh) * PPM;
        require(taken <= given, "S2 more energy out than in");
        require(given == taken + state.storedMicroWh + state.excessMicroWh, "S2 energy is conserved");
    }

    /// S3: the sums are those of the slots from its registration on, each counted once.
    function _countedIsReported(uint32 unit, StorageState memory state) private view {
        StorageSteps.Expected memory expected = _s.expectedOf(unit);
        require(state.countedThrough == expected.countedThrough, "S3 counted in order");
        require(state.chargedWh == expected.chargedWh, "S3 charged is what was reported");
        require(state.dischargedWh == expected.dischargedWh, "S3 delivered is what was reported");
        uint256 slots = state.countedThrough - expected.registered;
        require(state.unmeteredSlots + expected.metered == slots, "S3 each slot once");
        require(state.storedMicroWh == expected.storedMicroWh, "S3 state of charge slot by slot");
    }

    /// S4
    function _availableAboveReserve(uint32 unit, StorageUnit memory terms, StorageState memory state) private view {
        if (terms.retired) return;
        (uint256 wh, uint256 slotWh) = _s.units().availableOf(unit);
        uint256 reserve = uint256(terms.capacityWh) * terms.reservePpm;
        require(wh == 0 || wh * PPM + reserve <= state.storedMicroWh, "S4 the reserve is not available");
        require(slotWh <= wh && slotWh <= terms.powerW / 4, "S4 a slot delivers at most the power");
    }

    /// S5: readings that fit the declaration never contradict it.
    function _declaredIsPossible(uint32 unit, StorageUnit memory terms, StorageState memory state) private view {
        (StorageEfficiency memory measured, int8 declared) = _s.units().efficiencyOf(unit);
        require(measured.lowestPpm <= measured.highestPpm, "S5 an interval");
        if (state.missingMicroWh != 0 || state.excessMicroWh != 0) return;
        require(declared == 0, "S5 declared wrong without a contradiction");
        require(terms.efficiencyPpm >= measured.lowestPpm, "S5 declared below what is possible");
        require(terms.efficiencyPpm <= measured.highestPpm, "S5 declared above what is possible");
    }
}
