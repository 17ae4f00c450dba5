import type { SlotStory } from "../../protocol/api.ts";
import { nameOf } from "../format/words.ts";
import { Energy, Money } from "../parts/number.tsx";
import { Empty, Panel } from "../parts/panel.tsx";
import { Transaction } from "../parts/transaction.tsx";
import { useStore } from "../state/context.ts";

/** Who got and paid what; the sum of everything is exactly zero. */
export const StoryPayments = ({ story }: { story: SlotStory }) => {
  const { currency } = useStore().market.value!.community;
  const { settlement } = story;
  if (!settlement)
    return (
      <Panel id="payments" title="Payments">
        <Empty title="Not paid yet">Payments follow the report, all homes in one transaction.</Empty>
      </Panel>
    );
  const homes = settlement.payments.reduce((sum, payment) => sum + BigInt(payment.paymentNano), 0n);
  const others: readonly (readonly [string, string])[] = [
    ["Backup supplier", settlement.backupNano],
    ["Grid operator", settlement.operatorNano],
    ["Members' pool", settlement.membersNano],
    ["Congestion account", settlement.congestionNano],
    ["Clearer", settlement.clearerNano],
  ];
  const sum = others.reduce((all, [, nano]) => all + BigInt(nano), homes);
  const cell = (nano: string | bigint) => <Money nano={nano} currency={currency} sign="always" digits={6} />;
  return (
    <Panel
      id="payments"
      title="Payments"
      hint="Position at the zone price, fee, what the meter saw beyond the position at the tariffs, and the fee of the order's words."
      aside={<Transaction hash={settlement.txHash} gasUsed={settlement.gasUsed} label="Settlement transaction" />}
    >
      <div class="table-frame" tabIndex={0} role="region" aria-label="Payments">
        <table>
          <thead>
            <tr>
              <th scope="col">Account</th>
              <th scope="col" class="end wide">
                Position
              </th>
              <th scope="col" class="end wide">
                Metered
              </th>
              <th scope="col" class="end wide">
                Energy
              </th>
              <th scope="col" class="end wide">
                Fee
              </th>
              <th scope="col" class="end wide">
                Imbalance
              </th>
              <th scope="col" class="end wide">
                Words
              </th>
              <th scope="col" class="end">
                Payment
              </th>
              <th scope="col" class="end">
                Tariff alone
              </th>
            </tr>
          </thead>
          <tbody>
            {settlement.payments.map((payment) => (
              <tr key={payment.point}>
                <th scope="row">{nameOf(payment)}</th>
                <td class="end wide">
                  <Energy wh={payment.positionWh} />
                </td>
                <td class="end wide">
                  <Energy wh={payment.exportWh - payment.importWh} />
                </td>
                <td class="end wide">{cell(payment.energyNano)}</td>
                <td class="end wide">{cell(payment.feeNano)}</td>
                <td class="end wide">{cell(payment.imbalanceNano)}</td>
                <td class="end wide">{cell(payment.wordFeeNano)}</td>
                <td class="end strong">{cell(payment.paymentNano)}</td>
                <td class="end quiet">{cell(payment.tariffNano)}</td>
              </tr>
            ))}
            {others.map(([name, nano]) => (
              <tr key={name} class="is-other">
                <th scope="row">{name}</th>
                <td class="wide" colSpan={6} />
                <td class="end strong">{cell(nano)}</td>
                <td />
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row">Sum</th>
              <td class="wide" colSpan={6} />
              <td class="end strong">{cell(sum)}</td>
              <td />
            </tr>
          </tfoot>
        </table>
      </div>
    </Panel>
  );
};
