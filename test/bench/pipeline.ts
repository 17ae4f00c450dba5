import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { playDay } from "../../scripts/local/day.ts";
import { planRun } from "../../scripts/local/plan.ts";
import { projectRoot } from "../../scripts/local/root.ts";
import type { Row } from "./clearing.ts";

const fontana = join(projectRoot, "..", "shared", "data", "fontana");

/** The whole system over a day: chain, four nodes, devices, agents, auctioneer, report; from the start to the report. */
export const measurePipeline = async (): Promise<Row[]> => {
  const rows: Row[] = [];
  for (const { homes, figure } of [
    { homes: 10, figure: "< 60" },
    { homes: 100, figure: "< 120" },
  ]) {
    const data = homes === 10 && existsSync(fontana) ? { data: fontana } : {};
    const stateDir = mkdtempSync(join(tmpdir(), "daeg-bench-"));
    try {
      const began = Date.now();
      const plan = planRun({ ...data, homes, seed: 1 }, stateDir, { homes, cars: 0 });
      let firstSlotAt = 0;
      let drainAt = 0;
      const { report } = await playDay({
        plan,
        stateDir,
        began,
        onProblem: (message) => process.stderr.write(`note: ${message}\n`),
        beforeSlot: (_system, slot) => {
          if (slot === plan.firstSlot) firstSlotAt = Date.now();
          return Promise.resolve();
        },
        atEnd: () => {
          drainAt = Date.now();
          return Promise.resolve();
        },
      });
      const name = `${homes} homes x ${report.slots} slots (${report.community})`;
      const { chain, conservation } = report;
      if (conservation.moneyNano !== "0" || conservation.energyWh !== 0) {
        throw new Error(`${name}: not conserved: ${JSON.stringify(conservation)}`);
      }
      const add = (what: string, target: string, measured: number, unit: string): void =>
        void rows.push({ what: `${name}: ${what}`, figure: target, measured, unit });
      add("whole pipeline", figure, report.wallSeconds, "s");
      add("until the first slot", "", (firstSlotAt - began) / 1000, "s");
      add("a slot", "", (drainAt - firstSlotAt) / report.slots, "ms");
      add("relayed order, as batched", "", chain.gasPerOrderAppended, "gas");
      add("cleared order", "", chain.gasPerOrderCleared, "gas");
      add("meter-slot settled", "", chain.gasPerMeterSlotSettled, "gas");
      add("meter-slot, all transactions", "", chain.gasPerMeterSlotTotal, "gas");
    } finally {
      rmSync(stateDir, { recursive: true, force: true });
    }
  }
  return rows;
};
