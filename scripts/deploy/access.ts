import { MarketAccess__factory } from "../../types/contracts/factories/access/MarketAccess__factory.ts";
import { ROLES, type Call, type Group, type PlanContext } from "./group.ts";
import { adminOf, safeCalls, safeCreations } from "./safe.ts";

const abi = MarketAccess__factory.createInterface();

/** The account of several signatures that administers the roles. */
export const access: Group = { name: "access", creations: safeCreations, calls: safeCalls };

/** What the guardian may cancel of the admin's. Not `revokeRole`: a guardian could not be removed otherwise. */
export const CANCELLABLE = [
  "labelRole",
  "grantRole",
  "setRoleAdmin",
  "setRoleGuardian",
  "setGrantDelay",
  "setTargetAdminDelay",
  "setTargetFunctionRole",
  "setTargetClosed",
  "updateAuthority",
] as const;

/** First calls: who may call what; the deployer is the operator and names the committee until all groups have made their calls. */
export const openAccess = (groups: readonly Group[], context: PlanContext): Call[] => {
  const { at, deployer } = context;
  const to = at.accessManager;
  const nameOf = new Map(Object.entries(at).map(([name, address]) => [address, name]));
  const restrictions = groups.flatMap(({ restrictions }) => restrictions?.(context) ?? []);
  return [
    ...restrictions.map(({ target, role, abi: own, functions }) => ({
      name: `${nameOf.get(target)}: ${functions.join(", ")} for ${role}`,
      to,
      data: abi.encodeFunctionData("setTargetFunctionRole", [
        target,
        functions.map((name) => {
          const found = own.getFunction(name);
          if (!found) throw new TypeError(`${nameOf.get(target)} has no function ${name}`);
          return found.selector;
        }),
        ROLES[role],
      ]),
    })),
    grant({ to, role: "OPERATOR", account: deployer }),
    grant({ to, role: "COMMITTEE", account: deployer }),
  ];
};

/** Last calls: members and guardians of the roles; the deployer keeps nothing that is not stated for it. */
export const closeAccess = (groups: readonly Group[], { at, terms, deployer }: PlanContext): Call[] => {
  const to = at.accessManager;
  const { operator, guardian, operatorDelaySeconds: delaySeconds = 0, adminDelaySeconds = 0 } = terms;
  const admin = adminOf(terms, at);
  const calls: Call[] = [
    {
      name: "guardian of OPERATOR",
      to,
      data: abi.encodeFunctionData("setRoleGuardian", [ROLES.OPERATOR, ROLES.GUARDIAN]),
    },
    {
      name: "guardian of ADMINISTRATION",
      to,
      data: abi.encodeFunctionData("setRoleGuardian", [ROLES.ADMINISTRATION, ROLES.GUARDIAN]),
    },
    {
      name: "guardian of COMMITTEE",
      to,
      data: abi.encodeFunctionData("setRoleGuardian", [ROLES.COMMITTEE, ROLES.GUARDIAN]),
    },
    {
      name: "the admin's calls are ADMINISTRATION",
      to,
      data: abi.encodeFunctionData("setTargetFunctionRole", [
        at.accessManager,
        CANCELLABLE.map((name) => abi.getFunction(name).selector),
        ROLES.ADMINISTRATION,
      ]),
    },
    grant({ to, role: "GUARDIAN", account: guardian }),
    ...groups.flatMap(({ holders }) => holders?.(terms, at) ?? []).map((holder) => grant({ to, ...holder })),
  ];
  if (operator !== deployer) {
    calls.push(grant({ to, role: "OPERATOR", account: operator, delaySeconds }), {
      name: "revoke OPERATOR of the deployer",
      to,
      data: abi.encodeFunctionData("revokeRole", [ROLES.OPERATOR, deployer]),
    });
  }
  if (admin !== deployer) {
    calls.push(
      grant({ to, role: "COMMITTEE", account: admin, delaySeconds: adminDelaySeconds }),
      {
        name: "revoke COMMITTEE of the deployer",
        to,
        data: abi.encodeFunctionData("revokeRole", [ROLES.COMMITTEE, deployer]),
      },
      grant({ to, role: "ADMIN", account: admin, delaySeconds: adminDelaySeconds }),
      {
        name: "renounce ADMIN",
        to,
        data: abi.encodeFunctionData("renounceRole", [ROLES.ADMIN, deployer]),
      },
    );
  }
  return calls;
};

const grant = ({
  to,
  role,
  account,
  delaySeconds = 0,
}: {
  to: string;
  role: keyof typeof ROLES;
  account: string;
  delaySeconds?: number;
}): Call => ({
  name: `grant ${role} to ${account}`,
  to,
  data: abi.encodeFunctionData("grantRole", [ROLES[role], account, delaySeconds]),
});
