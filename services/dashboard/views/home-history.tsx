import type { PointSlot } from "../../protocol/api.ts";
import { slotLabel } from "../format/time.ts";
import { Energy, Money, Price } from "../parts/number.tsx";
import { Empty } from "../parts/panel.tsx";
import { hashOf } from "../state/route.ts";

const ROWS = 12;

/** Recent slots of one home, newest first. */
export const HomeHistory = ({ slots, currency }: { slots: readonly PointSlot[]; currency: string }) => {
  const rows = slots.filter((slot) => slot.positionWh !== null || slot.paymentNano !== null).slice(0, ROWS);
  if (rows.length === 0) return <Empty title="No slot yet">The first one appears when it is cleared.</Empty>;
  return (
    <div class="table-frame" tabIndex={0} role="region" aria-label="Your last slots">
      <table>
        <thead>
          <tr>
            <th scope="col">Slot</th>
            <th scope="col" class="end">
              Traded
            </th>
            <th scope="col" class="end wide">
              Price
            </th>
            <th scope="col" class="end wide">
              Metered in
            </th>
            <th scope="col" class="end wide">
              Metered out
            </th>
            <th scope="col" class="end">
              Market
            </th>
            <th scope="col" class="end wide">
              Tariff
            </th>
            <th scope="col" class="end">
              Gain
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.slot}>
              <th scope="row">
                <a class="num" href={hashOf("slots", row.slot)}>
                  {slotLabel(row.slot)}
                </a>
              </th>
              <td class="end">
                {row.positionWh === null ? (
                  <Later />
                ) : row.positionWh === 0 ? (
                  <span class="quiet">none</span>
                ) : (
                  <Traded wh={row.positionWh} />
                )}
              </td>
              <td class="end wide">
                {row.priceMicroPerKwh === null ? <Later /> : <Price micro={row.priceMicroPerKwh} currency={currency} />}
              </td>
              <td class="end wide">{row.importWh === null ? <Later /> : <Energy wh={row.importWh} />}</td>
              <td class="end wide">{row.exportWh === null ? <Later /> : <Energy wh={row.exportWh} />}</td>
              <td class="end">
                {row.paymentNano === null ? (
                  <Later />
                ) : (
                  <Money nano={row.paymentNano} currency={currency} sign="always" />
                )}
              </td>
              <td class="end wide">
                {row.tariffNano === null ? (
                  <Later />
                ) : (
                  <Money nano={row.tariffNano} currency={currency} sign="always" />
                )}
              </td>
              <td class="end strong">
                {row.paymentNano === null || row.tariffNano === null ? (
                  <Later />
                ) : (
                  <Money nano={BigInt(row.paymentNano) - BigInt(row.tariffNano)} currency={currency} sign="always" />
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
};

const Later = () => <span class="quiet">later</span>;

const Traded = ({ wh }: { wh: number }) => (
  <span class={wh > 0 ? "tone-sell" : "tone-buy"}>
    {wh > 0 ? "sold " : "bought "}
    <Energy wh={Math.abs(wh)} />
  </span>
);
