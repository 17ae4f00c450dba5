import type { ApiPoint } from "../../protocol/api.ts";
import { dayEnergy } from "../format/energy.ts";
import { money, savedPercent } from "../format/money.ts";
import { dayLabel, SLOT_SECONDS } from "../format/time.ts";
import { count, nameOf } from "../format/words.ts";
import { Money, Num, Power } from "../parts/number.tsx";
import { Empty, Failure, Panel, ScreenHead } from "../parts/panel.tsx";
import { directionOf } from "../picture/flow.ts";
import { HomeGlyph } from "../picture/home-glyph.tsx";
import { billsOf, totalBill, type Bill } from "../state/bills.ts";
import { useStore } from "../state/context.ts";
import { useTodaysStories } from "../state/stories.ts";

/** What does the market save each home today? */
export const HomesView = () => {
  const store = useStore();
  const market = store.market.value!;
  const { stories, error } = useTodaysStories();
  const bills = billsOf(stories);
  const total = totalBill(bills.values());
  const { currency } = market.community;
  const saved = total.marketNano - total.tariffNano;
  const powerOf = new Map(store.live.value?.points.map((point) => [point.point, point.powerW]));
  return (
    <>
      <ScreenHead
        question="What does the market save each home today?"
        answer={
          bills.size === 0
            ? "No slot of today is settled yet."
            : `${money(saved < 0n ? -saved : saved, 2)}\u00a0${currency} ${saved >= 0n ? "saved" : "lost"} by ${count(bills.size, "home")}, ${dayLabel(market.slot * SLOT_SECONDS)}.`
        }
      />
      {error && stories.length === 0 && <Failure message={error} />}
      <Panel
        title="Bills today"
        hint={`From ${count(stories.length, "settled slot")}. Costs are positive, income negative. The tariff column is the same metered energy without a market.`}
      >
        {market.points.length === 0 ? (
          <Empty title="No home is connected yet" />
        ) : (
          <div class="table-frame" tabIndex={0} role="region" aria-label="Bills today">
            <table class="homes">
              <thead>
                <tr>
                  <th scope="col">Home</th>
                  <th scope="col" class="wide">
                    Zone
                  </th>
                  <th scope="col" class="end wide">
                    Now
                  </th>
                  <th scope="col" class="end wide">
                    Metered in
                  </th>
                  <th scope="col" class="end wide">
                    Metered out
                  </th>
                  <th scope="col" class="end">
                    Tariff bill
                  </th>
                  <th scope="col" class="end">
                    Market bill
                  </th>
                  <th scope="col" class="end">
                    Saved
                  </th>
                  <th scope="col" class="end wide">
                    Share
                  </th>
                </tr>
              </thead>
              <tbody>
                {market.points.map((point) => (
                  <Row
                    key={point.point}
                    point={point}
                    bill={bills.get(point.point)}
                    powerW={powerOf.get(point.point)}
                    currency={currency}
                  />
                ))}
              </tbody>
              {bills.size > 0 && (
                <tfoot>
                  <tr>
                    <th scope="row">All homes</th>
                    <td class="wide" colSpan={2} />
                    <td class="end wide">
                      <Num {...dayEnergy(total.importWh)} />
                    </td>
                    <td class="end wide">
                      <Num {...dayEnergy(total.exportWh)} />
                    </td>
                    <td class="end">
                      <Money nano={-total.tariffNano} currency={currency} digits={3} />
                    </td>
                    <td class="end">
                      <Money nano={-total.marketNano} currency={currency} digits={3} />
                    </td>
                    <Saved bill={total} currency={currency} />
                  </tr>
                </tfoot>
              )}
            </table>
          </div>
        )}
      </Panel>
    </>
  );
};

const Row = ({
  point,
  bill,
  powerW,
  currency,
}: {
  point: ApiPoint;
  bill: Bill | undefined;
  powerW: number | undefined;
  currency: string;
}) => {
  const direction = directionOf(powerW);
  return (
    <tr>
      <th scope="row">
        <span class="home-name">
          <svg viewBox="-20 0 40 40" width="24" height="24" aria-hidden="true">
            <HomeGlyph point={point} direction={direction} size={40} />
          </svg>
          {nameOf(point)}
        </span>
      </th>
      <td class="wide">{point.zone}</td>
      <td class="end wide">
        {powerW === undefined ? (
          <span class="quiet">no reading</span>
        ) : (
          <span class={direction === "still" ? "quiet" : `tone-${direction}`}>
            {direction === "still" ? "" : direction === "sell" ? "gives " : "takes "}
            <Power w={Math.abs(powerW)} />
          </span>
        )}
      </td>
      {bill === undefined ? (
        <td class="end quiet" colSpan={6}>
          after the first settled slot
        </td>
      ) : (
        <>
          <td class="end wide">
            <Num {...dayEnergy(bill.importWh)} />
          </td>
          <td class="end wide">
            <Num {...dayEnergy(bill.exportWh)} />
          </td>
          <td class="end">
            <Money nano={-bill.tariffNano} currency={currency} digits={3} />
          </td>
          <td class="end">
            <Money nano={-bill.marketNano} currency={currency} digits={3} />
          </td>
          <Saved bill={bill} currency={currency} />
        </>
      )}
    </tr>
  );
};

const Saved = ({ bill, currency }: { bill: Bill; currency: string }) => {
  const percent = savedPercent(-bill.marketNano, -bill.tariffNano);
  return (
    <>
      <td class="end strong">
        <Money nano={bill.marketNano - bill.tariffNano} currency={currency} sign="always" digits={3} />
      </td>
      <td class="end wide">{percent === null ? <span class="quiet">earns</span> : <Num value={percent} unit="%" />}</td>
    </>
  );
};
