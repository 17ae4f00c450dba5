import { useState } from "preact/hooks";
import type { ApiPoint, LocalWallet } from "../../protocol/api.ts";
import { money, price } from "../format/money.ts";
import { countdown, slotSpan } from "../format/time.ts";
import { Side } from "../parts/panel.tsx";
import { useStore, useTicker } from "../state/context.ts";
import { slotClock } from "../state/slot-clock.ts";
import { checkDraft, defaultEnergy, defaultPrice, nextSequence } from "../wallet/draft.ts";
import type { Placed } from "../wallet/journey.ts";
import { signOrder } from "../wallet/sign.ts";

interface Props {
  wallet: LocalWallet;
  point: ApiPoint;
  onPlaced(order: Placed): void;
}

/** Side, energy and limit price of one order for the next open slot; signs and sends it. */
export const OrderForm = ({ wallet, point, onPlaced }: Props) => {
  const store = useStore();
  useTicker(250);
  const market = store.market.value!;
  const clock = slotClock(store.now());
  const terms = store.terms.value.get(clock.openSlot) ?? [...store.terms.value.values()].at(-1);
  const [sell, setSell] = useState(true);
  const [energyText, setEnergyText] = useState<string | null>(null);
  const [priceText, setPriceText] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<{ field: "energy" | "price" | "send"; message: string } | null>(null);
  const { currency } = market.community;
  if (!terms) return <p class="quiet">Waiting for the tariffs of the next slot.</p>;

  const energy = energyText ?? String(defaultEnergy(sell, point));
  const limit = priceText ?? price(defaultPrice(sell, terms));
  const checked = checkDraft({ sell, energy, price: limit }, point, terms);
  const wrong = problem?.field !== "send" && !checked.ok ? checked : null;
  const worth = checked.ok ? BigInt(checked.energyWh) * BigInt(checked.priceMicroPerKwh) : null;

  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (!checked.ok || busy) return;
    setBusy(true);
    setProblem(null);
    try {
      const slot = slotClock(store.now()).openSlot;
      const [highest] = await store.client.sequences(point.point, slot, 1);
      const { energyWh, priceMicroPerKwh } = checked;
      const body = signOrder(
        {
          point: point.point,
          slot,
          sequence: nextSequence(highest ?? 0),
          steps: [{ sell, green: false, energyWh, priceMicroPerKwh }],
        },
        { chainId: market.chainId, orderBook: market.addresses.orderBook!, privateKey: wallet.privateKey },
      );
      const { id } = await store.client.placeOrder(body);
      onPlaced({ id, slot, sequence: body.sequence, sell, energyWh, priceMicroPerKwh });
    } catch (error) {
      setProblem({ field: "send", message: error instanceof Error ? error.message : String(error) });
    } finally {
      setBusy(false);
    }
  };

  const choose = (side: boolean): void => {
    setSell(side);
    setPriceText(null);
    setProblem(null);
  };
  return (
    <form class="order-form" onSubmit={(event) => void submit(event)} noValidate>
      <p class="order-slot">
        <span>
          Slot <strong class="num">{slotSpan(clock.openSlot)}</strong>{" "}
          <span class="slot-number">#{clock.openSlot}</span>
        </span>
        {clock.nextPhase === "open" && (
          <span class="quiet num">
            gate in {countdown(clock.secondsLeft)}
            <span class="unit">&nbsp;min</span>
          </span>
        )}
      </p>
      <div class="segmented" role="radiogroup" aria-label="Side">
        {[true, false].map((side) => (
          <label key={String(side)} class={`segment ${side ? "is-sell" : "is-buy"}${sell === side ? " is-on" : ""}`}>
            <input
              type="radio"
              name="side"
              value={side ? "sell" : "buy"}
              checked={sell === side}
              onChange={() => choose(side)}
            />
            <Side sell={side} />
          </label>
        ))}
      </div>
      <div class="fields">
        <label class="field">
          <span class="field-name">Energy</span>
          <span class="field-box">
            <input
              name="energy"
              inputMode="numeric"
              autocomplete="off"
              value={energy}
              aria-invalid={wrong?.field === "energy"}
              aria-describedby="form-note"
              onInput={(event) => setEnergyText(event.currentTarget.value)}
            />
            <span class="unit">Wh</span>
          </span>
        </label>
        <label class="field">
          <span class="field-name">{sell ? "At least" : "At most"}</span>
          <span class="field-box">
            <input
              name="price"
              inputMode="decimal"
              autocomplete="off"
              value={limit}
              aria-invalid={wrong?.field === "price"}
              aria-describedby="form-note"
              onInput={(event) => setPriceText(event.currentTarget.value)}
            />
            <span class="unit">{currency}/kWh</span>
          </span>
        </label>
      </div>
      <div class="bounds">
        <div class="bounds-track" aria-hidden="true">
          <span
            class={`bounds-mark ${sell ? "is-sell" : "is-buy"}`}
            style={{ left: `${boundAt(checked.ok ? checked.priceMicroPerKwh : null, terms)}%` }}
          />
        </div>
        <div class="bounds-ends">
          <span>
            Grid pays <b class="num">{price(terms.exportTariff)}</b>
          </span>
          <span>
            Grid charges <b class="num">{price(terms.importTariff)}</b> {currency}/kWh
          </span>
        </div>
      </div>
      <p
        id="form-note"
        class={`form-note${wrong || problem ? " is-wrong" : ""}`}
        role={wrong || problem ? "alert" : undefined}
      >
        {problem
          ? problem.message
          : wrong
            ? wrong.message
            : sell
              ? `You earn at least ${money(worth!)} ${currency} if all of it is sold. What is left goes to the grid at its tariff.`
              : `You pay at most ${money(worth!)} ${currency} if all of it is bought, fee included. The grid covers the rest at its tariff.`}
      </p>
      <button type="submit" class={`primary ${sell ? "is-sell" : "is-buy"}`} disabled={busy || !checked.ok}>
        {busy
          ? "Signing and sending"
          : `Sign and ${sell ? "sell" : "buy"}${checked.ok ? ` ${checked.energyWh}\u00a0Wh` : ""}`}
      </button>
    </form>
  );
};

const boundAt = (micro: number | null, terms: { exportTariff: number; importTariff: number }): number =>
  micro === null
    ? 50
    : Math.max(
        0,
        Math.min(100, ((micro - terms.exportTariff) / Math.max(1, terms.importTariff - terms.exportTariff)) * 100),
      );
