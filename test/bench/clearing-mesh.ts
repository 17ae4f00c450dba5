import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../scripts/local/root.ts";
import { createSolver } from "../../services/core/dispatch/solver.ts";
import { compileMarket } from "../../services/core/market/market.ts";
import { clearMesh } from "../../services/core/market/mesh/clear.ts";
import { meshMarket } from "../../services/core/market/mesh/decide.ts";
import type { MeshMarket } from "../../services/core/market/mesh/tally.ts";
import { createRandom } from "../../services/simulator/random.ts";
import { pglibMarket } from "../scripts/support/pglib.ts";

/** As the bench's table has them. */
interface Row {
  what: string;
  figure: string;
  measured: number;
  unit: string;
}

const CASE = join(projectRoot, "..", "shared", "data", "pglib", "pglib_opf_case118_ieee.m");
const ORDERS = 10_000;
const ROUNDS = 3;
const SEED = 7;
/** Wh of line per MW of rating: so that some lines are full. */
const WH_PER_MW = 60;

/** Half bids, half offers of a community's size, over the network of PGLib case118. */
const market118 = (): MeshMarket => {
  const { zones = [], lines = [] } = pglibMarket(readFileSync(CASE, "utf8"));
  const random = createRandom(SEED, ORDERS, zones.length);
  const below = (count: number): number => Math.floor(random() * count);
  const orders = Array.from({ length: ORDERS }, (_, i) => ({
    id: `o${i}`,
    side: random() < 0.5 ? ("offer" as const) : ("bid" as const),
    zone: zones[below(zones.length)] as string,
    energyWh: 50 + below(5_000),
    priceMicroPerKwh: 20_000 + below(330_000),
  }));
  return meshMarket(
    compileMarket({
      zones,
      lines: lines.map((line) => ({ ...line, capacityWh: Math.round((line.capacityWh / 1e6) * WH_PER_MW) })),
      orders,
    }),
  );
};

/** Clearing of a meshed network off chain, from columns in memory to the checked posting; no rows without the data. */
export const measureMesh = async (): Promise<Row[]> => {
  if (!existsSync(CASE)) return [];
  const market = market118();
  const solver = await createSolver();
  const times: number[] = [];
  let full = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const began = performance.now();
    const { posting } = clearMesh(market, solver);
    times.push((performance.now() - began) / 1000);
    full = posting.mu.filter((own) => own !== 0n).length;
  }
  const what = `clearing ${ORDERS.toLocaleString("en")} orders, ${market.terms.length} zones meshed (${market.limits.length} lines)`;
  return [
    { what, figure: "", measured: times.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)] as number, unit: "s" },
    { what: `${what}: lines with a price`, figure: "", measured: full, unit: "lines" },
  ];
};
