import { fetchJson } from "../platform/http.ts";
import { clearingViewSchema, sequencesSchema, termsSchema, type ClearingView } from "../protocol/api.ts";
import type { OrderBody } from "../protocol/order.ts";
import { parseWith } from "../platform/config.ts";
import { z } from "zod";
import type { Terms } from "./strategy.ts";

const TERMS_COUNT = 120;
/** Terms are asked for again when fewer than so many published slots lie ahead, at most once in `TERMS_EVERY` slots. */
const TERMS_AHEAD = 97;
const TERMS_EVERY = 4;
const SEQUENCES_COUNT = 48;
const SLOTS_PER_DAY = 96;
const TIMEOUT_MS = 4_000;

/** The market as its API tells it; answers that cannot change are asked for once per process. */
export interface MarketClient {
  /** Clearing of a slot; null while it has none yet. */
  clearing(slot: number): Promise<ClearingView | null>;
  /** Makes sure that terms from `slot` on are known, as far as they are published. */
  loadTerms(slot: number): Promise<void>;
  /** Terms of a slot, or the published ones of the same time on the nearest earlier day; null when nothing is known. */
  termsOf(slot: number): Terms | null;
  isPublished(slot: number): boolean;
  /** Highest sequence byte in use for a point and slot. */
  sequence(point: number, slot: number): Promise<number>;
  forgetSequences(point: number): void;
  post(order: OrderBody): Promise<void>;
}

export const createMarketClient = (api: string): MarketClient => {
  const base = api.replace(/\/$/, "");
  const get = <T>(path: string, schema: z.ZodType<T, z.ZodTypeDef, unknown>): Promise<T> =>
    fetchJson(`${base}${path}`, { timeoutMs: TIMEOUT_MS }).then((body) => parseWith(schema, body, `GET ${path}`));
  const clearings = new Map<number, Promise<ClearingView | null>>();
  const terms = new Map<number, Terms>();
  const sequences = new Map<number, { from: number; bytes: number[] }>();
  let termsAskedAt = -Infinity;
  let lastPublished = -Infinity;

  const published = (slot: number): Terms | null => {
    for (let of = Math.min(slot, lastOfDay(slot, lastPublished)); of > slot - 8 * SLOTS_PER_DAY; of -= SLOTS_PER_DAY) {
      const found = terms.get(of);
      if (found) return found;
    }
    return terms.get(lastPublished) ?? null;
  };

  return {
    clearing: (slot) => {
      const known = clearings.get(slot);
      if (known) return known;
      const asked = get(`/slots/${slot}/clearing`, clearingViewSchema).then((view) => (view.cleared ? view : null));
      clearings.set(slot, asked);
      // Only a cleared answer is final.
      asked.then(
        (view) => view ?? clearings.delete(slot),
        () => clearings.delete(slot),
      );
      for (const old of clearings.keys()) if (old < slot - 2) clearings.delete(old);
      return asked;
    },
    loadTerms: async (slot) => {
      if (terms.has(slot) && terms.has(slot + 1) && lastPublished - slot >= TERMS_AHEAD) return;
      if (terms.has(slot) && terms.has(slot + 1) && slot - termsAskedAt < TERMS_EVERY) return;
      const answer = await get(`/terms?from=${slot}&count=${TERMS_COUNT}`, z.array(termsSchema));
      termsAskedAt = slot;
      for (const entry of answer) {
        terms.set(entry.slot, entry);
        lastPublished = Math.max(lastPublished, entry.slot);
      }
      for (const old of terms.keys()) if (old < slot - 2 * SLOTS_PER_DAY) terms.delete(old);
    },
    termsOf: published,
    isPublished: (slot) => terms.has(slot),
    sequence: async (point, slot) => {
      let known = sequences.get(point);
      if (!known || slot < known.from || slot >= known.from + known.bytes.length) {
        const bytes = await get(`/points/${point}/sequences?from=${slot}&count=${SEQUENCES_COUNT}`, sequencesSchema);
        known = { from: slot, bytes };
        sequences.set(point, known);
      }
      return known.bytes[slot - known.from] ?? 0;
    },
    forgetSequences: (point) => void sequences.delete(point),
    post: async (order) =>
      void (await fetchJson(`${base}/orders`, { method: "POST", body: order, timeoutMs: TIMEOUT_MS })),
  };
};

/** The same time of day as `slot`, not after `last`. */
const lastOfDay = (slot: number, last: number): number =>
  slot <= last || last === -Infinity ? slot : slot - Math.ceil((slot - last) / SLOTS_PER_DAY) * SLOTS_PER_DAY;
