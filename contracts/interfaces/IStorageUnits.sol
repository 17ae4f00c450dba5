// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ReadingRange} from "./IReadingArchive.sol";

/// What the owner of a connection declares of a storage unit behind it.
struct StorageTerms {
    /// Metering point behind which it stands.
    uint32 connection;
    /// Whether it has a meter of its own; else nothing else stands behind the connection, and its meter counts.
    bool ownMeter;
    /// Energy that a full unit can deliver at its terminals, Wh.
    uint32 capacityWh;
    uint32 powerW;
    /// Round trip, millionths: Wh delivered per Wh charged. 500,000 to 1,000,000.
    uint32 efficiencyPpm;
    /// Share of the capacity that is kept for emergencies, millionths.
    uint32 reservePpm;
}

struct StorageUnit {
    uint32 connection;
    uint32 meter;
    uint32 capacityWh;
    uint32 powerW;
    uint32 efficiencyPpm;
    uint32 reservePpm;
    bool retired;
}

/// What proved readings say of a unit so far.
struct StorageState {
    uint32 countedThrough;
    /// Energy that it can still deliver, 1e-6 Wh; 0 to the capacity.
    uint64 storedMicroWh;
    uint64 chargedWh;
    uint64 dischargedWh;
    /// Slots without a measured reading: they count as no energy.
    uint32 unmeteredSlots;
    /// What was cut off at the bounds: delivered beyond what was stored, and charged beyond the capacity, 1e-6 Wh.
    uint128 missingMicroWh;
    uint128 excessMicroWh;
}

/// The efficiency that readings allow, millionths. What is stored at both ends of a span is known to within the capacity alone, so
/// energy out = efficiency x energy in, give or take the capacity.
struct StorageEfficiency {
    uint256 chargedWh;
    uint256 dischargedWh;
    /// Delivered by charged; 0 when nothing was charged.
    uint256 measuredPpm;
    uint256 lowestPpm;
    /// The largest number where nothing was charged.
    uint256 highestPpm;
}

/// @title Storage units: what they are is declared by the owner of their connection, what they hold follows from proved readings.
/// @notice State of charge: every Wh charged adds `efficiencyPpm` millionths of a Wh that can be delivered, every Wh delivered takes one.
/// So nothing is rounded. A unit begins empty; what it held already shows as missing energy when it is delivered.
interface IStorageUnits {
    /// It is counted from the slot after `slot` on.
    event UnitRegistered(uint32 indexed unit, address indexed owner, uint32 meter, uint32 slot, StorageTerms terms);
    event UnitRetired(uint32 indexed unit);
    /// `state` is what the unit's state is now.
    event UnitCounted(uint32 indexed unit, uint32 firstSlot, StorageState state);

    error UnknownUnit(uint32 unit);
    error NotConnectionOwner(uint32 connection, address caller);
    error UnitTermsOutOfRange(uint32 capacityWh, uint32 powerW, uint32 efficiencyPpm, uint32 reservePpm);
    /// The connection's meter measures another unit already.
    error ConnectionHasUnit(uint32 connection, uint32 unit);
    /// The connection had so many meters of units already; their numbers are never given again.
    error TooManyUnitMeters(uint32 connection, uint256 most);
    error UnitIsRetired(uint32 unit);
    error NotUnitMeter(uint32 unit, uint32 meter, uint32 expected);
    error UnitOutOfOrder(uint32 unit, uint32 firstSlot, uint32 countedThrough);
    error UnitSlotNotProved(uint32 unit, uint32 slot);

    /// Registers a unit, one with an own meter at most MOST_OWN_METERS times per connection. Only the owner of the connection. It is counted from the next slot on. Own meters have numbers from
    /// FIRST_STORAGE_METER on; the committee puts their readings into its reports' trees.
    function register(StorageTerms calldata terms) external returns (uint32 unit);

    /// Ends a unit: it is counted no more, and its connection can have another. Only the owner of the connection.
    function retire(uint32 unit) external;

    /// Counts the next slots of a unit, final ones, each once and without a gap. Anyone. A slot without a report, or whose
    /// reading is missing, counts as no energy; a slot of the archive that has a report must be proved.
    function count(uint32 unit, ReadingRange calldata range) external;

    function unitCount() external view returns (uint32);
    function unitOf(uint32 unit) external view returns (StorageUnit memory);
    function stateOf(uint32 unit) external view returns (StorageState memory);
    /// Wh above the reserve, rounded down, and what of it one slot can deliver at the unit's power.
    function availableOf(uint32 unit) external view returns (uint256 wh, uint256 slotWh);
    /// Over everything counted so far; and the declared one lies above it (1), below it (-1) or within it (0).
    function efficiencyOf(uint32 unit) external view returns (StorageEfficiency memory measured, int8 declared);
    /// The same over any consecutive archived slots, from proofs alone.
    function measure(
        uint32 unit,
        ReadingRange[] calldata ranges
    ) external view returns (StorageEfficiency memory measured, int8 declared);
}
