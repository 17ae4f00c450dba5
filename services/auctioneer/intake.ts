import { id as hashText, type TypedDataDomain } from "ethers";
import { wrongInput } from "../platform/errors.ts";
import type { PooledProvider } from "../platform/provider.ts";
import type { Store } from "../platform/store.ts";
import type { OrderBody, OrderState } from "../protocol/api.ts";
import { gateOf } from "../protocol/clearing.ts";
import { orderDigest } from "../protocol/order.ts";
import { createVerifier } from "./verify.ts";
import type { ChainView } from "./view.ts";

export const AHEAD_SLOTS = 120;
/** Orders of wallets that only the chain can check may not replace one another here; this bounds what waits. */
const MAX_UNVERIFIED_PER_SLOT = 4;

export interface OrderRow {
  id: string;
  point: number;
  slot: number;
  sequence: number;
  body: string;
  verified: number;
  state: OrderState["state"];
  reason: string | null;
  tx: string | null;
  batch: string | null;
}

export interface Intake {
  /**
   * Checks an order against the chain and keeps it; durable when it returns.
   * @throws DaegError exit 1 with the reason when it could never be appended
   */
  accept(order: OrderBody, now: number): Promise<string>;
  stateOf(id: string): OrderState | undefined;
  /** Orders of a point that wait, by slot. */
  pendingOf(point: number, from: number, count: number): Array<{ slot: number; sequence: number }>;
}

export const createIntake = ({
  store,
  provider,
  view,
  domain,
}: {
  store: Store;
  provider: PooledProvider;
  view: () => ChainView;
  domain: TypedDataDomain;
}): Intake => {
  const verify = createVerifier(provider);

  const accept = async (order: OrderBody, now: number): Promise<string> => {
    const id = hashText(canonical(order));
    if (store.get("SELECT 1 FROM orders WHERE id = ?", id)) return id;
    const { points, terms } = view();
    const point = points.get(order.point);
    if (!point) throw wrongInput(`point: ${order.point} is not registered: there are points 0 to ${points.size - 1}`);
    const gate = gateOf(order.slot);
    if (now > gate) throw wrongInput(`slot: the gate of slot ${order.slot} closed at ${gate}, it is ${now}`);
    if (order.slot * 900 > now + AHEAD_SLOTS * 900) {
      throw wrongInput(`slot: ${order.slot} is more than ${AHEAD_SLOTS} slots ahead`);
    }
    const slotTerms = terms.get(order.slot);
    if (!slotTerms) throw wrongInput(`slot: the terms of slot ${order.slot} are not published yet`);
    order.steps.forEach((step, at) => {
      if (step.energyWh < 50) throw wrongInput(`steps[${at}].energyWh: must be at least 50 Wh`);
      const { bandMin, bandMax } = slotTerms;
      if (step.priceMicroPerKwh < bandMin || step.priceMicroPerKwh > bandMax) {
        throw wrongInput(`steps[${at}].priceMicroPerKwh: must be from ${bandMin} to ${bandMax}, the slot's band`);
      }
    });
    const inBook = view().slots.get(order.slot)?.sequences.get(order.point) ?? 0;
    if (!isAhead(order.sequence, inBook)) {
      throw wrongInput(`sequence: must be above ${inBook}, which the book holds, and at most ${MAX_SEQUENCE}`);
    }
    const verified = await verify(order, orderDigest(domain, order), point, now);
    store.transaction(() => keep(id, order, verified));
    return id;
  };

  const keep = (id: string, order: OrderBody, verified: boolean): void => {
    if (store.get("SELECT 1 FROM orders WHERE id = ?", id)) return;
    const waiting = store.all<OrderRow>(
      "SELECT * FROM orders WHERE state = 'pending' AND slot = ? AND point = ?",
      order.slot,
      order.point,
    );
    if (verified) {
      for (const row of waiting) {
        if (row.verified === 0) continue;
        if (!isAhead(order.sequence, row.sequence)) {
          throw wrongInput(
            `sequence: must be above ${row.sequence}, which waits to be appended, and at most ${MAX_SEQUENCE}`,
          );
        }
        if (row.batch === null) store.run("UPDATE orders SET state = 'superseded' WHERE id = ?", row.id);
      }
    } else if (waiting.length >= MAX_UNVERIFIED_PER_SLOT) {
      throw wrongInput(`slot: ${waiting.length} orders of point ${order.point} wait already: try again later`);
    }
    store.run(
      "INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, 'pending', NULL, NULL, NULL)",
      ...[id, order.point, order.slot, order.sequence, JSON.stringify(order), Number(verified)],
    );
  };

  return {
    accept,
    stateOf: (id) => {
      const row = store.get<OrderRow>("SELECT * FROM orders WHERE id = ?", id);
      return (
        row && {
          id: row.id,
          point: row.point,
          slot: row.slot,
          sequence: row.sequence,
          state: row.state,
          reason: row.reason,
          txHash: row.tx,
        }
      );
    },
    pendingOf: (point, from, count) =>
      store.all(
        `SELECT slot, sequence FROM orders WHERE state = 'pending' AND point = ? AND slot >= ? AND slot < ?
         ORDER BY slot, sequence`,
        ...[point, from, from + count],
      ),
  };
};

/** Most orders of one point for one slot (ReplayPages). */
export const MAX_SEQUENCE = 15;

/** Whether the book takes a sequence after another one. */
const isAhead = (sequence: number, of: number): boolean => sequence > of && sequence <= MAX_SEQUENCE;

const canonical = ({ point, slot, sequence, steps, delegate, signature }: OrderBody): string =>
  JSON.stringify([
    point,
    slot,
    sequence,
    steps.map(({ sell, green, energyWh, priceMicroPerKwh }) => [sell, green, energyWh, priceMicroPerKwh]),
    delegate?.toLowerCase() ?? null,
    signature.toLowerCase(),
  ]);
