import { Interface, ZeroAddress } from "ethers";
import type { OrderBody } from "../protocol/api.ts";
import type { DayOrderBody } from "../protocol/day-schema.ts";
import { dayOrderOfBody, packDayOrders } from "../protocol/day-order.ts";
import { orderOfBody, packOrders } from "../protocol/order.ts";
import { RECORD, type ClearingRecord } from "../protocol/events.ts";
import { isPackable, packSlots, type SlotToSettle } from "../protocol/settling.ts";

/** Calldata of what the auctioneer sends. Any stranger could send the same: none of these calls needs a role. */

const iface = new Interface([
  "function appendPacked(uint32 slot,bytes orders) returns (uint256)",
  "function appendDays(bytes orders) returns (uint256)",
  "function seal(uint32 slot,bytes32 commitment)",
  "function openSealed(uint32 slot,bytes orders,bytes32 salt) returns (uint256)",
  "function forfeit(uint32 slot,address relayer) returns (uint256)",
  "function bond() view returns (uint256)",
  "function settlePacked(bytes slots)",
  `function settle(tuple(${RECORD} record,bytes readings,bytes32 root)[] slots)`,
  `function resettle(tuple(${RECORD} record,bytes settledReadings,bytes32 settledRoot,bytes readings,bytes32 root)[] slots)`,
  "function estimate(uint32 slot)",
  `function settleEstimated(${RECORD} record)`,
  "function advanceFinal(uint256 limit) returns (uint32)",
  "function genesisSlot() view returns (uint32)",
  "function finalThrough() view returns (uint32)",
]);

/** A settled slot and the higher version of its report. */
export interface SlotToResettle extends SlotToSettle {
  settledReadings: string;
  settledRoot: string;
}

/** Packed: a third of the calldata of `append`. Sorted by point, neighbours share storage words. */
export const encodeAppend = (slot: number, orders: readonly OrderBody[]): string =>
  iface.encodeFunctionData("appendPacked", [slot, packOrders(orders.map(orderOfBody))]);

export const encodeAppendDays = (orders: readonly DayOrderBody[]): string =>
  iface.encodeFunctionData("appendDays", [packDayOrders(orders.map(dayOrderOfBody))]);

export const encodeSeal = (slot: number, commitment: string): string =>
  iface.encodeFunctionData("seal", [slot, commitment]);

export const encodeOpenSealed = (slot: number, orders: string, salt: string): string =>
  iface.encodeFunctionData("openSealed", [slot, orders, salt]);

export const encodeForfeit = (slot: number, relayer: string): string =>
  iface.encodeFunctionData("forfeit", [slot, relayer]);

export const encodeSealedView = (name: "bond"): string => iface.encodeFunctionData(name);

/** Packed: half the gas of the calldata of `settle`, which is left for readings that are not whole. */
export const encodeSettle = (slots: readonly SlotToSettle[]): string =>
  slots.every(isPackable)
    ? iface.encodeFunctionData("settlePacked", [packSlots(slots)])
    : iface.encodeFunctionData("settle", [slots]);

export const encodeResettle = (slots: readonly SlotToResettle[]): string =>
  iface.encodeFunctionData("resettle", [slots]);

export const encodeEstimate = (slot: number): string => iface.encodeFunctionData("estimate", [slot]);

export const encodeSettleEstimated = (record: ClearingRecord): string =>
  iface.encodeFunctionData("settleEstimated", [record]);

export const encodeAdvanceFinal = (limit: number): string => iface.encodeFunctionData("advanceFinal", [limit]);

export const encodeView = (name: "genesisSlot" | "finalThrough"): string => iface.encodeFunctionData(name);

/** The record of a slot that was not cleared: its positions are zero. */
export const emptyRecord = (slot: number): ClearingRecord => ({
  slot,
  clearer: ZeroAddress,
  prices: [],
  backupSoldWh: 0n,
  backupBoughtWh: 0n,
  backupNano: 0n,
  congestionNano: 0n,
  positions: "0x",
  extras: "0x",
});
