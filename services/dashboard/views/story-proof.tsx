import type { SlotStory } from "../../protocol/api.ts";
import { price } from "../format/money.ts";
import { Energy, Money, Num, Price } from "../parts/number.tsx";
import { Empty, Panel } from "../parts/panel.tsx";
import { Transaction } from "../parts/transaction.tsx";
import { proofStrips, type ProofStrip } from "../picture/proof-strip.ts";
import { useStore } from "../state/context.ts";

/** Why this price and no other: accepted and refused orders around it, zone by zone. */
export const StoryProof = ({ story }: { story: SlotStory }) => {
  const { currency } = useStore().market.value!.community;
  const { clearing } = story;
  if (!clearing)
    return (
      <Panel id="proof" title="Price and proof">
        <Empty title={story.phase === "void" ? "Nobody cleared this slot in time" : "Not cleared yet"}>
          {story.phase === "void"
            ? "All energy ran at the tariffs; nobody lost anything against them."
            : "The auction runs between the gate and the start of the slot."}
        </Empty>
      </Panel>
    );
  return (
    <Panel
      id="proof"
      title="Price and proof"
      hint="Left of the price everybody who sells for less has sold; right of it everybody who pays more has bought. The contract found no better trade in the whole book, or it would have refused."
      aside={<Transaction hash={clearing.txHash} gasUsed={clearing.gasUsed} label="Clearing transaction" />}
    >
      <div class="strips">
        {proofStrips(story).map((strip) => (
          <Strip key={strip.zone} strip={strip} currency={currency} />
        ))}
      </div>
      <ul class="legend">
        <li>
          <span class="swatch is-sell" /> offer, accepted
        </li>
        <li>
          <span class="swatch is-sell is-hollow" /> offer, left
        </li>
        <li>
          <span class="swatch is-buy" /> bid less fee, accepted
        </li>
        <li>
          <span class="swatch is-buy is-hollow" /> bid less fee, left
        </li>
      </ul>
      <dl class="facts is-small">
        <div class="fact">
          <dt>Bought in all</dt>
          <dd>
            <Energy wh={clearing.boughtWh} />
          </dd>
        </div>
        <div class="fact">
          <dt>From the grid</dt>
          <dd>
            <Energy wh={clearing.backupSoldWh} />
          </dd>
        </div>
        <div class="fact">
          <dt>To the grid</dt>
          <dd>
            <Energy wh={clearing.backupBoughtWh} />
          </dd>
        </div>
        <div class="fact">
          <dt>Gain of all traders</dt>
          <dd>
            <Money nano={clearing.welfareNano} currency={currency} />
          </dd>
        </div>
        {clearing.flows.map((flow) => (
          <div class="fact" key={flow.id}>
            <dt>Line {flow.id}</dt>
            <dd>
              <Energy wh={flow.flowWh} />{" "}
              <span class="of">
                of <Num value={String(flow.capacityWh)} unit="Wh" />
              </span>
            </dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
};

const Strip = ({ strip, currency }: { strip: ProofStrip; currency: string }) => (
  <div class="strip">
    <p class="strip-head">
      <span>{strip.zone}</span>
      <strong>
        <Price micro={strip.price} currency={currency} digits={6} />
      </strong>
    </p>
    <div class="strip-plot" aria-hidden="true">
      <span class="strip-axis" />
      {strip.marks.map((mark, at) => (
        <span
          key={at}
          class={`strip-mark ${mark.sell ? "is-sell" : "is-buy"} is-${mark.share}`}
          style={{ left: `${mark.at * 100}%` }}
        />
      ))}
      <span class="strip-price" style={{ left: `${strip.priceAt * 100}%` }} />
    </div>
    <p class="strip-ends">
      <span class="num">{price(strip.low)}</span>
      <span>
        {strip.lo !== null && strip.hi !== null
          ? strip.lo === strip.hi
            ? `only ${price(strip.lo, 6)} fits here: it decides who at the margin is filled in part`
            : strip.lo < strip.hi
              ? `here any price from ${price(strip.lo, 4)} to ${price(strip.hi, 4)} would fit; the rule takes the middle over the connected zones`
              : "set by the connected zones"
          : "no order on one side here, so the connected zones set the price"}
      </span>
      <span class="num">{price(strip.high)}</span>
    </p>
  </div>
);
