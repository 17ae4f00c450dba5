/** One oracle node, wired: meters, records, committee, chain, HTTP. */
import { computeAddress, SigningKey } from "ethers";
import { slotAt } from "../services/platform/clock.ts";
import { loadConfig } from "../services/platform/config.ts";
import { isRetryable, messageOf, wrongInput } from "../services/platform/errors.ts";
import { serve } from "../services/platform/http.ts";
import type { Log } from "../services/platform/log.ts";
import type { Running } from "../services/platform/process.ts";
import { readPrivateKey } from "../services/platform/private-key.ts";
import { createProvider } from "../services/platform/provider.ts";
import { addressesSchema } from "../services/protocol/addresses.ts";
import type { SignedObservation } from "../services/protocol/committee.ts";
import { reportDomain } from "../services/protocol/report.ts";
import { createApi } from "./api.ts";
import { checkCommittee, createChain, isChainRefusal } from "./chain.ts";
import { createCommittee } from "./committee.ts";
import type { OracleConfig } from "./config.ts";
import { createCosigner } from "./cosigner.ts";
import { createReportLedger } from "./ledger.ts";
import { createMeters, headKey, pointKey } from "./meters.ts";
import { ownObservation } from "./observation.ts";
import { createPeers } from "./peers.ts";
import { createProgress } from "./progress.ts";
import { openRecords } from "./records.ts";
import { createRounds } from "./rounds.ts";
import { headMismatches } from "./status.ts";

/** Starts a node: it answers requests at once and reads and reports when it is ticked. */
export const startNode = async ({ config, log }: { config: OracleConfig; log: Log }): Promise<Running> => {
  const signingKey = new SigningKey(readPrivateKey(config));
  const address = computeAddress(signingKey);
  const peersByIndex = [...config.peers].sort((a, b) => a.index - b.index);
  const members = peersByIndex.map((peer) => peer.address);
  if (members[config.index] !== address) {
    throw wrongInput(`peers[${config.index}].address: is ${members[config.index]}, but this node's key is ${address}`);
  }
  if (config.lie)
    log.warn({ lie: config.lie }, "this node lies about what it reads: a demonstration, never a deployment");

  const addresses = loadConfig(config.addressesFile, addressesSchema, "addresses file");
  const provider = await createProvider({ urls: config.rpcUrls, timeoutMs: config.timeouts.rpcMs });
  await checkCommittee(provider, addresses, { addresses: members, faults: config.faults });

  const records = openRecords(config.statePath, config.firstSlot);
  const chain = await createChain({ provider, addresses, signingKey, store: records.store, log });
  const points = await chain.points();
  const meters = createMeters({ config, limitsOf: (point) => points[point], records, log });
  const committee = createCommittee({
    domain: reportDomain(addresses),
    index: config.index,
    addresses: members,
    faults: config.faults,
    signingKey,
    gatherSlots: config.gatherSlots,
  });
  const progress = createProgress();
  const peers = createPeers(config);
  const observe = (slot: number): SignedObservation =>
    ownObservation({ slot, points: points.length, records, committee, lie: config.lie });
  const ledger = createReportLedger({ records, chain, committee, peers, progress, limits: points, log });
  const observeMs = config.timeouts.peerMs / 2;
  const cosigner = createCosigner({ records, chain, committee, progress, limits: points, waitMs: observeMs });
  const rounds = createRounds({ records, chain, committee, peers, ledger, limits: points, observe, log });

  const zones = config.heads.map(({ zone }) => zone);
  const status = (): Record<string, unknown> => {
    const last = slotAt(progress.readThrough()) - 1;
    return {
      index: config.index,
      address,
      time: progress.now(),
      nextSlot: records.next(),
      lastReportedSlot: records.next() > config.firstSlot ? records.next() - 1 : null,
      reports: records.reportCount(),
      waiting: rounds.waiting() ?? null,
      modbusReads: meters.reads(),
      meters: config.meters.length,
      heads: config.heads.length,
      lies: config.lie !== undefined,
      faults: {
        meters: Object.entries(meters.problems()).map(([meter, problem]) => ({ meter, ...problem })),
        nodes: ledger.deviations(),
        heads: headMismatches(
          last,
          records.boundary(last),
          records.boundary(last + 1),
          zones,
          points.map(({ zone }) => zone),
        ),
      },
    };
  };
  const live = (): Record<string, unknown> => {
    const power = meters.live();
    return {
      time: progress.now(),
      points: config.meters.map(({ point }) => ({ point, ...(power[pointKey(point)] ?? NOT_READ) })),
      heads: config.heads.map(({ zone }) => ({ zone, ...(power[headKey(zone)] ?? NOT_READ) })),
    };
  };

  const app = createApi({
    records,
    progress,
    committee,
    observe,
    consider: cosigner.consider,
    waiting: rounds.waiting,
    status,
    live,
    waits: { observeMs, turnMs: config.timeouts.turnMs * 0.8 },
    log,
  });
  const server = await serve({ app, hostname: config.listen.hostname, port: config.listen.port });

  /** Signs what the meters have just told of the slot that ended, in the same write. */
  const observeDue = (now: number): void => {
    const slot = slotAt(now) - 1;
    if (slot >= records.next()) observe(slot);
  };
  let liveAt = 0;
  const readLive = async (now: number): Promise<void> => {
    if (config.livePollSeconds === 0 || now - liveAt < config.livePollSeconds) return;
    liveAt = now;
    await meters.readLive(now);
  };
  const resume = async (): Promise<void> => {
    try {
      await chain.resume();
    } catch (error) {
      if (!isRetryable(error) && !isChainRefusal(error)) throw error;
      log.warn({ error: messageOf(error) }, "an earlier report cannot be sent again yet");
    }
  };

  return {
    info: { url: server.url, address, index: config.index },
    tick: async (now) => {
      progress.begin(now);
      try {
        if (await meters.readDue(now, observeDue)) liveAt = now;
        progress.read(now);
        await Promise.all([readLive(now), resume().then(() => rounds.run(now))]);
      } finally {
        progress.end();
      }
    },
    stop: async () => {
      await server.close();
      await meters.close();
      records.close();
      provider.destroy();
    },
  };
};

const NOT_READ = { powerW: null, time: null };
