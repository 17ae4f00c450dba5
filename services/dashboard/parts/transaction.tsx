import { useState } from "preact/hooks";
import { shortHash } from "../format/words.ts";
import { LinkIcon } from "../picture/icons.tsx";
import { useFetched, useStore } from "../state/context.ts";
import { Copy } from "./copy.tsx";

const group = (n: number): string => n.toString().replace(/\B(?=(\d{3})+$)/g, "\u202f");

/** A transaction as a link that opens its details in place: a local chain has no explorer to link to. */
export const Transaction = ({ hash, gasUsed, label }: { hash: string; gasUsed?: number; label?: string }) => {
  const [open, setOpen] = useState(false);
  return (
    <span class="tx">
      <button type="button" class="tx-link" aria-expanded={open} title={hash} onClick={() => setOpen(!open)}>
        <LinkIcon />
        {label ?? shortHash(hash)}
      </button>
      {open && <Details hash={hash} gasUsed={gasUsed ?? null} />}
    </span>
  );
};

const Details = ({ hash, gasUsed }: { hash: string; gasUsed: number | null }) => {
  const { client } = useStore();
  const { data } = useFetched(() => client.transaction(hash), [hash]);
  const gas = data?.gasUsed ?? gasUsed;
  return (
    <span class="tx-panel" role="group" aria-label="Transaction">
      <span class="tx-row">
        <span class="label">Transaction</span>
        <code class="hash">{hash}</code>
        <Copy text={hash} what="transaction hash" />
      </span>
      <span class="tx-facts">
        {data?.block !== null && data?.block !== undefined && (
          <span>
            <span class="label">Block</span> <span class="num">{group(data.block)}</span>
          </span>
        )}
        {gas !== null && (
          <span>
            <span class="label">Gas</span>{" "}
            <span class="num">
              {group(gas)}
              <span class="unit">&nbsp;gas</span>
            </span>
          </span>
        )}
        {data?.status && (
          <span>
            <span class="label">Result</span> {data.status === "success" ? "accepted" : "reverted"}
          </span>
        )}
      </span>
    </span>
  );
};

/** A hash that is no transaction: short, complete on hover, copyable. */
export const Hash = ({ hash, what }: { hash: string; what: string }) => (
  <span class="hash-line">
    <code class="hash" title={hash}>
      {shortHash(hash, 8)}
    </code>
    <Copy text={hash} what={what} />
  </span>
);
