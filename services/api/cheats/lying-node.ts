import { Wallet } from "ethers";
import { slotAt } from "../../platform/clock.ts";
import { packSignatures, readingsHash, readingsRoot, reportDomain, reportTypes } from "../../protocol/report.ts";
import { packReadings } from "../../protocol/words.ts";
import { points } from "../../protocol/market-store.ts";
import { chainNow } from "../context.ts";
import { reportRow } from "../slots.ts";
import { outcomeOf, type Cheat } from "./bench.ts";

const LIE_WH = 9_000;

/** One node alone reports readings of its own invention; it signs correctly, but no quorum stands behind it. */
export const lyingNode: Cheat = async ({ context, local, contracts, send }) => {
  const slot = slotAt(chainNow(context)) - 1;
  const readings = packReadings(points(context.store).map(() => ({ quality: 0, importWh: 0, exportWh: LIE_WH })));
  const report = {
    slot,
    version: (reportRow(context, slot)?.version ?? 0) + 1,
    attempt: 1,
    readingsHash: readingsHash(readings),
    root: readingsRoot(slot, readings),
  };
  const node = new Wallet(local.nodeKey);
  const signature = await node.signTypedData(reportDomain(context.addresses), reportTypes, report);
  const data = contracts.meterOracle.interface.encodeFunctionData("report", [
    report,
    packSignatures([local.nodeIndex], [signature]),
  ]);
  return outcomeOf(
    `A report of slot ${slot} in which every home exported ${LIE_WH} Wh, signed by node ${local.nodeIndex} alone.`,
    await send({ to: context.addresses.meterOracle, data }),
  );
};
