import type { ApiPoint, ApiTerms } from "../../protocol/api.ts";
import { parsePrice } from "../format/money.ts";

/** What a person filled in, not yet checked. */
export interface Draft {
  readonly sell: boolean;
  readonly energy: string;
  readonly price: string;
}

export type Checked =
  | { readonly ok: true; readonly energyWh: number; readonly priceMicroPerKwh: number }
  | { readonly ok: false; readonly field: "energy" | "price"; readonly message: string };

/** The book takes no smaller step. */
export const MIN_STEP_WH = 50;
const ROUND_MICRO = 1_000;

/**
 * A limit that very likely trades and leaves most of the gain between the tariffs: a tenth of the way from the seller's
 * (buyer's) alternative, rounded to a thousandth of a token.
 */
export const defaultPrice = (sell: boolean, terms: ApiTerms): number => {
  const ceiling = terms.importTariff - terms.fee;
  const tenth = (ceiling - terms.exportTariff) / 10;
  const exact = sell ? terms.exportTariff + tenth : terms.importTariff - tenth;
  return Math.round(exact / ROUND_MICRO) * ROUND_MICRO;
};

/** Half of what the connection may carry in a slot, at most 500 Wh, in steps of 50 Wh. */
export const defaultEnergy = (sell: boolean, point: ApiPoint): number => {
  const limit = sell ? point.exportLimitWh : point.importLimitWh;
  return Math.max(MIN_STEP_WH, Math.min(500, Math.floor(limit / 2 / 50) * 50));
};

/** Checks a draft by the rules that the contract will apply, so that a mistake is told before it is signed. */
export const checkDraft = (draft: Draft, point: ApiPoint, terms: ApiTerms): Checked => {
  const limitWh = draft.sell ? point.exportLimitWh : point.importLimitWh;
  const energy = (message: string): Checked => ({ ok: false, field: "energy", message });
  const price = (message: string): Checked => ({ ok: false, field: "price", message });
  if (!/^\s*\d{1,9}\s*$/.test(draft.energy)) return energy("Give the energy as whole watt hours, such as 500.");
  const energyWh = Number(draft.energy);
  if (energyWh < MIN_STEP_WH) return energy(`The smallest order is ${MIN_STEP_WH} Wh.`);
  if (energyWh > limitWh)
    return energy(`Your connection carries at most ${limitWh} Wh of ${draft.sell ? "export" : "import"} in one slot.`);
  const micro = parsePrice(draft.price);
  if (micro === null) return price("Give the price as a number with at most 6 decimals, such as 0.21.");
  if (micro < terms.bandMin || micro > terms.bandMax)
    return price(`The price must lie between ${terms.bandMin / 1e6} and ${terms.bandMax / 1e6} per kWh.`);
  return { ok: true, energyWh, priceMicroPerKwh: micro };
};

/** The byte that the book accepts next for a slot; it wraps after 255. */
export const nextSequence = (highest: number): number => (highest + 1) % 256;
