import { concat, getCreateAddress, id, keccak256, toBeHex, zeroPadValue } from "ethers";
import { closeAccess, openAccess } from "./access.ts";
import type { PlanContext } from "./group.ts";
import { GROUPS } from "./groups.ts";
import type { MarketTerms, Places } from "./options.ts";

/** One transaction of the deployer. */
export interface Step {
  nonce: number;
  /** What it does, for people and for comparisons. */
  name: string;
  /** null creates a contract. */
  to: string | null;
  data: string;
  /** Where the created contract stands. */
  creates: string | null;
  /** Hash of target and data: two plans are the same when all of these are. */
  digest: string;
}

export interface Plan {
  deployer: string;
  firstNonce: number;
  at: Places;
  steps: readonly Step[];
  digest: string;
}

/**
 * The whole deployment as transactions, one per nonce of the deployer: first all contracts, group by group, then all calls. Pure: no chain is asked.
 * @throws TypeError when a group forgets a contract of the address book
 */
export const buildPlan = async (
  terms: MarketTerms,
  { deployer, firstNonce }: { deployer: string; firstNonce: number },
): Promise<Plan> => {
  const creations = GROUPS.flatMap((group) => group.creations(terms));
  const created = creations.map(({ name }, index): [string, string] => [
    name,
    getCreateAddress({ from: deployer, nonce: firstNonce + index }),
  ]);
  const given = GROUPS.map((group) => group.given?.(terms) ?? {});
  const at = Object.assign({}, ...given, Object.fromEntries(created)) as Places;
  const placeOf = (name: keyof Places): string => {
    if (at[name]) return at[name];
    throw new TypeError(`no group creates ${name}`);
  };
  const modules = [
    ...(terms.ledgerModules ?? []),
    ...GROUPS.flatMap(({ ledgerModules = [] }) => ledgerModules.map(placeOf)),
  ];
  const context: PlanContext = { terms, at, deployer, modules };

  const work: Pick<Step, "name" | "to" | "data" | "creates">[] = [];
  for (const { name, transaction } of creations) {
    work.push({ name, to: null, data: (await transaction(context)).data, creates: placeOf(name) });
  }
  const calls = [
    ...openAccess(GROUPS, context),
    ...GROUPS.flatMap((group) => group.calls?.(context) ?? []),
    ...closeAccess(GROUPS, context),
  ];
  work.push(...calls.map((call) => ({ ...call, creates: null })));
  const steps = work.map((step, index) => ({
    ...step,
    nonce: firstNonce + index,
    digest: keccak256(concat([id(step.to ?? "create"), step.data])),
  }));
  const digest = keccak256(
    concat([deployer, zeroPadValue(toBeHex(firstNonce), 8), ...steps.map((step) => step.digest)]),
  );
  return { deployer, firstNonce, at, steps, digest };
};
