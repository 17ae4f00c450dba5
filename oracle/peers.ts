/** The other nodes as seen from this one: HTTP, answers checked against their schemas. */
import { z } from "zod";
import { parseWith } from "../services/platform/config.ts";
import { fetchJson } from "../services/platform/http.ts";
import {
  landedReportSchema,
  reportRecordSchema,
  signedObservationSchema,
  type Proposal,
  type ReportRecord,
  type SignedObservation,
} from "../services/protocol/committee.ts";
import type { OracleConfig } from "./config.ts";

const signatureAnswer = z.object({ signature: z.string() });
const turnAnswer = z.union([
  z.object({ report: landedReportSchema }).strict(),
  z.object({ waiting: z.string() }).strict(),
]);

/** What a leader did with its turn: the slot is reported, or it waits and says for what. */
export type TurnAnswer = z.infer<typeof turnAnswer>;

export interface Peers {
  /** Indices of all other nodes. */
  others: readonly number[];
  /** @throws when the node does not answer in time or refuses; so do all calls below */
  observe(node: number, slot: number): Promise<SignedObservation>;
  propose(node: number, proposal: Proposal): Promise<string>;
  turn(node: number, slot: number, attempt: number): Promise<TurnAnswer>;
  report(node: number, slot: number): Promise<ReportRecord>;
}

export const createPeers = ({ peers, index, timeouts }: Pick<OracleConfig, "peers" | "index" | "timeouts">): Peers => {
  const urls = new Map(peers.map((peer) => [peer.index, peer.url.replace(/\/$/, "")]));
  const at = (node: number, path: string): string => `${urls.get(node)}${path}`;
  return {
    others: [...urls.keys()].filter((node) => node !== index).sort((a, b) => a - b),
    observe: async (node, slot) => {
      const body = await fetchJson(at(node, "/observe"), {
        method: "POST",
        body: { slot },
        timeoutMs: timeouts.peerMs,
      });
      return parseWith(signedObservationSchema, body, `observation of node ${node}`);
    },
    propose: async (node, proposal) => {
      const body = await fetchJson(at(node, "/propose"), {
        method: "POST",
        body: proposal,
        timeoutMs: timeouts.peerMs,
      });
      return parseWith(signatureAnswer, body, `signature of node ${node}`).signature;
    },
    turn: async (node, slot, attempt) => {
      const body = await fetchJson(at(node, `/turns/${slot}/${attempt}`), { timeoutMs: timeouts.turnMs });
      return parseWith(turnAnswer, body, `turn of node ${node}`);
    },
    report: async (node, slot) => {
      const body = await fetchJson<{ registers?: unknown }>(at(node, `/reports/${slot}`), {
        timeoutMs: timeouts.peerMs,
      });
      const { registers: _registers, ...record } = body;
      return parseWith(reportRecordSchema, record, `report of node ${node}`);
    },
  };
};
