import { Panel, ScreenHead, Empty } from "../parts/panel.tsx";
import { Power } from "../parts/number.tsx";
import { balanceOf, flowSentence } from "../picture/flow.ts";
import { PowerFlow } from "../picture/power-flow.tsx";
import { SlotChartLegend, SlotChartView } from "../picture/slot-chart.tsx";
import { useStore } from "../state/context.ts";
import { SlotClockView } from "./clock.tsx";
import { PriceRulers } from "./price-rulers.tsx";

/** Where does energy flow now? */
export const GridView = () => {
  const store = useStore();
  const market = store.market.value!;
  const live = store.live.value;
  const slots = store.slots.value;
  const known = slots.filter((slot) => Object.keys(slot.prices).length > 0);
  const delivered = known.find((slot) => slot.slot === market.slot) ?? null;
  const balance = live ? balanceOf(live) : null;
  const cleared = known.length > 0;
  const { currency } = market.community;
  return (
    <>
      <ScreenHead
        live
        question="Where does energy flow now?"
        answer={balance ? flowSentence(balance) : "Waiting for the first readings."}
        aside={<SlotClockView />}
      />
      <dl class="facts">
        <Fact name="Homes feed in" tone="sell" w={balance?.sellingW} />
        <Fact name="Homes take" tone="buy" w={balance?.buyingW} />
        <Fact name="Stays local" w={balance?.localW} />
        <Fact
          name={(balance?.gridW ?? 0) < 0 ? "Goes to the grid" : "Comes from the grid"}
          w={balance ? Math.abs(balance.gridW) : undefined}
        />
      </dl>
      <PowerFlow market={market} live={live} prices={delivered?.prices ?? null} />
      <ul class="legend picture-legend">
        <li>
          <svg class="key-mark tone-sell" viewBox="0 0 10 10" aria-hidden="true">
            <path d="M5 1 9 8.5H1z" />
          </svg>
          feeds in
        </li>
        <li>
          <svg class="key-mark tone-buy" viewBox="0 0 10 10" aria-hidden="true">
            <path d="M5 9 1 1.5h8z" />
          </svg>
          takes
        </li>
        <li>
          <svg class="key-glyph" viewBox="0 0 22 12" aria-hidden="true">
            <path class="solar" d="M3 2 19 10" />
          </svg>
          solar roof
        </li>
        <li>
          <svg class="key-glyph" viewBox="0 0 22 14" aria-hidden="true">
            <path class="filled" d="M8 3h6v10H8zM9.5 3V1h3v2z" />
          </svg>
          battery
        </li>
        <li>
          <svg class="key-glyph" viewBox="18 25 13 12" aria-hidden="true">
            <path
              class="filled"
              d="M19.2 34v-4.2l1.300-.5 1.600-3.300h5.300l1.700 3.300 1.300.5V34h-2a1.5 1.5 0 0 1-3 0h-1.700a1.5 1.5 0 0 1-3 0z"
            />
          </svg>
          car
        </li>
        <li class="legend-wide">
          <svg class="key" viewBox="0 0 22 8" aria-hidden="true">
            <path class="key-track" d="M0 4H22" />
            <path class="key-flow" d="M0 4H22" />
          </svg>
          line: how much of its limit is in use
        </li>
      </ul>
      <div class="two">
        <Panel
          title="Prices against the tariff"
          hint={cleared ? "A price inside the bar is better than the tariff for both sides." : undefined}
        >
          {cleared ? (
            <PriceRulers slots={known} />
          ) : (
            <Empty title="No slot is cleared yet">
              The first price appears when the gate of the first slot closes.
            </Empty>
          )}
        </Panel>
        <Panel title="Last slots">
          {cleared ? (
            <>
              <SlotChartView slots={known} zones={market.zones} currency={currency} />
              <SlotChartLegend zones={market.zones} />
            </>
          ) : (
            <Empty title="Nothing traded yet">Prices and traded energy of every slot will stand here.</Empty>
          )}
        </Panel>
      </div>
    </>
  );
};

const Fact = ({ name, w, tone }: { name: string; w: number | undefined; tone?: "buy" | "sell" }) => (
  <div class="fact">
    <dt>{name}</dt>
    <dd>{w === undefined ? <span class="quiet">no reading</span> : <Power w={w} {...(tone ? { tone } : {})} />}</dd>
  </div>
);
