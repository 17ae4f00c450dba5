import type { SlotStory } from "../../protocol/api.ts";
import { energy } from "../format/energy.ts";
import { nameOf } from "../format/words.ts";
import { Num } from "../parts/number.tsx";
import { Empty, Panel } from "../parts/panel.tsx";
import { Hash, Transaction } from "../parts/transaction.tsx";
import { useStore } from "../state/context.ts";

const net = (reading: { importWh: number; exportWh: number }): number => reading.exportWh - reading.importWh;

/** What each node saw beside the median that counts. */
export const StoryReadings = ({ story }: { story: SlotStory }) => {
  const market = useStore().market.value!;
  const { report } = story;
  if (!report)
    return (
      <Panel id="readings" title="Readings">
        <Empty title="Not metered yet">Four nodes read every meter when the slot is over.</Empty>
      </Panel>
    );
  const nodes = report.observations.toSorted((a, b) => a.node - b.node);
  const seen = nodes.map(
    (node) => new Map(node.readings.flatMap((reading) => (reading ? [[reading.point, reading] as const] : []))),
  );
  const columns = nodes.length > 0 ? nodes.map((node) => node.node) : [];
  const quorum = report.signers.map((signer) => `node ${signer}`).join(", ");
  return (
    <Panel
      id="readings"
      title="Readings"
      hint={`Net energy by meter in Wh, positive = fed in. The median counts, so one lying node changes nothing. Signed by ${quorum}.`}
      aside={
        <div class="aside-hash">
          <Transaction hash={report.txHash} gasUsed={report.gasUsed} label="Report transaction" />
          <span class="label">Merkle root</span>
          <Hash hash={report.root} what="Merkle root" />
        </div>
      }
    >
      <div class="table-frame" tabIndex={0} role="region" aria-label="Readings">
        <table>
          <thead>
            <tr>
              <th scope="col">Home</th>
              {columns.map((node) => (
                <th key={node} scope="col" class="end is-node">
                  <span class="wide-words">Node </span>
                  <span class="narrow-words">N</span>
                  {node}
                </th>
              ))}
              <th scope="col" class="end">
                Median
              </th>
              <th scope="col" class="wide">
                Quality
              </th>
            </tr>
          </thead>
          <tbody>
            {report.readings.map((reading) => {
              const point = market.points.find((candidate) => candidate.point === reading.point) ?? {
                home: null,
                point: reading.point,
              };
              const median = net(reading);
              return (
                <tr key={reading.point}>
                  <th scope="row">{nameOf(point)}</th>
                  {seen.map((node, at) => {
                    const own = node.get(reading.point);
                    const far = own !== undefined && Math.abs(net(own) - median) > Math.max(5, Math.abs(median) * 0.05);
                    return (
                      <td key={at} class={`end is-node${far ? " is-far" : ""}`}>
                        {own === undefined ? <span class="quiet">not read</span> : <Num {...energy(net(own))} />}
                      </td>
                    );
                  })}
                  <td class="end strong">
                    <Num {...energy(median)} />
                  </td>
                  <td class="wide">{reading.quality}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      {columns.length === 0 && (
        <p class="hint">No node answers with its own observation right now; the medians are from the chain.</p>
      )}
    </Panel>
  );
};
