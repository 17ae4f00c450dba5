import { Envelopes__factory } from "../../types/contracts/factories/balancing/Envelopes__factory.ts";
import { Losses__factory } from "../../types/contracts/factories/balancing/Losses__factory.ts";
import { PeakCharge__factory } from "../../types/contracts/factories/balancing/PeakCharge__factory.ts";
import { Refunds__factory } from "../../types/contracts/factories/balancing/Refunds__factory.ts";
import type { Group } from "./group.ts";

/** 5 tokens per kW and month. */
const PEAK_PRICE = 5_000_000n;

/** Operating envelopes, losses, the peak charge, and what goes back to the members. */
export const balancing: Group = {
  name: "balancing",
  creations: ({ peakPricePerKw = PEAK_PRICE }) => [
    {
      name: "envelopes",
      transaction: ({ at }) => new Envelopes__factory().getDeployTransaction(at.accessManager, at.settlement),
    },
    {
      name: "losses",
      transaction: ({ at }) =>
        new Losses__factory().getDeployTransaction(at.readingArchive, at.meteringPoints, at.tariffs, at.ledger),
    },
    {
      name: "peakCharge",
      transaction: ({ at }) =>
        new PeakCharge__factory().getDeployTransaction(at.readingArchive, at.ledger, at.meteringPoints, peakPricePerKw),
    },
    {
      name: "refunds",
      transaction: ({ at }) =>
        new Refunds__factory().getDeployTransaction(at.readingArchive, at.ledger, at.meteringPoints),
    },
  ],
  ledgerModules: ["losses", "peakCharge", "refunds"],
  restrictions: ({ at }) => [
    { target: at.envelopes, role: "OPERATOR", abi: Envelopes__factory.createInterface(), functions: ["set"] },
  ],
};
