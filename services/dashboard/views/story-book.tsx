import { useState } from "preact/hooks";
import type { SlotStory } from "../../protocol/api.ts";
import { count, nameOf } from "../format/words.ts";
import { Energy, Price } from "../parts/number.tsx";
import { Empty, Panel, Side } from "../parts/panel.tsx";
import { Hash, Transaction } from "../parts/transaction.tsx";
import { useStore } from "../state/context.ts";

const FIRST_ROWS = 12;

/** Orders of the slot and the hash that nothing can be dropped from. */
export const StoryBook = ({ story }: { story: SlotStory }) => {
  const { currency } = useStore().market.value!.community;
  const [all, setAll] = useState(false);
  const live = story.orders.filter((order) => order.live);
  const replaced = story.orders.length - live.length;
  const rows = all ? story.orders : live.slice(0, FIRST_ROWS);
  return (
    <Panel
      id="orders"
      title="Orders"
      hint={`${count(live.length, "order step")}${replaced > 0 ? `, ${replaced} replaced by later ones` : ""}. Each was folded into the book's hash as it came: whoever clears must show exactly these.`}
      aside={
        story.book.hash && (
          <div class="aside-hash">
            <span class="label">Book hash</span>
            <Hash hash={story.book.hash} what="book hash" />
          </div>
        )
      }
    >
      {story.orders.length === 0 ? (
        <Empty title="No order came in for this slot" />
      ) : (
        <div class="table-frame" tabIndex={0} role="region" aria-label="Orders">
          <table>
            <thead>
              <tr>
                <th scope="col">Home</th>
                <th scope="col" class="wide">
                  Zone
                </th>
                <th scope="col">Side</th>
                <th scope="col" class="end">
                  Energy
                </th>
                <th scope="col" class="end">
                  Limit
                </th>
                <th scope="col" class="end">
                  Filled
                </th>
                <th scope="col" class="wide">
                  Transaction
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.map((order, at) => (
                <tr key={at} class={order.live ? "" : "is-replaced"}>
                  <th scope="row">{nameOf(order)}</th>
                  <td class="wide">{order.zone}</td>
                  <td>
                    <Side sell={order.sell} />
                  </td>
                  <td class="end">
                    <Energy wh={order.energyWh} />
                  </td>
                  <td class="end">
                    <Price micro={order.priceMicroPerKwh} currency={currency} />
                  </td>
                  <td class="end">
                    {!order.live ? (
                      <span class="quiet">replaced</span>
                    ) : order.filledWh === null ? (
                      <span class="quiet">later</span>
                    ) : (
                      <Fill filledWh={order.filledWh} energyWh={order.energyWh} sell={order.sell} />
                    )}
                  </td>
                  <td class="wide">
                    <Transaction hash={order.txHash} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {story.orders.length > rows.length && (
        <button type="button" class="more" onClick={() => setAll(true)}>
          Show all {story.orders.length} steps
        </button>
      )}
      {story.book.appendTxs.length > 0 && (
        <p class="appended">
          <span class="label">Appended in {count(story.book.appendTxs.length, "transaction")}</span>
          {story.book.appendTxs.map((hash) => (
            <Transaction key={hash} hash={hash} />
          ))}
        </p>
      )}
      {story.skipped.length > 0 && (
        <ul class="skipped">
          {story.skipped.map((skip, at) => (
            <li key={at}>
              Skipped by the contract: point {skip.point}, sequence {skip.sequence}: {skip.reason}{" "}
              <Transaction hash={skip.txHash} />
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
};

const Fill = ({ filledWh, energyWh, sell }: { filledWh: number; energyWh: number; sell: boolean }) => (
  <span class="fill">
    <span class="fill-track" aria-hidden="true">
      <span class={sell ? "is-sell" : "is-buy"} style={{ width: `${(100 * filledWh) / Math.max(1, energyWh)}%` }} />
    </span>
    <Energy wh={filledWh} />
  </span>
);
