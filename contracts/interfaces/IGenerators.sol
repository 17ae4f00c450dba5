// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

enum GeneratorKind {
    Solar,
    Wind,
    Hydro,
    /// Never certified.
    Conventional,
    /// Several sources behind one meter; certified only if the certifier vouches for all of them.
    Microgrid
}

/// What a producer declares and a certifier checks.
struct GeneratorTerms {
    /// Metering point at which the generator feeds in.
    uint32 connection;
    GeneratorKind kind;
    /// A storage unit feeds in at the same point: its export can be stored energy of any origin.
    bool storageBacked;
    /// The generator has a meter of its own; the contract gives it a number.
    bool ownMeter;
    uint32 nameplateW;
    /// First slot of its life.
    uint32 commissionedSlot;
    /// Expected mean output, in 1e-6 of the nameplate.
    uint24 capacityFactorPpm;
    /// A slot with more export than this counts as operating time, Wh.
    uint24 operatingAboveWh;
    /// Maintenance falls due after so many days and so many operating hours; 0 = never.
    uint16 maintenanceDays;
    uint24 maintenanceHours;
    /// keccak256 of a description of the place that stays off chain.
    bytes32 locationHash;
}

/// What the contract keeps of a generator.
struct Generator {
    address producer;
    uint32 connection;
    GeneratorKind kind;
    bool storageBacked;
    bool ownMeter;
    /// The owner of the connection agreed, and has not withdrawn.
    bool consented;
    /// Whose readings count: the connection, or the generator's own meter (2^31 and above).
    uint32 meter;
    uint32 nameplateW;
    uint24 capacityFactorPpm;
    uint24 operatingAboveWh;
    uint24 maintenanceHours;
    uint16 maintenanceDays;
    uint32 commissionedSlot;
}

/// How far a generator's readings are counted.
struct GeneratorState {
    /// Every slot up to this one is counted and its certificates are issued, or are not for ever. Only rises.
    uint32 issuedThrough;
    /// Operating slots (a quarter of an hour each) since the maintenance in slot `countedFrom`.
    uint24 operatingSlots;
    uint32 countedFrom;
    /// Month of the last counted slot, 12 x year + month - 1, and its sums so far.
    uint16 month;
    uint40 monthWh;
    uint16 monthSlots;
    uint40 monthCertifiedWh;
    /// All Wh ever certified.
    uint48 certifiedWh;
}

/// The latest certification.
struct Certification {
    /// Certified from this slot until the one before `untilSlot`, if maintenance by hours is kept too.
    uint32 fromSlot;
    uint32 untilSlot;
    /// What the certifier granted; `untilSlot` is the earlier of it and of `maintenanceDue`.
    uint32 expirySlot;
    /// Slot of the last recorded maintenance, and the slot from which the next is overdue (2^32 - 1 = never).
    uint32 maintainedSlot;
    uint32 maintenanceDue;
    /// Number of earlier certifications kept.
    uint32 older;
}

/// @title Generators: who produces, with what, certified when, maintained when, and how well.
/// @notice Whether a slot is certified is a question about that slot, not about the day on which somebody asks: all periods are kept.
///
/// One meter certifies one generator. A generator that shares its connection with a storage unit or with a conventional generator
/// needs a meter of its own; what the connection exports is then not evidence of anything. Numbers of own meters start at 2^31 and
/// are no accounts of the market: the committee puts their readings into the tree of its reports, behind those of the points.
interface IGenerators {
    /// In `slot`: what is metered up to and in it is never certified.
    event GeneratorRegistered(
        uint32 indexed generator,
        address indexed producer,
        uint32 meter,
        uint32 slot,
        GeneratorTerms terms
    );
    event ProducerChanged(uint32 indexed generator, address indexed previous, address indexed producer);
    event ConsentGiven(uint32 indexed generator, uint32 indexed connection, address owner);
    event ConsentWithdrawn(uint32 indexed generator, uint32 indexed connection, address owner, uint32 fromSlot);
    event StorageFlagged(uint32 indexed generator, uint32 fromSlot);
    event Certified(
        uint32 indexed generator,
        uint32 fromSlot,
        uint32 untilSlot,
        uint32 expirySlot,
        bytes32 documentHash
    );
    event Revoked(uint32 indexed generator, uint32 fromSlot, bytes32 reasonHash);
    event Maintained(
        uint32 indexed generator,
        uint32 slot,
        uint32 maintenanceDue,
        uint32 untilSlot,
        bytes32 reportHash
    );
    /// All of one month; `slots` had a measured or interpolated reading.
    event Metered(
        uint32 indexed generator,
        uint32 firstSlot,
        uint32 throughSlot,
        uint256 meteredWh,
        uint256 certifiedWh,
        uint24 operatingSlots,
        uint16 slots
    );

    error UnknownGenerator(uint32 generator);
    error NotProducer(uint32 generator, address caller);
    error NotConnectionOwner(uint32 connection, address caller);
    error NotCertificates(address caller);
    error NameplateOutOfRange(uint32 nameplateW, uint32 highestW);
    /// The connection had so many meters of generators already; their numbers are never given again.
    error TooManyOwnMeters(uint32 connection, uint256 most);
    error CapacityFactorTooHigh(uint24 ppm);
    error NotYetCommissioned(uint32 commissionedSlot, uint32 current);
    error OwnMeterNeeded(uint32 generator, uint32 connection);
    error ConnectionTaken(uint32 connection, uint32 generator);
    error AlreadyConsented(uint32 generator);
    error NotConsented(uint32 generator);
    error NotRenewable(uint32 generator);
    error ExpiryNotAhead(uint32 expirySlot, uint32 fromSlot);
    error MaintenanceOverdue(uint32 generator, uint32 dueSlot);
    error NotCertified(uint32 generator, uint32 slot);
    error WrongMeter(uint32 generator, uint32 meter, uint32 expected);
    /// The readings do not continue where the last ones ended, and a certified slot lies between.
    error SlotsOutOfOrder(uint32 generator, uint32 firstSlot, uint32 issuedThrough);
    error SlotNotProved(uint32 generator, uint32 slot);

    /// Declares a generator of the caller's. It counts nothing before the connection's owner consents, which the caller does at once if he is the owner.
    /// With a meter of its own: only the owner (who may hand it to a producer), at most MOST_OWN_METERS times per connection.
    function register(GeneratorTerms calldata terms) external returns (uint32 generator);

    /// Hands a generator to another producer, who gets all certificates issued from then on. Only the producer.
    function changeProducer(uint32 generator, address producer) external;

    /// The owner of the connection agrees that the generator is certified by what its meter reads.
    function consent(uint32 generator) external;

    /// Ends certification from the present slot on and frees the connection. Only the connection's present owner.
    function withdrawConsent(uint32 generator) external;

    /// Restricted to certifiers: certifies from the next slot until `expirySlot`, or prolongs. Refused while maintenance is overdue by date.
    function certify(uint32 generator, uint32 expirySlot, bytes32 documentHash) external;

    /// Restricted to certifiers: ends certification from the present slot on.
    function revoke(uint32 generator, bytes32 reasonHash) external;

    /// Restricted to certifiers: a storage unit was found at the connection. Without a meter of its own the generator is certified no longer.
    function flagStorage(uint32 generator) external;

    /// Restricted to accredited maintainers: maintenance was done in the present slot. It resets both clocks; a suspended certification
    /// that has not expired runs again from the next slot on.
    function recordMaintenance(uint32 generator, bytes32 reportHash) external;

    /// Counts proved readings (ReadingProof) and says how many Wh of each slot are certified. Only the certificates' contract, which proved them.
    /// @param caller only the producer may leave slots of his own unproved, and only such in which nobody bought green energy
    /// @return certifiedWh per slot: the export that was measured or interpolated, at most the nameplate's, in certified slots
    function count(
        uint32 generator,
        uint32 meter,
        uint32 firstSlot,
        uint256[] calldata readings,
        address caller
    ) external returns (uint256[] memory certifiedWh, address producer, uint32 connection);

    function generatorOf(uint32 generator) external view returns (Generator memory);
    function stateOf(uint32 generator) external view returns (GeneratorState memory);
    function certificationOf(uint32 generator) external view returns (Certification memory);
    function generatorCount() external view returns (uint32);
    function ownMeterCount() external view returns (uint32);

    /// Whether `slot` lies in a certified period by certification and by maintenance dates. Operating hours are known only where readings are counted:
    /// `overHours` says that those counted so far exceed what maintenance allows.
    function isCertified(uint32 generator, uint32 slot) external view returns (bool certified, bool overHours);

    /// Sums of a month (12 x year + month - 1): metered and certified Wh and counted slots.
    function monthOf(
        uint32 generator,
        uint16 month
    ) external view returns (uint256 meteredWh, uint256 certifiedWh, uint256 slots);

    /// Metered energy of a month against what nameplate and capacity factor promise for the counted slots, in 1e-6; 0 without counted slots.
    function efficiencyOf(uint32 generator, uint16 month) external view returns (uint256 ppm, uint256 expectedWh);
}
