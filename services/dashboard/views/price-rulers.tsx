import type { SlotSummary } from "../../protocol/api.ts";
import { price } from "../format/money.ts";
import { slotLabel } from "../format/time.ts";
import { Energy, Price } from "../parts/number.tsx";
import { groupByPrice } from "../picture/price-groups.ts";
import { useStore } from "../state/context.ts";
import { hashOf } from "../state/route.ts";

/** The newest cleared prices on a ruler from the export to the import tariff; zones of one price share a ruler. */
export const PriceRulers = ({ slots }: { slots: readonly SlotSummary[] }) => {
  const store = useStore();
  const market = store.market.value!;
  const { currency } = market.community;
  const slot = slots.at(-1)!;
  const low = slot.exportTariff;
  const high = slot.importTariff;
  const fee = [...store.terms.value.values()][0]?.fee ?? 0;
  const at = (micro: number): number =>
    low === null || high === null || high <= low
      ? 50
      : Math.max(0, Math.min(100, ((micro - low) / (high - low)) * 100));
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
      {groupByPrice(market.zones, slot.prices).map(({ name, micro }) => (
        <div class="ruler" key={name}>
          <div class="ruler-head">
            <span>{name}</span>
            <strong>
              <Price micro={micro} currency={currency} />
            </strong>
          </div>
          <div class="ruler-track" aria-hidden="true">
            <span class="ruler-gain is-sell" style={{ width: `${at(micro)}%` }} />
            <span class="ruler-gain is-buy" style={{ left: `${at(micro)}%`, right: 0 }} />
            <span class="ruler-mark" style={{ left: `${at(micro)}%` }} />
          </div>
          {low !== null && high !== null && (
            <dl class="ruler-words">
              <div>
                <dt>Selling here earns</dt>
                <dd class="tone-sell">
                  <span class="num">{price(Math.max(0, micro - low))}</span>{" "}
                  <span class="unit">{currency}/kWh more</span>
                </dd>
              </div>
              <div class="end">
                <dt>Buying here saves</dt>
                <dd class="tone-buy">
                  <span class="num">{price(Math.max(0, high - micro - fee))}</span>{" "}
                  <span class="unit">{currency}/kWh</span>
                </dd>
              </div>
            </dl>
          )}
        </div>
      ))}
      <dl class="pairs rulers-sums">
        <div>
          <dt>Fee, already taken off what buying saves</dt>
          <dd>
            <Price micro={fee} currency={currency} />
          </dd>
        </div>
        <div>
          <dt>Traded between homes</dt>
          <dd>
            <Energy wh={slot.localWh} />
          </dd>
        </div>
        <div>
          <dt>Traded with the grid</dt>
          <dd>
            <Energy wh={slot.backupSoldWh + slot.backupBoughtWh} />
          </dd>
        </div>
        <div>
          <dt>In the book</dt>
          <dd>
            <a class="num" href={hashOf("slots", slot.slot)}>
              {slot.orders}
              <span class="unit">&nbsp;orders</span>
            </a>
          </dd>
        </div>
      </dl>
    </div>
  );
};
