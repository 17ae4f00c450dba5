import highsModule, { type Highs } from "highs";
import { limitBounds } from "../../../services/core/market/keys.ts";
import { OFFER } from "../../../services/core/market/types.ts";
import type { ZonePosting } from "../../../services/core/market/types.ts";
import { solver } from "../../services/core/market/linear-program.ts";
import type { MeshCase, MeshClaim } from "./mesh-case.ts";

/**
 * A slow solver of its own, so that the proof is tested against something that shares no code with `daeg clear`: HiGHS for
 * the linear program, HiGHS again for the whole Wh of the marginal orders.
 */
export interface MeshSolution extends MeshClaim {
  /** Optimum of the linear program, nano-token. */
  readonly optimum: number;
  /** Limits with a dual price. */
  readonly tight: number;
}

/** All orders of a zone on one side with one limit, or one direction of a backup. */
interface Group {
  readonly zone: number;
  readonly offer: boolean;
  readonly value: number;
  readonly backup: boolean;
  availableWh: number;
  filledWh: number;
  /** Takes any price. */
  readonly edge: boolean;
}

const UNIT = 10n ** 12n;
const loadHighs = highsModule as unknown as () => Promise<Highs>;

/** @returns undefined where no whole Wh keep the tolerance (tiny quantities behind tight limits) */
export const solveMesh = async (given: MeshCase): Promise<MeshSolution | undefined> => {
  const { zones, limits } = given;
  const groups = groupsOf(given);
  const { root } = limitBounds(zones);
  const roots = [...new Set(root)];
  const balance = (island: number): string =>
    sum(groups.map(({ zone, offer }, i) => [root[zone] === island ? (offer ? 1 : -1) : 0, `x${i}`]));
  const row = (weights: readonly number[]): string =>
    sum(groups.map(({ zone, offer }, i) => [(offer ? 1 : -1) * (weights[zone] as number), `x${i}`]));
  const program = (objective: string, rows: readonly string[], bounds: readonly string[], general: string): string =>
    `Maximize\n obj: ${objective}\nSubject To\n ${rows.join("\n ")}\nBounds\n ${bounds.join("\n ")}\n${general}End\n`;
  const balances = roots.map((island) => [`b${island}`, balance(island)] as const).filter(([, text]) => text !== "");
  const rows = limits.map(({ weights }, l) => [`l${l}`, row(weights)] as const).filter(([, text]) => text !== "");
  const bound = (l: string, side: "minWh" | "maxWh"): number => Number(limits[Number(l.slice(1))]?.[side]) * 1e6;
  const within = rows.flatMap(([name, text]) => [
    `${name}u: ${text} <= ${bound(name, "maxWh")}`,
    `${name}d: ${text} >= ${bound(name, "minWh")}`,
  ]);
  const mu = limits.map(() => 0n);
  let optimum = 0;
  if (groups.length > 0) {
    const linear = (await solver).solve(
      program(
        sum(groups.map(({ value, offer }, i) => [offer ? -value : value, `x${i}`])),
        [...balances.map(([name, text]) => `${name}: ${text} = 0`), ...within],
        groups.map(({ availableWh }, i) => `0 <= x${i} <= ${availableWh}`),
        "",
      ),
    );
    if (linear.Status !== "Optimal") throw new Error(`HiGHS says ${linear.Status}`);
    optimum = linear.ObjectiveValue;
    const dual = new Map((linear.Rows as { Name: string; Dual: number }[]).map(({ Name, Dual }) => [Name, Dual]));
    const scaled = limits.map((_, l) => ((dual.get(`l${l}u`) ?? 0) + (dual.get(`l${l}d`) ?? 0)) * 1e6);
    // Prices as seen by an order in zone z: the island's, less what its limits cost.
    const priceOf = (z: number): number =>
      -(
        (dual.get(`b${root[z]}`) ?? 0) +
        limits.reduce((own, { weights }, l) => own + ((weights[z] as number) * (scaled[l] as number)) / 1e6, 0)
      );
    const marginal: number[] = [];
    groups.forEach((group, i) => {
      const gain = (group.value - priceOf(group.zone)) * (group.offer ? -1 : 1);
      if (Math.abs(gain) < 1e-3) marginal.push(i);
      else group.filledWh = gain > 0 ? group.availableWh : 0;
    });
    scaled.forEach((value, l) => {
      mu[l] = BigInt(Math.round(value * 1e6));
    });
    const near = rows.flatMap(([name, text]) => {
      const l = Number(name.slice(1));
      const width = (limits[l]?.weights ?? []).reduce((own, weight) => own + Math.abs(weight), 0);
      if (mu[l] === 0n) return [];
      return (mu[l] as bigint) > 0n
        ? [`${name}n: ${text} >= ${bound(name, "maxWh") - width + 1}`]
        : [`${name}n: ${text} <= ${bound(name, "minWh") + width - 1}`];
    });
    const isMarginal = new Set(marginal);
    const whole = await solveWhole(
      program(
        sum(groups.map(({ backup }, i) => [isMarginal.has(i) ? (backup ? 1 : 2) : 0, `x${i}`])) || "0 x0",
        [...balances.map(([name, text]) => `${name}: ${text} = 0`), ...within, ...near],
        groups.map(({ availableWh, filledWh }, i) =>
          isMarginal.has(i) ? `0 <= x${i} <= ${availableWh}` : `x${i} = ${filledWh}`,
        ),
        `General\n ${groups.map((_, i) => `x${i}`).join(" ")}\n`,
      ),
    );
    if (!whole) return undefined;
    groups.forEach((group, i) => {
      if (isMarginal.has(i)) group.filledWh = Math.round(whole[`x${i}`]?.Primal ?? 0);
    });
  }
  const shift = zones.map((_, z) =>
    limits.reduce((own, { weights }, l) => own + BigInt(weights[z] as number) * (mu[l] as bigint), 0n),
  );
  const prices = pricesOf(given, groups, shift, root);
  return {
    postings: prices.map((price, z) => postingOf(groups, z, price)),
    mu,
    optimum,
    tight: mu.filter((own) => own !== 0n).length,
  };
};

let wholeSolver: Promise<Highs> | undefined;

const solveWhole = async (text: string): Promise<Record<string, { Primal: number }> | undefined> => {
  wholeSolver ??= loadHighs();
  const highs = await wholeSolver;
  try {
    const { Status, Columns } = highs.solve(text, { mip_rel_gap: 0, mip_feasibility_tolerance: 1e-9 });
    return Status === "Optimal" ? (Columns as Record<string, { Primal: number }>) : undefined;
  } catch {
    // Its WebAssembly gives up on a program now and then; a new instance goes on.
    wholeSolver = undefined;
    return undefined;
  }
};

const sum = (terms: readonly (readonly [number, string])[]): string =>
  terms
    .filter(([factor]) => factor !== 0)
    .map(([factor, name]) => `${factor < 0 ? "-" : "+"} ${Math.abs(factor)} ${name}`)
    .join(" ");

const groupsOf = ({ zones, band, columns }: MeshCase): Group[] => {
  const { bidCap, offerFloor } = limitBounds(zones);
  const found = new Map<string, Group>();
  const add = (zone: number, offer: boolean, value: number, backup: boolean, edge: boolean, energyWh: number): void => {
    const key = `${zone} ${offer} ${value} ${backup}`;
    const group = found.get(key) ?? { zone, offer, value, backup, edge, availableWh: 0, filledWh: 0 };
    group.availableWh += energyWh;
    found.set(key, group);
  };
  for (let i = 0; i < columns.count; i += 1) {
    const z = columns.zone[i] as number;
    const fee = zones[z]?.fee ?? 0;
    const offer = ((columns.flags[i] as number) & OFFER) !== 0;
    const limit = columns.price[i] as number;
    const value = offer ? Math.max(limit, offerFloor[z] as number) : Math.min(limit, bidCap[z] as number) - fee;
    const edge = offer ? value === band.min : value + fee === band.max;
    add(z, offer, value, false, edge, columns.energyWh[i] as number);
  }
  zones.forEach((own, z) => {
    if (!own.hasBackup) return;
    add(z, true, own.backupSell - own.fee, true, false, own.backupCapacityWh);
    add(z, false, own.backupBuy, true, false, own.backupCapacityWh);
  });
  return [...found.values()].filter(({ availableWh }) => availableWh > 0);
};

const most = (values: readonly bigint[]): bigint | undefined =>
  values.reduce<bigint | undefined>(
    (found, value) => (found === undefined || value > found ? value : found),
    undefined,
  );
const least = (values: readonly bigint[]): bigint | undefined => {
  const found = most(values.map((value) => -value));
  return found === undefined ? undefined : -found;
};

/** The rule for lambda, written down from its description and not from the contract. Undefined stands for an open side. */
const pricesOf = (
  { zones, band }: MeshCase,
  groups: readonly Group[],
  shift: readonly bigint[],
  root: Int32Array,
): number[] => {
  const { bidCap, offerFloor } = limitBounds(zones);
  const lambda = new Map<number, bigint>();
  for (const island of new Set(root)) {
    const members = zones.flatMap((_, z) => (root[z] === island ? [z] : []));
    const own = groups.filter(({ zone }) => root[zone] === island);
    const at = ({ value, zone }: Group): bigint => BigInt(value) * UNIT + (shift[zone] as bigint);
    const onEdge = (group: Group): boolean => group.edge && group.filledWh === group.availableWh;
    const lowers = own.filter(({ offer, filledWh, availableWh }) => (offer ? filledWh > 0 : filledWh < availableWh));
    const uppers = own.filter(({ offer, filledWh, availableWh }) => (offer ? filledWh < availableWh : filledWh > 0));
    const lo = most(lowers.filter((group) => !onEdge(group)).map(at));
    const loFull = most(lowers.filter(onEdge).map(at));
    const hi = least(uppers.filter((group) => !onEdge(group)).map(at));
    const hiFull = least(uppers.filter(onEdge).map(at));
    const defined = (...values: (bigint | undefined)[]): bigint[] => values.filter((value) => value !== undefined);
    const low = most(defined(lo, loFull));
    const high = least(defined(hi, hiFull));
    const known = defined(lo === undefined ? undefined : low, hi === undefined ? undefined : high);
    const reference = BigInt(band.reference) * UNIT;
    const clamp = (value: bigint, from: bigint | undefined, to: bigint | undefined): bigint =>
      most(defined(from, least(defined(to, value)))) as bigint;
    let top = hi === undefined ? clamp(most(known) ?? reference, loFull, hiFull) : (high as bigint);
    let bottom =
      lo === undefined
        ? (least(defined(hiFull, most(defined(loFull, least(known) ?? reference)))) as bigint)
        : (low as bigint);
    const cap = bidCap[island] as number;
    if (Number.isFinite(cap)) {
      const shifts = members.map((z) => shift[z] as bigint);
      const ceiling = BigInt(cap - (zones[island]?.fee ?? 0)) * UNIT + (most(shifts) as bigint);
      const floor = BigInt(offerFloor[island] as number) * UNIT + (least(shifts) as bigint);
      top = clamp(top, floor, ceiling);
      bottom = clamp(bottom, floor, ceiling);
    }
    lambda.set(island, clamp((top + bottom) >> 1n, low, high));
  }
  return zones.map((_, z) => {
    const exact = (lambda.get(root[z] as number) as bigint) - (shift[z] as bigint);
    return Number(exact / UNIT) - (exact % UNIT < 0n ? 1 : 0) + 0;
  });
};

const postingOf = (groups: readonly Group[], z: number, price: number): ZonePosting => {
  const filled = (offer: boolean, backup: boolean): number =>
    groups
      .filter((group) => group.zone === z && group.offer === offer && group.backup === backup)
      .reduce((own, { filledWh, value }) => own + (backup || value === price ? filledWh : 0), 0);
  return {
    price,
    marginalBidWh: filled(false, false),
    marginalOfferWh: filled(true, false),
    backupSoldWh: filled(true, true),
    backupBoughtWh: filled(false, true),
  };
};
