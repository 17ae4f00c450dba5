import type { Interface } from "ethers";
import type { MarketTerms, Places } from "./options.ts";

/** Roles of MarketAccess (contracts/access/MarketAccess.sol). A group that needs another takes the next number. */
export const ROLES = {
  ADMIN: 0n,
  OPERATOR: 1n,
  GUARDIAN: 2n,
  CERTIFIER: 3n,
  MAINTAINER: 4n,
  ACCREDITED: 5n,
  PUBLISHER: 7n,
  STORAGE_MANAGER: 8n,
  TARIFF_PUBLISHER: 9n,
  /** Names the oracle's committee: the admin's, with its delay, since a quorum of it can write any reading. */
  COMMITTEE: 10n,
  /** Nobody's: marks the calls of the admin that the guardian may cancel (decision 0021). */
  ADMINISTRATION: 100n,
} as const;
export type Role = keyof typeof ROLES;

/** What a group's contracts and calls are made from. */
export interface PlanContext {
  terms: MarketTerms;
  /** Every contract's address, later ones included. */
  at: Places;
  deployer: string;
  /** Addresses of the contracts that may move money between accounts (`ledgerModules` of all groups, in order). */
  modules: readonly string[];
}

/** A contract to create: its name in the address book and its init code with constructor arguments. */
export interface Creation {
  name: keyof Places;
  /** `new X__factory().getDeployTransaction(...)`. */
  transaction(context: PlanContext): Promise<{ data: string }>;
}

/** A call after all contracts stand. The deployer is admin and operator at that time, and neither at the end. */
export interface Call {
  name: string;
  to: string;
  data: string;
}

/** Functions of one contract that only members of a role may call. */
export interface Restriction {
  target: string;
  role: Role;
  abi: Interface;
  functions: readonly string[];
}

/** A member of a role, from the end of deployment on. */
export interface Holder {
  role: Role;
  account: string;
  /** Seconds between scheduling a call and making it. */
  delaySeconds?: number;
}

/**
 * A part of the contract suite. To add one: write `scripts/deploy/<group>.ts`, name its contracts in `services/protocol/addresses.ts`, and put it at the
 * end of `GROUPS` in `groups.ts`: contracts that stand keep their place in the order.
 */
export interface Group {
  name: string;
  /** In order of creation. */
  creations(terms: MarketTerms): readonly Creation[];
  /** Places that this deployment does not create. */
  given?(terms: MarketTerms): Partial<Places>;
  /** Contracts of this group that the ledger lets move money between accounts. */
  ledgerModules?: readonly (keyof Places)[];
  restrictions?(context: PlanContext): readonly Restriction[];
  holders?(terms: MarketTerms, at: Places): readonly Holder[];
  calls?(context: PlanContext): readonly Call[];
}
