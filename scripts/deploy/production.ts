import { ReadingArchive__factory } from "../../types/contracts/factories/consumption/ReadingArchive__factory.ts";
import { Certificates__factory } from "../../types/contracts/factories/production/Certificates__factory.ts";
import { Generators__factory } from "../../types/contracts/factories/production/Generators__factory.ts";
import { Incentives__factory } from "../../types/contracts/factories/production/Incentives__factory.ts";
import type { Group } from "./group.ts";

export interface ProductionOptions {
  /** Who certifies generators, and who may record their maintenance; the operator by default. */
  certifier?: string;
  maintainer?: string;
  /** Wh per generator and month that earn a premium. */
  capWhPerMonth?: bigint;
  /** Premiums in micro-token per kWh, falling with the generator's own paid energy in Wh. */
  steps?: readonly { throughWh: bigint; premium: bigint }[];
}

/** One MWh a month; 20,000 micro-token per kWh for the first 10 MWh of a generator, half for the next 10, a quarter for 20 more. */
const DEFAULT_CAP_WH = 1_000_000n;
const DEFAULT_STEPS = [
  { throughWh: 10_000_000n, premium: 20_000n },
  { throughWh: 20_000_000n, premium: 10_000n },
  { throughWh: 40_000_000n, premium: 5_000n },
];

/** The archive of readings, generators, their certificates and their premium. */
export const production: Group = {
  name: "production",
  creations: ({ production: { capWhPerMonth = DEFAULT_CAP_WH, steps = DEFAULT_STEPS } = {} }) => [
    {
      name: "readingArchive",
      transaction: ({ at }) =>
        new ReadingArchive__factory().getDeployTransaction(at.meteringPoints, at.meterOracle, at.auction),
    },
    {
      name: "generators",
      transaction: ({ at }) =>
        new Generators__factory().getDeployTransaction(at.accessManager, at.meteringPoints, at.certificates),
    },
    {
      name: "certificates",
      transaction: ({ at }) =>
        new Certificates__factory().getDeployTransaction(at.readingArchive, at.generators, at.meteringPoints),
    },
    {
      name: "incentives",
      transaction: ({ at }) =>
        new Incentives__factory().getDeployTransaction(at.token, at.generators, capWhPerMonth, [...steps]),
    },
  ],
  restrictions: ({ at }) => {
    const abi = Generators__factory.createInterface();
    return [
      { target: at.generators, role: "CERTIFIER", abi, functions: ["certify", "revoke", "flagStorage"] },
      { target: at.generators, role: "MAINTAINER", abi, functions: ["recordMaintenance"] },
    ];
  },
  holders: ({ operator, production: { certifier = operator, maintainer = operator } = {} }) => [
    { role: "CERTIFIER", account: certifier },
    { role: "MAINTAINER", account: maintainer },
  ],
};
