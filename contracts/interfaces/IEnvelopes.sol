// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title Operating envelopes: what a connection may take and feed in per slot, below its rating, with the operator's forecast beside it.
/// @notice The operator sets a list per slot. A list has 14 bytes per entry, ascending by number: number (4), import limit Wh (3), export limit
/// Wh (3), forecast Wh (4, two's complement, positive feeds in). A number is
///   z               zone z: the limits of every connection of the zone;
///   2^30 + l        line l (the zone whose line to its parent it is, or the limit of a meshed network counted from 0): only the forecast of the
///                   flow towards the parent counts, beside the line's limit in IGrid;
///   2^31 + p        metering point p, instead of its zone's.
/// The forecast is what the operator expects there of everything outside the market. It binds nothing: it is beside the limit so that
/// everybody can see what the limit was made from, and compare it with the readings later.
///
/// In a slot with a list, empty or not, a connection is bound by the lower of its limit and its rating, and metered net export or import beyond
/// it costs `ITariffs.penaltyPrice` per Wh (EnvelopeCharges); in a slot without, by its rating alone, and nothing is charged: the fuse
/// binds it. A list may be replaced until `frozenAt`, never later, so that every order can still be changed once it is known.
interface IEnvelopes {
    /// `lists[i]` are the envelopes of slot `firstSlot + i` from now on.
    event EnvelopesSet(uint32 indexed firstSlot, bytes[] lists);

    error NothingToSet();
    error EnvelopeFrozen(uint32 slot, uint256 frozenAt);
    error EnvelopeTooFarAhead(uint32 slot, uint32 latest);
    /// The list would take the place of that of a slot that is not final yet.
    error EnvelopeRingFull(uint32 slot, uint32 firstOpen);
    error MalformedEnvelopes(uint32 slot, uint256 bytes_);
    error EnvelopesNotAscending(uint32 slot, uint256 entry);
    error WrongWiring(address expected, address got);

    /// Sets the lists of consecutive slots. Restricted to the grid operator. Before `frozenAt` of the first one, at most 120 slots ahead.
    function set(uint32 firstSlot, bytes[] calldata lists) external;

    /// Whether there is a list, for 256 slots: bit i for slot 256 x page + i. What settlement reads once per transaction.
    function pageOf(uint32 page) external view returns (uint256 bits);
    /// The list of a slot that is not final yet; empty without one.
    function listOf(uint32 slot) external view returns (bytes memory);
    /// From this block time on the slot's list stands: one slot before gate closure.
    function frozenAt(uint32 slot) external view returns (uint256);
}
