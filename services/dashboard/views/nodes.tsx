import type { NodeStatus } from "../../protocol/api.ts";
import { slotLabel } from "../format/time.ts";
import { shortHash } from "../format/words.ts";
import { Copy } from "../parts/copy.tsx";
import { Empty, Failure, Panel, ScreenHead } from "../parts/panel.tsx";
import { CheckIcon, CrossIcon } from "../picture/icons.tsx";
import { useFetched, useStore } from "../state/context.ts";
import { hashOf } from "../state/route.ts";

const words = (nodes: readonly NodeStatus[]): string => {
  const up = nodes.filter((node) => node.reachable).length;
  const faults = Math.floor((nodes.length - 1) / 3);
  const quorum = 2 * faults + 1;
  if (up === nodes.length) return `All ${nodes.length} nodes answer; ${quorum} must agree.`;
  return up >= quorum
    ? `${up} of ${nodes.length} nodes answer; ${quorum} must agree, so readings go on.`
    : `Only ${up} of ${nodes.length} nodes answer; ${quorum} must agree. Slots wait for readings.`;
};

/** Who measures, and do they agree? */
export const NodesView = () => {
  const store = useStore();
  const nodes = useFetched(() => store.client.nodes(), [store.changes.value.get(-1), store.connection.value.kind]);
  const list = nodes.data ?? [];
  return (
    <>
      <ScreenHead
        question="Who measures, and do they agree?"
        answer={list.length === 0 ? "Asking the oracle nodes." : words(list)}
      />
      {nodes.error && list.length === 0 && <Failure message={nodes.error} />}
      {nodes.data && list.length === 0 && (
        <Empty title="No oracle node is registered">The committee appears here when it is set on chain.</Empty>
      )}
      <div class="nodes">
        {list.map((node) => (
          <NodeCard key={node.index} node={node} />
        ))}
      </div>
      <Panel title="How a reading becomes money">
        <ol class="how">
          <li>Every node reads every meter over Modbus, by itself, at each boundary of a slot.</li>
          <li>It signs what it saw. A leader, another one each slot, takes the median of every meter.</li>
          <li>
            The others compare the medians with the signed observations and sign too. One liar cannot push a median
            beyond what honest nodes saw.
          </li>
          <li>The contract takes the report only with enough signatures, and pays from nothing else.</li>
        </ol>
      </Panel>
    </>
  );
};

const NodeCard = ({ node }: { node: NodeStatus }) => (
  <section class={`panel node${node.reachable ? "" : " is-down"}`} aria-label={`Node ${node.index}`}>
    <header class="node-head">
      <h2>Node {node.index}</h2>
      <span class={`verdict${node.reachable ? "" : " is-through"}`}>
        {node.reachable ? <CheckIcon /> : <CrossIcon />}
        {node.reachable ? "Answers" : "Silent"}
      </span>
    </header>
    <dl class="pairs">
      <div>
        <dt>Last report</dt>
        <dd>
          {node.lastReportedSlot === null ? (
            <span class="quiet">none yet</span>
          ) : (
            <a class="num" href={hashOf("slots", node.lastReportedSlot)}>
              {slotLabel(node.lastReportedSlot)} <span class="slot-number">#{node.lastReportedSlot}</span>
            </a>
          )}
        </dd>
      </div>
      <div>
        <dt>Deviations found</dt>
        <dd class="num">
          {node.deviations === null ? (
            <span class="quiet">unknown</span>
          ) : node.deviations === 0 ? (
            "none"
          ) : (
            node.deviations
          )}
        </dd>
      </div>
      <div>
        <dt>Key</dt>
        <dd>
          {node.address === null ? (
            <span class="quiet">unknown</span>
          ) : (
            <span class="hash-line">
              <code class="hash" title={node.address}>
                {shortHash(node.address)}
              </code>
              <Copy text={node.address} what="address" />
            </span>
          )}
        </dd>
      </div>
      <div>
        <dt>Address</dt>
        <dd>
          <code class="hash">{node.url.replace(/^https?:\/\//, "")}</code>
        </dd>
      </div>
    </dl>
  </section>
);
