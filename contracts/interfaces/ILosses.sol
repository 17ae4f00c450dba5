// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SlotReadings} from "../libraries/WholeSlots.sol";
import {ReadingRange} from "./IReadingArchive.sol";

/// @title Losses: what entered an island beyond what its meters account for, bought from the backup supplier out of fees.
/// @notice An island's head meter measures what comes in over the backup supplier's connection; its number is 3 x 2^30 + the island's root zone,
/// and the committee puts its reading into the tree of its reports behind those of all other meters. Losses of an island in a slot are
///     head meter's net import - sum over the island's points of (import - export),
/// bought where neither the head meter nor any point is missing. What is below zero (late registers, meters' tolerance) is carried and
/// counts against later losses, so that over time exactly the sum is bought; also where something is missing, since its register brings
/// later what the others show already. They cost the slot's import tariff, and go from the fees to
/// the backup supplier: out of the operator's account first, then the members', as far as money is there; the rest is the backup's.
/// At most an eighth of what entered or was fed in in the slot is bought: a broken head meter empties no account.
///
/// Anyone calls, slot after slot, each once. A slot must be archived; one whose tariffs the ring has forgotten (256 slots later ones were
/// published) is passed over: a slot is final some 105 slots after its start, so there are at least 6 hours, usually more.
interface ILosses {
    event LossesBought(
        uint32 indexed firstSlot,
        uint32 throughSlot,
        uint256 lossWh,
        uint256 costNano,
        uint256 operatorNano,
        uint256 membersNano
    );
    /// What an island's meters counted too much so far, Wh; counts against its next losses.
    event LossesCarried(uint8 indexed rootZone, uint256 carriedWh);

    error SlotNotNext(uint32 slot, uint32 next);

    /// Buys the losses of the next slots, all of one day.
    /// @param leaves a range with the leaf of every slot given (0xff), of any meter
    /// @param slots all readings of each slot; empty for a slot whose leaf is zero
    function buy(ReadingRange calldata leaves, SlotReadings[] calldata slots) external;

    /// Slots up to this one are done.
    function boughtThrough() external view returns (uint32);
    function carriedWh(uint8 rootZone) external view returns (uint256);
}
