// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ClearingRecord} from "./IAuction.sol";
import {SlotReadings} from "../libraries/WholeSlots.sol";
import {ReadingRange} from "./IReadingArchive.sol";

/// What is offered to whom. Energy Wh, price micro-token per kWh.
struct ResponseTerms {
    /// Bit per zone.
    uint256 zones;
    /// The window: consecutive slots of one UTC day.
    uint32 firstSlot;
    uint8 slots;
    /// Use more instead of less.
    bool increase;
    uint48 targetWh;
    uint40 price;
    /// What a Wh enrolled and not delivered costs, in 1e-6 of the price.
    uint24 penaltyPpm;
    /// Chain time until which points enrol; not after the gate of the first slot.
    uint40 enrolUntil;
}

/// State of an event. The first history day stands in the lowest byte of `daysBack`, in days before the window.
struct ResponseEvent {
    address sponsor;
    uint32 firstSlot;
    uint8 slots;
    bool increase;
    bool closed;
    uint8 historyDays;
    uint24 penaltyPpm;
    uint48 targetWh;
    uint40 price;
    uint48 enrolledWh;
    uint40 enrolUntil;
    /// Slots whose zone totals are counted: those of the window, then those of each history day.
    uint16 counted;
    /// A reading of the window was missing or estimated: the point counts on no day of its zone.
    bool gaps;
    /// A slot of the window has no report: nothing is measured.
    bool blind;
    uint256 zones;
    uint80 daysBack;
    uint24 enrolled;
    uint24 proved;
    uint24 settled;
    /// Token base units: the whole fund until the event closes, then what its payments may still take.
    uint96 held;
}

/// One point in one event.
struct Enrolment {
    uint32 capacityWh;
    uint8 zone;
    bool positionKept;
    bool proved;
    bool settled;
    /// Bought over the window, in the auction and in bilateral trades, net of what it sold in each slot.
    uint40 boughtWh;
    /// What settlement pays at most for a Wh that the point bought and left unused, micro-token per kWh.
    uint40 surplusPrice;
    uint32 verifiedWh;
}

/// @title Demand response: a sponsor pays metering points for using less (or more) than they would have, in a window of slots.
/// @notice Docs: docs/decisions/0019-demand-response.md. Everything but announcing and enrolling is open to everybody and follows from the chain:
/// 1. `announce`: the fund for the whole target is paid in; the days of the baseline are fixed, all before the day of the announcement.
/// 2. `enrol`: a point's owner or delegate offers a capacity and puts down a deposit.
/// 3. `keepPositions`: once the window is cleared, while the auction's ring holds it, what the point bought.
/// 4. `countZones`: imports of all points of the zones, in the window and on the days of the baseline, from whole reports.
/// 5. `prove`: the point's own readings. Reduction = baseline - metered, baseline = the lower of history and what was bought (increase: the higher).
/// 6. `close`: when all is proved, or after the deadline. A zone is paid at most for its own measured reduction, its points in proportion.
/// 7. `settle`: payment and deposit go to the point's ledger account. A reduced Wh earns the price less what settlement already paid for it as
///    surplus. What is enrolled and not delivered costs the penalty, at most the deposit; it goes to the members' pool.
interface IDemandResponse {
    /// At deployment: the mean of the highest `high` of the last `days_` eligible days, of which at least `minimum` must be there.
    event MethodSet(uint8 days_, uint8 high, uint8 minimum);
    event Announced(
        uint32 indexed id,
        address indexed sponsor,
        ResponseTerms terms,
        uint8 historyDays,
        uint80 daysBack,
        uint96 fund
    );
    event Enrolled(uint32 indexed id, uint32 indexed point, address by, uint8 zone, uint32 capacityWh, uint96 deposit);
    event PositionKept(uint32 indexed id, uint32 indexed point, uint40 boughtWh, uint40 surplusPrice);
    /// Imports of the event's zones, ascending, in `slots` more slots: added to their totals of that day (0 = the window).
    event ZonesCounted(uint32 indexed id, uint8 day, uint8 slots, uint256[] importWh);
    event Proved(uint32 indexed id, uint32 indexed point, uint256 baselineWh, uint256 meteredWh, uint32 verifiedWh);
    /// Per zone of the event, ascending: what its points proved, and of that what is paid.
    event Closed(uint32 indexed id, uint256[] verifiedWh, uint256[] payableWh, uint96 held, uint96 refunded);
    /// Token base units: payment, penalty kept from the deposit, and what of the deposit went back.
    event Paid(uint32 indexed id, uint32 indexed point, uint96 payment, uint96 penalty, uint96 returned);
    /// What no payment could take any more went to the sponsor.
    event RestReturned(uint32 indexed id, uint96 amount);
    event Withdrawn(address indexed sponsor, address indexed to, uint256 amount);

    error UnknownEvent(uint32 id);
    error BadWindow(uint32 firstSlot, uint256 slots);
    error BadZones(uint256 zones, uint8 zoneCount);
    error NothingOffered(uint256 targetWh, uint256 price);
    error PenaltyTooHigh(uint24 penaltyPpm, uint24 highest);
    /// Points enrol from now until the gate of the first slot at the latest, which lies at most ten days ahead.
    error BadEnrolment(uint256 enrolUntil, uint256 now_, uint256 gate);
    /// Another event holds some of these slots in the zone.
    error WindowTaken(uint8 zone, uint32 firstSlot);
    error TooFewDays(uint256 days_, uint256 minimum);
    error NotOwnerOrDelegate(uint32 point, address caller);
    error EnrolmentOver(uint32 id, uint256 until);
    error OtherZone(uint32 point, uint8 zone);
    error CapacityOutOfBounds(uint32 point, uint256 capacityWh, uint256 highest);
    error TargetReached(uint32 id, uint256 enrolledWh, uint256 targetWh);
    error AlreadyEnrolled(uint32 id, uint32 point);
    error NotEnrolled(uint32 id, uint32 point);
    /// Positions are kept from the start of the window's last slot until the auction's ring forgets its first one.
    error OutsideRing(uint32 id, uint32 now_, uint32 from, uint32 until);
    error RecordsDiffer(uint256 given, uint256 slots);
    error RecordMismatch(uint32 slot, bytes28 expected, bytes28 got);
    error PositionNotKept(uint32 id, uint32 point);
    error AlreadyKept(uint32 id, uint32 point);
    error AlreadyProved(uint32 id, uint32 point);
    error WrongRange(uint32 meter, uint32 firstSlot, uint256 slots);
    error SlotLeftOut(uint32 slot);
    error AllCounted(uint32 id);
    /// The window of an event that asks for less use is counted at once.
    error WindowInParts(uint256 given, uint256 slots);
    error TooManySlots(uint256 given, uint256 left);
    error ProofsOver(uint32 id, uint32 untilSlot);
    error AlreadyClosed(uint32 id);
    error NotClosed(uint32 id);
    /// Something is not proved yet, and its time is not over.
    error StillOpen(uint32 id, uint32 untilSlot);
    error AlreadySettled(uint32 id, uint32 point);
    error NothingOwed(address sponsor);
    error WrongAmountReceived(uint256 expected, uint256 received);
    error BadMethod(uint8 days_, uint8 high, uint8 minimum);

    /// Announces an event and takes its whole fund, target x price rounded up, from the caller. Restricted to accredited sponsors.
    function announce(ResponseTerms calldata terms) external returns (uint32 id);

    /// Enrols a point with a capacity over the whole window, and takes the deposit from the caller: what the whole capacity would cost if
    /// nothing of it were delivered. Only the point's owner or delegate. The deposit goes back to the point's account.
    function enrol(uint32 id, uint32 point, uint32 capacityWh) external;

    /// Keeps what enrolled points bought in the window.
    /// @param records of all its slots, in order; anything for a slot that was not cleared
    function keepPositions(uint32 id, ClearingRecord[] calldata records, uint32[] calldata points) external;

    /// Adds the readings of the next slots to the totals of the zones: those of the window first, then of history day after history day.
    /// @param slots consecutive slots of one day; all of the window where less use is asked for
    /// @param nodes their neighbours in the day's tree, as behind the slots of a ReadingRange
    function countZones(uint32 id, SlotReadings[] calldata slots, bytes32[] calldata nodes) external;

    /// Proves what an enrolled point did.
    /// @param ranges the window, then the same slots of every history day, in the order of the event
    function prove(uint32 id, uint32 point, ReadingRange[] calldata ranges) external;

    /// Fixes what each zone is paid for and returns the rest to the sponsor.
    function close(uint32 id) external;

    /// Pays enrolled points of a closed event.
    function settle(uint32 id, uint32[] calldata points) external;

    /// Pays a sponsor what came back to him.
    function withdraw(address to) external returns (uint256 amount);

    function eventCount() external view returns (uint32);
    function eventOf(uint32 id) external view returns (ResponseEvent memory);
    function enrolmentOf(uint32 id, uint32 point) external view returns (Enrolment memory);
    /// First slot of day `index` of an event: 0 the window, then its history days.
    function dayOf(uint32 id, uint256 index) external view returns (uint32 firstSlot);
    /// What a zone used on each day of an event, the window first, as far as counted.
    function totalsOf(uint32 id, uint8 zone) external view returns (uint256[] memory importWh);
    /// Token base units that `sponsor` may withdraw.
    function owedOf(address sponsor) external view returns (uint256);
    /// Deposit for a capacity, token base units.
    function depositOf(uint32 id, uint32 capacityWh) external view returns (uint96);
    /// Last slot in which something may be proved.
    function deadlineOf(uint32 id) external view returns (uint32);
}
