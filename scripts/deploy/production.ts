import { getCreateAddress, type BaseContract, type Signer } from "ethers";
import type { MarketAccess } from "../../types/contracts/access/MarketAccess.ts";
import { ReadingArchive__factory } from "../../types/contracts/factories/consumption/ReadingArchive__factory.ts";
import { Certificates__factory } from "../../types/contracts/factories/production/Certificates__factory.ts";
import { Generators__factory } from "../../types/contracts/factories/production/Generators__factory.ts";
import { Incentives__factory } from "../../types/contracts/factories/production/Incentives__factory.ts";
import type { Addresses } from "../../services/protocol/addresses.ts";

/** Roles of MarketAccess. */
export const CERTIFIER_ROLE = 3n;
export const MAINTAINER_ROLE = 4n;

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

export type ProductionAddresses = Pick<Addresses, "readingArchive" | "generators" | "certificates" | "incentives">;
type Market = Pick<Addresses, "accessManager" | "token" | "meteringPoints" | "auction" | "meterOracle">;

/** Deploys the archive of readings and the contracts of production for a market that stands. */
export const deployProduction = async (
  signer: Signer,
  market: Market,
  options: ProductionOptions = {},
  log: (message: string) => void = () => undefined,
): Promise<ProductionAddresses> => {
  const { capWhPerMonth = DEFAULT_CAP_WH, steps = DEFAULT_STEPS } = options;
  const landed = async (name: string, deploying: Promise<BaseContract>): Promise<string> => {
    const contract = await deploying;
    await contract.deploymentTransaction()?.wait();
    const address = await contract.getAddress();
    log(`${name} ${address}`);
    return address;
  };
  const archiveArguments = [market.meteringPoints, market.meterOracle, market.auction] as const;
  const readingArchive = await landed(
    "readingArchive",
    new ReadingArchive__factory(signer).deploy(...archiveArguments),
  );
  // The two name each other: the certificates come in the transaction after the generators'.
  const certificatesAt = getCreateAddress({
    from: await signer.getAddress(),
    nonce: (await signer.getNonce()) + 1,
  });
  const generators = await landed(
    "generators",
    new Generators__factory(signer).deploy(market.accessManager, market.meteringPoints, certificatesAt),
  );
  const certificates = await landed(
    "certificates",
    new Certificates__factory(signer).deploy(readingArchive, generators, market.meteringPoints),
  );
  if (certificates !== certificatesAt)
    throw new Error(
      `certificates stand at ${certificates} instead of ${certificatesAt}: somebody else used the deployer's key`,
    );
  const incentives = await landed(
    "incentives",
    new Incentives__factory(signer).deploy(market.token, generators, capWhPerMonth, [...steps]),
  );
  return { readingArchive, generators, certificates, incentives };
};

/** Gives the restricted calls of production to their roles. The access manager's runner must be its admin. */
export const grantProduction = async (
  access: MarketAccess,
  { generators }: ProductionAddresses,
  operator: string,
  { certifier = operator, maintainer = operator }: ProductionOptions = {},
): Promise<void> => {
  const abi = Generators__factory.createInterface();
  const certifying = (["certify", "revoke", "flagStorage"] as const).map((name) => abi.getFunction(name).selector);
  const maintaining = [abi.getFunction("recordMaintenance").selector];
  await (await access.setTargetFunctionRole(generators, certifying, CERTIFIER_ROLE)).wait();
  await (await access.setTargetFunctionRole(generators, maintaining, MAINTAINER_ROLE)).wait();
  await (await access.grantRole(CERTIFIER_ROLE, certifier, 0)).wait();
  await (await access.grantRole(MAINTAINER_ROLE, maintainer, 0)).wait();
};
