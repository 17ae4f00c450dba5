/**
 * `node scripts/access-table.ts [--check]`: writes (or checks) docs/access.md from the access manager of a market that was really deployed, with the
 * terms of the local system. Exit 1 when it differs, or when a privileged function has no role of its own (so that only the admin could call it).
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BrowserProvider, computeAddress } from "ethers";
import { createHardhatRuntimeEnvironment } from "hardhat/hre";
import { connectContracts } from "../services/protocol/contracts.ts";
import { deriveKey } from "../services/protocol/keys.ts";
import { CANCELLABLE } from "./deploy/access.ts";
import { deployMarket, ROLES } from "./deploy/deploy.ts";
import { privilegedFunctions } from "./deploy/privileged.ts";
import { ADMIN_DELAY_SECONDS } from "./local/bootstrap.ts";
import { projectRoot } from "./local/root.ts";

const FILE = join(projectRoot, "docs", "access.md");
/** Functions that stay the admin's on purpose, as `contract.function(types)`. */
const ADMIN_ON_PURPOSE: readonly string[] = [];
const roleName = new Map<bigint, string>(Object.entries(ROLES).map(([name, role]) => [role, name]));
const failures: string[] = [];

const of = (role: string): string => computeAddress(deriveKey("access", role));
const { network } = await createHardhatRuntimeEnvironment(
  { networks: { table: { type: "edr-simulated", chainType: "l1" } } },
  {},
  projectRoot,
);
const connection = await network.create("table");
const provider = new BrowserProvider(connection.provider, undefined, { cacheTimeout: -1 });
const signer = await provider.getSigner(0);
const addresses = await deployMarket({
  signer,
  operator: of("operator"),
  guardian: of("guardian"),
  admin: { owners: [0, 1, 2].map((index) => of(`admin:${index}`)), threshold: 2 },
  adminDelaySeconds: ADMIN_DELAY_SECONDS,
  committee: [0, 1, 2, 3].map((index) => of(`node:${index}`)),
  faults: 1,
  zones: [{ parent: 0, toParentWh: 0, fromParentWh: 0, backupCapacityWh: 100_000 }],
  bounds: { highestImportTariff: 500_000, lowestExportTariff: 0, lowestPrice: -1_000_000, highestPrice: 10_000_000 },
  genesisSlot: 2 ** 31,
});
const { accessManager } = connectContracts(addresses, provider);

/** Who has a role now, from the events, asked of the contract again. */
const granted = await accessManager.queryFilter(accessManager.filters.RoleGranted());
const people = new Map([
  ...Object.entries(addresses).flatMap(([name, value]) =>
    typeof value === "string" ? ([[value, `contract \`${name}\``]] as const) : [],
  ),
  [of("operator"), "operator"],
  [of("guardian"), "guardian"],
  [await signer.getAddress(), "deployer"],
]);
const delayWords = (seconds: bigint): string => (seconds === 0n ? "none" : `${Number(seconds) / 3_600} h`);
const holdersOf = async (role: bigint): Promise<{ who: string; delay: string }> => {
  const accounts = [...new Set(granted.filter(({ args }) => args.roleId === role).map(({ args }) => args.account))];
  const holders: { who: string; delay: string }[] = [];
  for (const account of accounts) {
    const [isMember, delay] = await accessManager.hasRole(role, account);
    if (!isMember) continue;
    if (people.get(account) === "deployer") failures.push(`the deployer keeps ${roleName.get(role)}`);
    holders.push({
      who: people.get(account) ?? "multi-signature account, 2 of 3 (Safe 1.4.1)",
      delay: delayWords(delay),
    });
  }
  return {
    who: holders.map(({ who }) => who).join(", ") || "nobody",
    delay: holders.map(({ delay }) => delay).join(", ") || "",
  };
};

const functions = await privilegedFunctions(provider, addresses);
const rows: string[] = [];
for (const { contract, signature, role } of functions) {
  const full = `${contract}.${signature}`;
  if (role === ROLES.ADMIN && !ADMIN_ON_PURPOSE.includes(full)) {
    failures.push(`${full} has no role: name it in the restrictions of its group under scripts/deploy`);
  }
  const { who, delay } = await holdersOf(role);
  rows.push(
    `| \`${contract}\` | \`${signature.replace(/\(.*/, "")}\` | ${roleName.get(role) ?? role} | ${who} | ${delay} |`,
  );
}
const roles: string[] = [];
for (const [name, role] of Object.entries(ROLES)) {
  const guardian = await accessManager.getRoleGuardian(role);
  const { who, delay } = await holdersOf(role);
  roles.push(`| ${name} | ${role} | ${who} | ${delay} | ${guardian === 0n ? "the admin" : roleName.get(guardian)} |`);
}
const admin = await holdersOf(ROLES.ADMIN);
const own = [...CANCELLABLE, "revokeRole"].map(
  (name) =>
    `| \`accessManager\` | \`${name}\` | ADMIN | ${admin.who} | ${admin.delay} | ${name === "revokeRole" ? "no" : "yes"} |`,
);
await connection.close();

const text = `# Who may do what

Written by \`node scripts/access-table.ts\` from the access manager of a market that it deploys with the terms of the local system; CI checks it. Every function that is not listed is open to everybody
or to the owner of what it touches. Nobody has a role in the ledger, the order book, the auction and settlement. The deployer ends without any role. Why it is so: \`decisions/0021-administration.md\`.

## Privileged functions

| contract | function | role | held by | delay |
|---|---|---|---|---|
${rows.join("\n")}

## Roles

| role | number | held by | delay | who cancels what waits |
|---|---|---|---|---|
${roles.join("\n")}

ADMINISTRATION is nobody's: it marks calls of the admin, so that the guardian may cancel them.

## The access manager itself

| contract | function | role | held by | delay | guardian may cancel |
|---|---|---|---|---|---|
${own.join("\n")}
`;
if (!process.argv.includes("--check")) writeFileSync(FILE, text);
else if (!existsSync(FILE) || readFileSync(FILE, "utf8") !== text)
  failures.push("docs/access.md differs: look at it, then run node scripts/access-table.ts");
for (const failure of failures) process.stderr.write(`${failure}\n`);
process.exit(failures.length === 0 ? 0 : 1);
