import type { OrderState, PointDetail, PointSlot } from "../../protocol/api.ts";
import { slotSpan } from "../format/time.ts";
import { Energy, Money, Price } from "../parts/number.tsx";
import { Side } from "../parts/panel.tsx";
import { Transaction } from "../parts/transaction.tsx";
import { CheckIcon, CrossIcon } from "../picture/icons.tsx";
import { useFetched, useStore, useTicker } from "../state/context.ts";
import { hashOf } from "../state/route.ts";
import { filledWh, journey, type Placed, type StageName } from "../wallet/journey.ts";

/** The way of one order from the signature to the money. */
export const OrderJourney = ({ placed, detail }: { placed: Placed; detail: PointDetail | null }) => {
  const store = useStore();
  useTicker(1_000);
  const { currency } = store.market.value!.community;
  const order = useFetched<OrderState>(() => store.client.order(placed.id), [placed.id, store.changes.value.get(-1)]);
  const slot = detail?.slots.find((row) => row.slot === placed.slot) ?? null;
  const stages = journey(order.data, slot);
  const paid = slot?.paymentNano !== null && slot !== null ? slot : null;
  return (
    <>
      <p class="journey-head">
        <Side sell={placed.sell} words={placed.sell ? "Sell" : "Buy"} /> <Energy wh={placed.energyWh} /> at{" "}
        {placed.sell ? "least" : "most"} <Price micro={placed.priceMicroPerKwh} currency={currency} />
        <a class="journey-slot" href={hashOf("slots", placed.slot)}>
          Slot {slotSpan(placed.slot)}
        </a>
      </p>
      <ol class="journey">
        {stages.map((stage) => (
          <li
            key={stage.name}
            class={`stage is-${stage.state}`}
            aria-current={stage.state === "now" ? "step" : undefined}
            data-stage={stage.name}
            data-state={stage.state}
          >
            <span class="stage-mark" aria-hidden="true">
              {stage.state === "done" ? <CheckIcon /> : stage.state === "failed" ? <CrossIcon /> : null}
            </span>
            <div>
              <p class="stage-name">{names[stage.name]}</p>
              <p class="stage-words">
                <Words
                  name={stage.name}
                  state={stage.state}
                  placed={placed}
                  order={order.data}
                  slot={slot}
                  currency={currency}
                />
              </p>
              {stage.txHash && <Transaction hash={stage.txHash} />}
            </div>
          </li>
        ))}
      </ol>
      {order.error && !order.data && <p class="form-note is-wrong">{order.error}</p>}
      {paid && <Comparison slot={paid} currency={currency} />}
    </>
  );
};

const names: Record<StageName, string> = {
  signed: "Signed",
  accepted: "Accepted by the relay",
  booked: "In the book",
  cleared: "Cleared",
  metered: "Metered",
  paid: "Paid",
};

const Words = ({
  name,
  state,
  placed,
  order,
  slot,
  currency,
}: {
  name: StageName;
  state: string;
  placed: Placed;
  order: OrderState | null;
  slot: PointSlot | null;
  currency: string;
}) => {
  if (state === "failed")
    return (
      <>
        {order?.state === "skipped"
          ? `The contract skipped it: ${order.reason ?? "no reason given"}`
          : "A later order of this home took its place."}
      </>
    );
  if (state === "later") return <>{""}</>;
  const waiting = state === "now";
  switch (name) {
    case "signed":
      return <>By your burner key, in this browser</>;
    case "accepted":
      return <>{waiting ? "Waiting for the relay" : "Stored, it cannot be lost any more"}</>;
    case "booked":
      return <>{waiting ? "Goes on chain with the next batch" : "Folded into the slot's book, on chain"}</>;
    case "cleared":
      if (waiting) return <>The auction runs after the gate closes</>;
      return (
        <>
          {placed.sell ? "Sold" : "Bought"} <Energy wh={filledWh(placed, slot)} />
          {slot?.priceMicroPerKwh !== null && slot !== null && (
            <>
              {" at "}
              <Price micro={slot.priceMicroPerKwh} currency={currency} />
            </>
          )}
        </>
      );
    case "metered":
      return waiting ? (
        <>The meter counts while the slot is delivered</>
      ) : (
        <>
          <Energy wh={slot?.importWh ?? 0} /> in, <Energy wh={slot?.exportWh ?? 0} /> out
        </>
      );
    case "paid":
      return waiting ? (
        <>Settled after the nodes have reported</>
      ) : (
        <>
          <Money nano={slot?.paymentNano ?? "0"} currency={currency} sign="always" digits={6} />
        </>
      );
  }
};

const Comparison = ({ slot, currency }: { slot: PointSlot; currency: string }) => {
  if (slot.paymentNano === null || slot.tariffNano === null) return null;
  const gain = BigInt(slot.paymentNano) - BigInt(slot.tariffNano);
  return (
    <dl class="comparison">
      <div>
        <dt>This slot in the market</dt>
        <dd>
          <Money nano={slot.paymentNano} currency={currency} sign="always" digits={6} />
        </dd>
      </div>
      <div>
        <dt>The tariff would have paid</dt>
        <dd>
          <Money nano={slot.tariffNano} currency={currency} sign="always" digits={6} />
        </dd>
      </div>
      <div class="is-result">
        <dt>{gain >= 0n ? "You are better off by" : "You are worse off by"}</dt>
        <dd>
          <Money nano={gain < 0n ? -gain : gain} currency={currency} digits={6} />
        </dd>
      </div>
    </dl>
  );
};
