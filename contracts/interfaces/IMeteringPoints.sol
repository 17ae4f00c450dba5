// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {PointWord} from "../libraries/PointWord.sol";
import {IGrid} from "./IGrid.sol";

/// A metering point as the market sees it; one storage word. Energy limits in Wh per slot.
struct Point {
    address owner;
    uint8 zone;
    uint24 importLimitWh;
    uint24 exportLimitWh;
    /// Trading limit L that the owner chose, <= max(import, export).
    uint24 tradeLimitWh;
    /// How often the trading limit was raised; a margin checked before the last raise counts no longer.
    uint8 raises;
    /// How often the point changed hands (mod 256); delegates of former owners count no longer.
    uint8 handovers;
    /// Priority class of its bids: 0 normal, 1 opportunistic, 2 critical, 3 emergency. Where an island without backup supplier is
    /// short of energy, bids at the price share by its weight (2, 1, 4, 8).
    uint8 priority;
}

/// @title Metering points: one connection with one meter, dense ids from 0, and who may sign orders for it.
interface IMeteringPoints {
    event PointRegistered(
        uint32 indexed point,
        address indexed owner,
        uint8 zone,
        uint24 importLimitWh,
        uint24 exportLimitWh
    );
    event OwnerChanged(uint32 indexed point, address indexed previousOwner, address indexed owner);
    event TradeLimitSet(uint32 indexed point, uint24 tradeLimitWh);
    event DelegateSet(uint32 indexed point, address indexed delegate, uint40 validUntil);

    error UnknownPoint(uint32 point);
    error NotOwner(uint32 point, address caller);
    error UnknownZone(uint8 zone, uint8 zoneCount);
    error TradeLimitTooHigh(uint24 tradeLimitWh, uint24 highestWh);
    error TooManyRaises(uint32 point);
    error UnknownPriority(uint8 priority);
    event PrioritySet(uint32 indexed point, uint8 priority);

    /// Sets a point's priority class, which the order book copies into its orders from now on. Restricted to the grid operator:
    /// nobody claims it for himself.
    function setPriority(uint32 point, uint8 priority) external;

    /// Orders were placed under the present trading limit in slots that are not final.
    error SlotsOpen(uint32 point, uint32 throughSlot, uint32 finalThrough);
    error ZeroAddress();

    /// Registers the next point. Restricted to the grid operator.
    function register(
        address owner,
        uint8 zone,
        uint24 importLimitWh,
        uint24 exportLimitWh
    ) external returns (uint32 point);

    /// Hands the point to another wallet. Only its owner.
    function changeOwner(uint32 point, address owner) external;

    /// Lowers or raises what the owner may trade per slot; bounds the margin. Only the owner. At most 254 raises. It is lowered
    /// only when every slot with an order is final: the margin of these slots was checked under it.
    function setTradeLimit(uint32 point, uint24 tradeLimitWh) external;

    /// Lets `delegate` sign orders until the chain time `validUntil`; 0 revokes. Only the owner. A delegate can never withdraw.
    function setDelegate(uint32 point, address delegate, uint40 validUntil) external;

    function count() external view returns (uint32);
    /// Sum of export ratings and highest trading limits of all points, Wh per slot: what the backup supplier may have to buy.
    function exposureWh() external view returns (uint64);
    function grid() external view returns (IGrid);
    function orderBook() external view returns (address);
    function pointOf(uint32 point) external view returns (Point memory);
    /// The point as one word (0 = unknown), and whether `delegate` may sign for it now. What the order book reads per order.
    function orderTerms(uint32 point, address delegate) external view returns (PointWord word, bool delegated);
    /// The same for a batch of keys (delegate << 32 | point). In each word bits 255..248 hold 1 when the delegate may sign, else
    /// 0, instead of the handovers.
    function orderTermsBatch(uint256[] calldata keys) external view returns (uint256[] memory words);
    function isDelegate(uint32 point, address delegate) external view returns (bool);
    /// Zones of all points in order, one byte each.
    function zones() external view returns (bytes memory);
}
