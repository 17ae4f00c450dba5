import { Wallet } from "ethers";
import { oneWayEfficiency } from "../core/battery/battery.ts";
import { messageOf, tryAgain } from "../platform/errors.ts";
import { HttpStatusError } from "../platform/http.ts";
import { SLOT_SECONDS, slotAt, slotStart } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { bodyOfOrder, compactSignature, orderDomain, signOrder, type OrderBody } from "../protocol/order.ts";
import type { AgentStore, HomeMemory, OrderProgress } from "./agent-store.ts";
import type { AgentConfig, HomeConfig } from "./config.ts";
import type { History } from "./history.ts";
import { type HomeDevices, openDevices, type Snapshot } from "./home-devices.ts";
import type { MarketClient } from "./market-client.ts";
import { doneSince, intervalOf, partsOf, restPower, runningSlot, type SlotPart } from "./metering.ts";
import type { OrderStep } from "./orders.ts";
import { decide, type Decision, type HomeSettings, type Terms } from "./strategy.ts";

/** How long a set-point outlives its slot when the agent dies; then the battery follows its own rule again. */
const REVERT_AFTER_SLOT_SECONDS = 300;
/** A gap longer than this says nothing about the slots in it. */
const LONGEST_GAP_SECONDS = 4 * SLOT_SECONDS;
/** A reading this soon after a slot's start stands for the start. */
const AT_START_SECONDS = 5;

/** What one home does at a tick, decided but not yet done. */
export interface HomeStep {
  /** As it is once everything below is done. */
  readonly memory: HomeMemory;
  readonly plan: HomePlanView;
  readonly setpoint: { powerW: number; revertAfterSeconds: number } | null;
  readonly order: OrderBody | null;
}

export interface PostResult {
  readonly state: OrderProgress;
  readonly reason?: string;
}

/** The last decision, kept for a person to look at. */
export interface HomePlanView {
  readonly slot: number;
  readonly positionWh: number;
  readonly needWh: number;
  readonly batteryWh: number;
  readonly storedAfterWh: number;
  readonly storedValueMicroPerKwh: number;
  readonly steps: readonly OrderStep[];
}

/** The market at a tick, the same for all homes of a process. */
export interface MarketView {
  readonly slot: number;
  /** Positions by point; null = not known. */
  readonly positions: readonly number[] | null;
}

export interface HomeAgent {
  readonly home: HomeConfig;
  /** True when something of this home is due. */
  isDue(now: number): boolean;
  /** Reads the devices. @throws when they do not answer */
  read(now: number): Promise<Snapshot>;
  /** Takes a reading into store and past; call inside a transaction. */
  record(snapshot: Snapshot): void;
  /** Decides what to do after `record`; changes nothing. */
  plan(snapshot: Snapshot, market: MarketView): Promise<HomeStep>;
  apply(setpoint: NonNullable<HomeStep["setpoint"]>): Promise<void>;
  /** Posts an order that the store holds. @throws when the market could not be asked */
  post(order: OrderBody): Promise<PostResult>;
  /** Marks a step as done; call inside a transaction. */
  finish(step: HomeStep): void;
  close(): Promise<void>;
}

export const createHomeAgent = ({
  home,
  config,
  store,
  market,
  history,
  shares,
  log,
}: {
  home: HomeConfig;
  config: AgentConfig;
  store: AgentStore;
  market: MarketClient;
  history: History;
  shares: ReadonlyMap<number, number>;
  log: Log;
}): HomeAgent => {
  const devices: HomeDevices = openDevices(home, log);
  const wallet = new Wallet(home.privateKey);
  const domain = orderDomain({ chainId: config.chainId, orderBook: config.orderBook });
  const settings: HomeSettings = {
    battery: home.battery ?? null,
    importRatingWh: Math.floor(home.importRatingW / 4),
    exportRatingWh: Math.floor(home.exportRatingW / 4),
    pvW: home.pvW,
  };
  const efficiency = home.battery ? oneWayEfficiency(home.battery) : 1;
  let memory = store.memory(home.point);

  const trimDue = (now: number): boolean =>
    memory.trimSlot < slotAt(now) && now - slotStart(slotAt(now)) >= config.trimAtSeconds;

  const meteredSince = (snapshot: Snapshot): SlotPart[] => {
    const { lastReading } = memory;
    if (!lastReading || snapshot.time - lastReading.time > LONGEST_GAP_SECONDS) return [];
    const interval = intervalOf(lastReading, snapshot, efficiency);
    return interval ? partsOf(interval) : [];
  };

  const sign = async (slot: number, steps: OrderStep[]): Promise<OrderBody> => {
    const sequence = (await market.sequence(home.point, slot)) + 1;
    const delegate = home.signer === "delegate" ? [wallet.address] : [];
    const order = await signOrder(wallet, domain, { point: home.point, slot, sequence, steps }, ...delegate);
    return bodyOfOrder({ ...order, signature: compactSignature(order.signature) });
  };

  /** The order that is due for a slot: the one that was signed before a crash, else a new one; null when none is due. */
  const orderFor = async (
    slot: number,
    now: number,
    trimming: boolean,
    steps: OrderStep[],
  ): Promise<OrderBody | null> => {
    const isTime = trimming || config.orderAt === "boundary";
    const gateOpen = now < slotStart(slot) - config.gateSeconds;
    if (home.mode !== "auto" || !isTime || !gateOpen || !market.isPublished(slot)) return null;
    const kept = store.order(home.point, slot);
    if (kept) return kept.state === "signed" ? kept.body : null;
    return steps.length === 0 ? null : sign(slot, steps);
  };

  const terms = (slot: number): Terms => {
    const found = market.termsOf(slot);
    if (!found) throw tryAgain(`no terms are published yet: nothing can be planned for slot ${slot}`);
    return found;
  };

  return {
    home,
    isDue: (now) => memory.setSlot < slotAt(now) || trimDue(now),
    read: (now) => devices.read(now),
    record: (snapshot) => {
      const parts = meteredSince(snapshot);
      for (const part of parts) store.addMetered(home.point, part);
      const atStart = snapshot.time - slotStart(slotAt(snapshot.time)) <= AT_START_SECONDS;
      memory = { ...memory, lastReading: snapshot, boundary: atStart ? snapshot : memory.boundary };
      store.remember(home.point, memory, store.plan(home.point));
      const over = parts.filter(({ slot }) => slot < slotAt(snapshot.time));
      if (over.length === 0) return;
      for (const { slot, loadWh, pvWh } of store.metered(home.point, over[0]!.slot)) {
        if (slot < slotAt(snapshot.time)) history.put(slot, loadWh, pvWh);
      }
    },
    plan: async (snapshot, { slot, positions }) => {
      const elapsed = snapshot.time - slotStart(slot);
      const trimming = elapsed >= config.trimAtSeconds;
      const start = memory.boundary && slotAt(memory.boundary.time) === slot ? memory.boundary : null;
      const positionWh = positions?.[home.point] ?? 0;
      const running = trimming ? runningSlot(start, snapshot, efficiency) : null;
      const doneJ = home.battery ? doneSince(start, snapshot, efficiency) : 0;
      const movedWh = (doneJ > 0 ? doneJ / efficiency : doneJ * efficiency) / 3600;
      const past = history.until(slot, running);
      const decision = decide(settings, {
        slot,
        known: running ? slot + 1 : slot,
        ...past,
        storedWh: start?.storedWh ?? snapshot.storedWh + movedWh,
        positionWh,
        termsOf: terms,
        shares,
      });
      const batteryWh = steer(home, decision, positionWh);
      const mostW = home.battery?.powerW ?? 0;
      const powerW = Math.max(-mostW, Math.min(mostW, restPower(batteryWh, doneJ, elapsed)));
      return {
        memory: { ...memory, setSlot: slot, trimSlot: trimming ? slot : memory.trimSlot },
        plan: { slot, positionWh, ...decision, batteryWh },
        setpoint: home.battery
          ? { powerW, revertAfterSeconds: SLOT_SECONDS - elapsed + REVERT_AFTER_SLOT_SECONDS }
          : null,
        order: await orderFor(slot + 1, snapshot.time, trimming, decision.steps),
      };
    },
    apply: ({ powerW, revertAfterSeconds }) => devices.setBattery(powerW, revertAfterSeconds),
    post: async (order) => {
      try {
        await market.post(order);
        return { state: "posted" };
      } catch (error) {
        if (!(error instanceof HttpStatusError) || error.retryable) throw error;
        market.forgetSequences(order.point);
        log.warn({ home: home.id, slot: order.slot, reason: messageOf(error) }, "the market refused an order");
        return { state: "refused", reason: messageOf(error) };
      }
    },
    finish: (step) => {
      memory = step.memory;
      store.remember(home.point, memory, step.plan);
    },
    close: () => devices.close(),
  };
};

/** Terminal energy of the battery in the running slot, Wh. */
const steer = (home: HomeConfig, decision: Decision, positionWh: number): number => {
  if (!home.battery) return 0;
  if (home.mode === "auto" || positionWh === 0) return decision.batteryWh;
  // By hand: whoever sold or bought wants the meter to show exactly that.
  const mostWh = home.battery.powerW / 4;
  return Math.max(-mostWh, Math.min(mostWh, Math.round(decision.needWh + positionWh)));
};
