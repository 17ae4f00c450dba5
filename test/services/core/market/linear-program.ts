import highsModule, { type Highs, type InitOptions } from "highs";
import type { Market } from "../../../../services/core/market/market.ts";

/**
 * Welfare of a market by HiGHS, written down from design section 4 and not from our solver: a variable per order and per
 * direction of the backup and per bilateral trade, a free flow per line, a balance per zone, a certificate balance per island.
 * @param limits of a meshed network, on weighted sums of net exports; lines then only tell what belongs together
 */
export const optimalWelfare = async (market: Market, limits: readonly WeightedLimit[] = []): Promise<number> => {
  const band = market.priceBand ?? { min: -1_000_000, max: 10_000_000 };
  const zones = market.zones ?? ["A"];
  const island = new Map(zones.map((zone) => [zone, zone]));
  for (let again = true; again;) {
    again = false;
    for (const { from, to } of market.lines ?? []) {
      const first = [island.get(from), island.get(to)].sort()[0] as string;
      for (const zone of [from, to]) {
        if (island.get(zone) === first) continue;
        island.set(zone, first);
        again = true;
      }
    }
  }
  const backups = market.backup ?? [];
  const backupOf = (zone: string) => backups.find((backup) => island.get(backup.zone) === island.get(zone));
  const objective: string[] = [];
  const bounds: string[] = [];
  const balance = new Map<string, string[]>(zones.map((zone) => [zone, []]));
  const exported = new Map<string, [number, string][]>(zones.map((zone) => [zone, []]));
  const add = (name: string, zone: string, value: number, sign: 1 | -1, mostWh: number): void => {
    objective.push(`${signed(value)} ${name}`);
    bounds.push(`0 <= ${name} <= ${mostWh}`);
    balance.get(zone)?.push(`${signed(sign)} ${name}`);
    exported.get(zone)?.push([sign, name]);
  };
  const certificates = new Map<string, string[]>();
  market.orders.forEach((order, i) => {
    if (order.green) {
      const own = island.get(order.zone ?? (zones[0] as string)) as string;
      certificates.set(own, [...(certificates.get(own) ?? []), `${order.side === "bid" ? "+" : "-"} 1 x${i}`]);
    }
    const zone = order.zone ?? (zones[0] as string);
    const fee = market.feesMicroPerKwh?.[zone] ?? 0;
    const backup = backupOf(zone);
    if (order.side === "bid") {
      const limit = Math.min(order.priceMicroPerKwh ?? band.max, backup?.sellMicroPerKwh ?? Infinity);
      add(`x${i}`, zone, limit - fee, -1, order.energyWh);
    } else {
      const limit = Math.max(order.priceMicroPerKwh ?? band.min, backup?.buyMicroPerKwh ?? -Infinity);
      add(`x${i}`, zone, -limit, 1, order.energyWh);
    }
  });
  backups.forEach((backup, i) => {
    const fee = market.feesMicroPerKwh?.[backup.zone] ?? 0;
    add(`s${i}`, backup.zone, -(backup.sellMicroPerKwh - fee), 1, backup.capacityWh);
    add(`b${i}`, backup.zone, backup.buyMicroPerKwh, -1, backup.capacityWh);
  });
  (market.lines ?? []).forEach((line, i) => {
    bounds.push(limits.length > 0 ? `f${i} free` : `-${line.capacityWh} <= f${i} <= ${line.capacityWh}`);
    balance.get(line.from)?.push(`- 1 f${i}`);
    balance.get(line.to)?.push(`+ 1 f${i}`);
  });
  (market.bilaterals ?? []).forEach(({ from, to, energyWh, maxSpreadMicroPerKwh }, i) => {
    if (island.get(from) !== island.get(to)) return;
    objective.push(`${signed(maxSpreadMicroPerKwh)} t${i}`);
    bounds.push(`0 <= t${i} <= ${energyWh}`);
    if (from === to) return;
    balance.get(from)?.push(`+ 1 t${i}`);
    balance.get(to)?.push(`- 1 t${i}`);
    exported.get(from)?.push([1, `t${i}`]);
    exported.get(to)?.push([-1, `t${i}`]);
  });
  if (objective.length === 0) return 0;
  const rows = [...balance.values()]
    .filter((terms) => terms.length > 0)
    .map((terms, i) => `c${i}: ${terms.join(" ")} = 0`);
  for (const terms of certificates.values()) rows.push(`g${rows.length}: ${terms.join(" ")} <= 0`);
  for (const { weights, minWh, maxWh } of limits) {
    const terms = zones.flatMap((zone) =>
      (exported.get(zone) ?? []).flatMap(([sign, name]) =>
        weights[zone] ? [`${signed(weights[zone] * sign)} ${name}`] : [],
      ),
    );
    if (terms.length === 0) continue;
    rows.push(`u${rows.length}: ${terms.join(" ")} <= ${maxWh}`, `v${rows.length}: ${terms.join(" ")} >= ${minWh}`);
  }
  const text = `Maximize\n obj: ${objective.join(" ")}\nSubject To\n ${rows.join("\n ")}\nBounds\n ${bounds.join("\n ")}\nEnd\n`;
  const solution = (await solver).solve(text, { presolve: "on" });
  if (solution.Status !== "Optimal") throw new Error(`HiGHS says ${solution.Status}:\n${text}`);
  return solution.ObjectiveValue;
};

export interface WeightedLimit {
  readonly minWh: number;
  readonly maxWh: number;
  readonly weights: Readonly<Record<string, number>>;
}

// CommonJS: under nodenext the types see a namespace, Node sees the function itself.
export const solver = (highsModule as unknown as (options?: InitOptions) => Promise<Highs>)();

const signed = (value: number): string => (value < 0 ? `- ${-value}` : `+ ${value}`);
