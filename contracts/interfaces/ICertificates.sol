// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ReadingRange} from "./IReadingArchive.sol";

/// Slots of one generator to count and to certify.
struct Issue {
    uint32 generator;
    /// Readings of the generator's meter.
    ReadingRange range;
    /// The list of green sales (GreenSales) of every proved slot that has one, in order.
    bytes[] sales;
}

/// Certificates that a consumer uses up, against what one metering point took from the grid in the same slots.
struct Claim {
    /// Whose certificates; the caller, or somebody who made the caller his operator. The metering point must be his.
    address holder;
    /// Readings of the metering point, over all slots of `ids`.
    ReadingRange consumption;
    uint256[] ids;
    /// Wh of each.
    uint256[] values;
    address beneficiary;
    string purpose;
}

/// @title Granular certificates of origin: ERC-1155, one id per generator and slot, one unit per Wh.
/// @notice Ids: bits 63..32 generator, 31..0 slot. Certificates are issued only from the archive, that is from final slots, each slot of a
/// generator once. Issuing is open to everybody, for what is issued and to whom follows from the chain alone:
///   1. of what is certified in a slot, green energy that the connection sold to green-only bids in the auction goes to the owners of the
///      buying points, at most what is certified (shortfalls are shared in proportion);
///   2. the rest goes to the producer.
/// Issuing calls no receiver: a buyer that refuses tokens could stop a generator for ever. Transfers call as ERC-1155 says.
interface ICertificates {
    event Claimed(
        address indexed holder,
        uint32 indexed point,
        address indexed beneficiary,
        uint256[] ids,
        uint256[] values,
        string purpose
    );

    error NothingToIssue();
    error WrongSales(uint32 slot, bytes32 expected, bytes32 got);
    error SalesLeftOver(uint256 used, uint256 given);
    error NotHolder(address holder, address caller);
    error NotConsumer(uint32 point, address holder);
    error NothingToClaim();
    error ClaimLengthsDiffer(uint256 ids, uint256 values);
    error SlotOutsideRange(uint32 slot, uint32 firstSlot, uint256 slots);
    error ConsumptionNotMetered(uint32 point, uint32 slot);
    /// More would be matched with the point's consumption of the slot than it consumed.
    error ConsumptionExceeded(uint32 point, uint32 slot, uint256 matchedWh, uint256 consumedWh);

    /// Counts readings of generators (IGenerators.count) and issues what they certify.
    function issue(Issue[] calldata batch) external;

    /// Burns certificates for good, each matched with consumption of its own slot that nothing was matched with yet.
    function claim(Claim calldata claim_) external;

    /// Wh of a point's consumption in a slot that certificates were claimed for.
    function matchedOf(uint32 point, uint32 slot) external view returns (uint256 wh);
    function idOf(uint32 generator, uint32 slot) external pure returns (uint256);
}
