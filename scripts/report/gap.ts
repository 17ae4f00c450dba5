import { dualOf } from "../../services/core/market/sums.ts";
import { decodeBook, liveOrders } from "../../services/core/market/words.ts";
import { zoneTermsOf } from "../../services/protocol/clearing.ts";
import { decodeExtras } from "../../services/protocol/extras.ts";
import {
  clearingOf,
  gridAt,
  slotTermsOf,
  tradeWordsOf,
  type ReadStore,
  type SlotRange,
} from "../../services/protocol/market-store.ts";
import { listedTrades } from "../../services/protocol/trade.ts";

/**
 * What the clearings of a range of slots may lack of the optimum at most, nano-token: the dual at the recorded prices over the
 * recorded book, less the recorded welfare. A meshed network's record bounds it itself, its dual has more terms.
 */
export const maxGapNano = (store: ReadStore, { first, last }: SlotRange): bigint => {
  let most = 0n;
  for (let slot = first; slot <= last; slot += 1) {
    const gap = gapNano(store, slot);
    if (gap > most) most = gap;
  }
  return most;
};

const gapNano = (store: ReadStore, slot: number): bigint => {
  const clearing = clearingOf(store, slot);
  const terms = slotTermsOf(store, slot);
  if (!clearing || !terms) return 0n;
  const extras = decodeExtras(clearing.extras);
  if (extras.gapBoundNano > 0n) return extras.gapBoundNano;
  const words = store.all<{ word: string }>("SELECT word FROM orders WHERE slot = ? ORDER BY at", slot);
  const columns = decodeBook(Buffer.from(words.map(({ word }) => word).join(""), "hex"));
  const live = liveOrders(columns);
  const dual = dualOf(
    {
      columns: { ...columns, energyWh: columns.energyWh.map((energyWh, at) => (live[at] === 1 ? energyWh : 0)) },
      terms: zoneTermsOf(gridAt(store, slot), terms),
      trades: listedTrades(tradeWordsOf(store, slot)),
    },
    {
      prices: JSON.parse(clearing.prices) as number[],
      ...(extras.greenPrices.length > 0 ? { greenPrices: extras.greenPrices.map(Number) } : {}),
    },
  );
  return dual - BigInt(clearing.welfareNano);
};
