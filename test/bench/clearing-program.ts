/** Worker of the clearing bench: the same market as a linear program, so that it can be stopped when it takes too long. */
import { parentPort, workerData } from "node:worker_threads";
import { createSolver, type Solver } from "../../services/core/dispatch/solver.ts";
import { OFFER } from "../../services/core/market/types.ts";
import { EXPORT, FEE, IMPORT, randomMarket, type Market } from "./clearing-market.ts";

/** One variable per order and line direction, a balance per zone. @returns its solution's cost */
const solveAsProgram = (solver: Solver, { columns, zones }: Market): number => {
  const bidsAtMost = IMPORT;
  const offersAtLeast = EXPORT;
  const { objective } = solver.minimise((program) => {
    const balance = zones.map(() => program.addRow(0, 0));
    for (let i = 0; i < columns.count; i += 1) {
      const row = balance[columns.zone[i] as number] as number;
      const isOffer = ((columns.flags[i] as number) & OFFER) !== 0;
      const limit = columns.price[i] as number;
      const cost = isOffer ? Math.max(limit, offersAtLeast) : FEE - Math.min(limit, bidsAtMost);
      program.addColumn(cost, 0, columns.energyWh[i] as number, [row, isOffer ? 1 : -1]);
    }
    zones.forEach(({ parent, toParentWh, fromParentWh, hasBackup, backupCapacityWh }, zone) => {
      const row = balance[zone] as number;
      if (hasBackup) {
        program.addColumn(IMPORT - FEE, 0, backupCapacityWh, [row, 1]);
        program.addColumn(-EXPORT, 0, backupCapacityWh, [row, -1]);
      }
      if (parent !== zone) {
        program.addColumn(0, -fromParentWh, toParentWh, [row, -1, balance[parent] as number, 1]);
      }
    });
  });
  return objective;
};

const { orders, zones, seed } = workerData as { orders: number; zones: number; seed: number };
const solver = await createSolver();
const market = randomMarket(orders, zones, seed);
const began = performance.now();
const cost = solveAsProgram(solver, market);
parentPort?.postMessage({ seconds: (performance.now() - began) / 1000, cost });
