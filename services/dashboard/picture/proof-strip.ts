import type { SlotStory } from "../../protocol/api.ts";

export interface ProofMark {
  readonly point: number;
  readonly sell: boolean;
  readonly microPerKwh: number;
  readonly share: "all" | "part" | "none";
  /** 0..1 between the ends of the axis. */
  readonly at: number;
}

/** A zone's proof at a glance: offers and bids (less the fee) around the price. */
export interface ProofStrip {
  readonly zone: string;
  readonly price: number;
  readonly priceAt: number;
  readonly low: number;
  readonly high: number;
  readonly marks: readonly ProofMark[];
  /** Highest price that an accepted offer or a bid left wanting sets; lowest from the other side; null = nobody sets it here. */
  readonly lo: number | null;
  readonly hi: number | null;
}

/**
 * What the contract checks, zone by zone, before it carries `lo` and `hi` over the lines: lo = max(accepted offers, bids
 * not fully filled less fee), hi = min(accepted bids less fee, offers not fully filled). Limits count inside the tariffs.
 */
export const proofStrips = (story: SlotStory): ProofStrip[] => {
  const { clearing, terms } = story;
  if (!clearing || !terms) return [];
  const ceiling = terms.importTariff - terms.fee;
  return Object.entries(clearing.prices).map(([zone, price]) => {
    const orders = story.orders.filter((order) => order.live && order.zone === zone && order.energyWh > 0);
    const valued = orders.map((order) => ({
      ...order,
      value: order.sell
        ? Math.max(order.priceMicroPerKwh, terms.exportTariff)
        : Math.min(order.priceMicroPerKwh, terms.importTariff) - terms.fee,
      filled: order.filledWh ?? 0,
    }));
    const los = valued.filter((o) => (o.sell ? o.filled > 0 : o.filled < o.energyWh)).map((o) => o.value);
    const his = valued.filter((o) => (o.sell ? o.filled < o.energyWh : o.filled > 0)).map((o) => o.value);
    const low = Math.min(terms.exportTariff, price, ...valued.map((o) => o.value));
    const high = Math.max(ceiling, price, ...valued.map((o) => o.value));
    const at = (micro: number): number => (high === low ? 0.5 : (micro - low) / (high - low));
    return {
      zone,
      price,
      priceAt: at(price),
      low,
      high,
      lo: los.length === 0 ? null : Math.max(...los),
      hi: his.length === 0 ? null : Math.min(...his),
      marks: valued.map((o) => ({
        point: o.point,
        sell: o.sell,
        microPerKwh: o.value,
        share: o.filled === 0 ? "none" : o.filled >= o.energyWh ? "all" : "part",
        at: at(o.value),
      })),
    };
  });
};
