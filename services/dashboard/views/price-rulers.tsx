import type { SlotSummary } from "../../protocol/api.ts";
import { price } from "../format/money.ts";
import { slotLabel } from "../format/time.ts";
import { Price } from "../parts/number.tsx";
import { useStore } from "../state/context.ts";

/** The newest cleared prices, each zone on a ruler that runs from the export to the import tariff. */
export const PriceRulers = ({ slots }: { slots: readonly SlotSummary[] }) => {
  const market = useStore().market.value!;
  const { currency } = market.community;
  const slot = slots.at(-1)!;
  const low = slot.exportTariff;
  const high = slot.importTariff;
  const at = (micro: number): number =>
    low === null || high === null || high <= low ? 50 : Math.max(0, Math.min(100, ((micro - low) / (high - low)) * 100));
  return (
    <div class="rulers">
      <p class="rulers-slot">
        Slot <strong class="num">{slotLabel(slot.slot)}</strong> <span class="slot-number">#{slot.slot}</span>
      </p>
      {low !== null && high !== null && (
        <div class="ruler-ends">
          <span>
            <span class="label">Grid pays you</span>
            <strong class="tone-sell">
              <Price micro={low} currency={currency} />
            </strong>
          </span>
          <span class="end">
            <span class="label">Grid charges you</span>
            <strong class="tone-buy">
              <Price micro={high} currency={currency} />
            </strong>
          </span>
        </div>
      )}
      {market.zones.map((zone) => {
        const micro = slot.prices[zone];
        if (micro === undefined) return null;
        const left = at(micro);
        return (
          <div class="ruler" key={zone}>
            <div class="ruler-head">
              <span>{zone}</span>
              <strong>
                <Price micro={micro} currency={currency} />
              </strong>
            </div>
            <div class="ruler-track" aria-hidden="true">
              <span class="ruler-gain is-sell" style={{ width: `${left}%` }} />
              <span class="ruler-gain is-buy" style={{ left: `${left}%`, right: 0 }} />
              <span class="ruler-mark" style={{ left: `${left}%` }} />
            </div>
            {low !== null && high !== null && (
              <p class="ruler-words">
                Selling earns <b class="num tone-sell">{price(micro - low)}</b> more, buying saves{" "}
                <b class="num tone-buy">{price(Math.max(0, high - micro))}</b> {currency}/kWh, before the fee
              </p>
            )}
          </div>
        );
      })}
    </div>
  );
};
