import type { Signer, TransactionReceipt } from "ethers";
import type { Addresses } from "../../services/protocol/addresses.ts";
import type { MarketTerms, Places } from "./options.ts";
import { buildPlan, type Plan, type Step } from "./plan.ts";

export { ROLES } from "./group.ts";
export type { DeployBounds, DeployZone } from "./options.ts";

export interface DeployOptions extends MarketTerms {
  /** Deployer; it must be able to pay. It keeps no role unless it is the admin or the operator. */
  signer: Signer;
  log?: (message: string, gasUsed: bigint) => void;
}

/** Where the contracts stand, as processes want to know it. */
export const addressesOf = ({ at }: { at: Places }, chainId: number, deployedAtBlock: number): Addresses => {
  const { clearingMesh: _m, clearingParts: _p, safeSingleton: _s, safeHandler: _h, safeFactory: _f, ...places } = at;
  return { chainId, deployedAtBlock, ...places };
};

/** @throws Error when a transaction reverted or its contract stands elsewhere */
export const checkLanded = (step: Step, receipt: TransactionReceipt | null): TransactionReceipt => {
  if (receipt?.status !== 1) throw new Error(`${step.name}: transaction ${step.nonce} of the deployer reverted`);
  if (step.creates !== null && receipt.contractAddress !== step.creates)
    throw new Error(
      `${step.name} stands at ${receipt.contractAddress} instead of ${step.creates}: somebody else used the deployer's key`,
    );
  return receipt;
};

/**
 * Deploys one market at once, without a record: for chains that live as long as their process. The same deployer key with the same nonce gives the same
 * addresses. `deployDurably` does the same for chains that stay.
 * @throws the contracts' errors (a network that is not a tree, a committee too small, tariffs that cross)
 */
export const deployMarket = async ({ signer, log, ...terms }: DeployOptions): Promise<Addresses> => {
  const provider = signer.provider;
  if (!provider) throw new TypeError("signer: connect it to a provider first");
  const deployer = await signer.getAddress();
  const { chainId } = await provider.getNetwork();
  const plan: Plan = await buildPlan(terms, { deployer, firstNonce: await provider.getTransactionCount(deployer) });
  let deployedAtBlock: number | undefined;
  for (const step of plan.steps) {
    const { to, data, nonce } = step;
    const sent = await signer.sendTransaction({ to, data, nonce });
    const receipt = checkLanded(step, await sent.wait());
    deployedAtBlock ??= receipt.blockNumber;
    log?.(step.creates === null ? step.name : `${step.name} ${step.creates}`, receipt.gasUsed);
  }
  return addressesOf(plan, Number(chainId), deployedAtBlock ?? 0);
};
