import type { OrderState, PointSlot } from "../../protocol/api.ts";

/** An order that this browser placed. */
export interface Placed {
  readonly id: string;
  readonly slot: number;
  readonly sequence: number;
  readonly sell: boolean;
  readonly energyWh: number;
  readonly priceMicroPerKwh: number;
}

export type StageName = "signed" | "accepted" | "booked" | "cleared" | "metered" | "paid";
export type StageState = "done" | "now" | "later" | "failed";

export interface Stage {
  readonly name: StageName;
  readonly state: StageState;
  readonly txHash: string | null;
}

const order: readonly StageName[] = ["signed", "accepted", "booked", "cleared", "metered", "paid"];

/** True when the book holds another order of this home for the slot: its agent's, or one of another window. */
export const isReplaced = (state: OrderState | null, slot: PointSlot | null): boolean =>
  state?.state === "appended" &&
  slot !== null &&
  slot.orders.length > 0 &&
  slot.orders.every((step) => step.sequence !== state.sequence);

/**
 * How far an order has come. Each stage that happened is done, the next one is "now"; an order that the book refused or
 * that was replaced fails at "booked".
 */
export const journey = (state: OrderState | null, slot: PointSlot | null): Stage[] => {
  const refused = state?.state === "skipped" || state?.state === "superseded" || isReplaced(state, slot);
  const reached: Record<StageName, boolean> = {
    signed: true,
    accepted: state !== null,
    booked: state?.state === "appended" && !refused,
    cleared: state?.state === "appended" && slot?.positionWh !== null && slot !== null,
    metered: slot !== null && slot.importWh !== null,
    paid: slot !== null && slot.paymentNano !== null,
  };
  const tx: Record<StageName, string | null> = {
    signed: null,
    accepted: null,
    booked: state?.txHash ?? null,
    cleared: slot?.clearTx ?? null,
    metered: slot?.reportTx ?? null,
    paid: slot?.settleTx ?? null,
  };
  let blocked = false;
  return order.map((name) => {
    const failed = refused && name === "booked";
    const done = reached[name] && !blocked;
    const current: StageState = failed ? "failed" : done ? "done" : blocked ? "later" : "now";
    if (!done) blocked = true;
    return { name, state: current, txHash: done || failed ? tx[name] : null };
  });
};

/** The fill of this order: the position, as far as it is on the order's side. Wh. */
export const filledWh = (placed: Placed, slot: PointSlot | null): number =>
  slot?.positionWh === null || slot === null ? 0 : Math.max(0, placed.sell ? slot.positionWh : -slot.positionWh);
