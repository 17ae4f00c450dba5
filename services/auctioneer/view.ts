import { createFollower, type ChainHead } from "../platform/follow.ts";
import type { PooledProvider } from "../platform/provider.ts";
import { dayKeyOf, decodeLogs, isVoidedBy, takenSlotsOf } from "../protocol/day-events.ts";
import type { ChainEvent, ClearingRecord, GridZone, SlotTerms } from "../protocol/events.ts";
import { decodeSealed, type SealedEvent } from "../protocol/sealed-events.ts";
import { createTradeLists, type TradeLists } from "../protocol/trade-list.ts";
import type { MarketState } from "../protocol/emergency-events.ts";
import { bookHash, countOf, decodeWords, encodeBatches, type Batch } from "../protocol/words.ts";

/** What the chain says, as far as the auctioneer needs it; rebuilt from events at every start and after a reorganisation. */
export interface ChainView {
  head: ChainHead;
  points: Map<number, PointView>;
  grids: Array<Network & { fromSlot: number; version: number }>;
  terms: Map<number, SlotTerms>;
  slots: Map<number, SlotView>;
  /** Transaction of every day order that was taken in a slot that is not forgotten (dayKeyOf). */
  days: Map<string, string>;
  trades: TradeLists;
  /** Zones that were islanded: what was sealed for them up to this slot is void when it is opened. */
  voids: Array<{ throughSlot: number; zones: bigint }>;
  finalThrough: number;
  marketState: MarketState;
}

/** A version of the network; `limits` is 0x where it is radial. */
export interface Network {
  zones: GridZone[];
  limits: string;
}

export interface PointView {
  owner: string;
  zone: number;
  /** Delegate (checksummed address) to the chain time until which it may sign. */
  delegates: Map<string, number>;
}

export interface SlotView {
  /** All words of the book, hex without 0x. */
  words: string;
  /** Words of every batch, and voids of zones. */
  batches: Batch[];
  wordCount: number;
  /** Running hash as the chain has it. */
  book: string | undefined;
  /** `${point}:${sequence}` of every order in the book, with its transaction. */
  appended: Map<string, string>;
  /** Highest sequence byte per point. */
  sequences: Map<number, number>;
  /** Batches that a relayer sealed, and did neither open nor lose its bond for. */
  unopened: Map<string, number>;
  record: ClearingRecord | undefined;
  report: { version: number; readingsHash: string; root: string } | undefined;
  /** All versions so far. */
  reports: Map<number, { readingsHash: string; root: string }>;
  settledVersion: number | undefined;
  /** Paid by its positions after the window: nothing is left to do. */
  settledEstimated: boolean;
  estimated: boolean;
}

const emptySlot = (): SlotView => ({
  words: "",
  batches: [],
  wordCount: 0,
  book: undefined,
  appended: new Map(),
  sequences: new Map(),
  unopened: new Map(),
  record: undefined,
  report: undefined,
  reports: new Map(),
  settledVersion: undefined,
  settledEstimated: false,
  estimated: false,
});

const emptyView = (head: ChainHead, genesisSlot: number): ChainView => ({
  head,
  points: new Map(),
  grids: [],
  terms: new Map(),
  slots: new Map(),
  days: new Map(),
  trades: createTradeLists(),
  voids: [],
  finalThrough: genesisSlot - 1,
  marketState: "open",
});

/** Slots kept in memory after they are final. */
const KEEP_FINAL_SLOTS = 8;
/** Most slots of a day order. */
const AHEAD_SLOTS = 120;

export interface ViewSource {
  readonly view: ChainView;
  /** Reads what is new; one or two round trips. True when the chain was reorganised and the view is a new one. */
  refresh(): Promise<{ reorganised: boolean }>;
}

export const createView = async ({
  provider,
  addresses,
  startBlock,
  genesisSlot,
}: {
  provider: PooledProvider;
  addresses: readonly string[];
  startBlock: number;
  /** First slot of the market: everything before counts as final. */
  genesisSlot: number;
}): Promise<ViewSource> => {
  const follower = createFollower({ provider, addresses, startBlock });
  let view: ChainView | undefined;

  const refresh = async (): Promise<{ reorganised: boolean }> => {
    // A view that is built anew is shown when it is complete: requests come at any time.
    let next = view;
    let reorganised = false;
    for (;;) {
      const step = await follower.after(next?.head);
      if (step.reorganised) {
        reorganised = true;
        next = undefined;
        continue;
      }
      next ??= emptyView(step.head, genesisSlot);
      const logs = step.logs.filter(({ blockNumber }) => Number(blockNumber) <= step.head.number);
      for (const event of decodeLogs(logs)) apply(next, event);
      for (const log of logs) {
        const event = decodeSealed(log);
        if (event) applySealed(next, event);
      }
      next.head = step.head;
      forget(next);
      if (!step.more) break;
    }
    view = next;
    return { reorganised };
  };

  await refresh();
  return {
    get view() {
      return view as ChainView;
    },
    refresh,
  };
};

export const slotOf = (view: ChainView, slot: number): SlotView => {
  let found = view.slots.get(slot);
  if (!found) {
    found = emptySlot();
    view.slots.set(slot, found);
  }
  return found;
};

const applySealed = (view: ChainView, event: SealedEvent): void => {
  const { unopened } = slotOf(view, event.slot);
  if (event.name === "Sealed") unopened.set(event.relayer, (unopened.get(event.relayer) ?? 0) + 1);
  else if (event.name === "Opened") unopened.set(event.relayer, (unopened.get(event.relayer) ?? 0) - 1);
  // All of a relayer's in a slot, or what is left of an older lap of the ring, which is long forgotten.
  else unopened.delete(event.relayer);
};

const apply = (view: ChainView, event: ChainEvent): void => {
  switch (event.name) {
    case "PointRegistered":
      view.points.set(event.point, { owner: event.owner, zone: event.zone, delegates: new Map() });
      return;
    case "OwnerChanged": {
      const point = view.points.get(event.point);
      if (point) point.owner = event.owner;
      return;
    }
    case "DelegateSet":
      view.points.get(event.point)?.delegates.set(event.delegate, event.validUntil);
      return;
    case "GridSet":
      view.grids.push({ fromSlot: event.fromSlot, version: event.version, zones: event.zones, limits: "0x" });
      return;
    case "LimitsSet": {
      const own = view.grids.find(({ version }) => version === event.version);
      if (own) own.limits = event.limits;
      return;
    }
    case "TermsPublished":
      event.terms.forEach((terms, at) => view.terms.set(event.firstSlot + at, terms));
      return;
    case "Appended": {
      const slot = slotOf(view, event.slot);
      slot.words += event.words.slice(2);
      slot.batches.push(countOf(event.words));
      slot.wordCount = event.wordCount;
      slot.book = event.book;
      for (const { point, sequence } of decodeWords(event.words)) {
        slot.appended.set(`${point}:${sequence}`, event.txHash);
        slot.sequences.set(point, sequence);
      }
      return;
    }
    case "ZonesVoided":
      view.voids.push({ throughSlot: event.throughSlot, zones: event.zones });
      for (const [slot, own] of view.slots) {
        if (own.book === undefined || !isVoidedBy(event, slot)) continue;
        own.batches.push(event.zones);
        own.book = bookHash(own.book, "0x", encodeBatches([event.zones]));
      }
      return;
    case "MarketRaised":
    case "MarketLowered":
      view.marketState = event.state;
      return;
    case "DayOrderAppended": {
      // Its words come with the Appended of each slot; a slot without a step has none.
      const taken = takenSlotsOf(event);
      const { point, sequence, slots } = taken;
      view.days.set(dayKeyOf(taken), event.txHash);
      for (const slot of slots) slotOf(view, slot).sequences.set(point, sequence);
      return;
    }
    case "TradeRegistered":
    case "TradeCancelled":
      view.trades.add(event);
      // A slot may have trades and no orders.
      for (const slot of view.trades.slots()) slotOf(view, slot);
      return;
    case "Cleared":
      slotOf(view, event.slot).record = event.record;
      return;
    case "Reported": {
      const { version, readingsHash, root } = event;
      const slot = slotOf(view, event.slot);
      slot.report = { version, readingsHash, root };
      slot.reports.set(version, { readingsHash, root });
      return;
    }
    case "Settled": {
      const slot = slotOf(view, event.slot);
      if (event.status === "settled") slot.settledVersion = event.version;
      else slot.settledEstimated = true;
      return;
    }
    case "Estimated":
      slotOf(view, event.slot).estimated = true;
      return;
    case "FinalThrough":
      view.finalThrough = Math.max(view.finalThrough, event.slot);
      return;
    default:
      return;
  }
};

const forget = (view: ChainView): void => {
  const oldest = view.finalThrough - KEEP_FINAL_SLOTS;
  for (const slot of view.slots.keys()) if (slot < oldest) view.slots.delete(slot);
  for (const key of view.days.keys()) if (Number(key.split(":")[1]) + AHEAD_SLOTS < oldest) view.days.delete(key);
  for (const slot of view.terms.keys()) if (slot < oldest) view.terms.delete(slot);
  view.trades.forget(oldest);
  view.voids = view.voids.filter(({ throughSlot }) => throughSlot >= oldest);
};

/** How many orders to look at for `most` that may be sealed, or may not: all (-1) where some zone was islanded. */
export const lookAt = (view: ChainView, most: number): number => (view.voids.length === 0 ? most : -1);

/** Whether a sealed order of the point would be void in the slot, since its zone was islanded while the slot's book was open. */
export const isVoidSealed = (view: ChainView, { slot, point }: { slot: number; point: number }): boolean => {
  const zone = view.points.get(point)?.zone ?? 0;
  return view.voids.some(({ throughSlot, zones }) => slot <= throughSlot && ((zones >> BigInt(zone)) & 1n) === 1n);
};

/** The network in force in a slot: the newest version that starts at or before it. Islanding may overtake one that was planned. */
export const networkOf = (view: ChainView, slot: number): Network => {
  let best: ChainView["grids"][number] | undefined;
  for (const grid of view.grids) {
    if (grid.fromSlot > slot) continue;
    if (!best || grid.version > best.version) best = grid;
  }
  return best ?? { zones: [], limits: "0x" };
};
