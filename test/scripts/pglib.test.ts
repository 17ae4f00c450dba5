import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { projectRoot } from "../../scripts/local/root.ts";
import type { Market } from "../../services/core/market/market.ts";
import type { MarketResult } from "../../services/core/market/result.ts";
import { daeg } from "./support/daeg.ts";
import { pglibMarket } from "./support/pglib.ts";

const FOLDER = join(projectRoot, "..", "shared", "data", "pglib");

/** Published costs of the DC optimal power flow, $/h (PGLib-OPF v23.07). */
const PUBLISHED = {
  pglib_opf_case5_pjm: 1.748e4,
  pglib_opf_case14_ieee: 2.0515e3,
  pglib_opf_case30_ieee: 7.4728e3,
  pglib_opf_case118_ieee: 9.3101e4,
};

/** Cost of what generators sell: nano-token are 10^-12 $ at the converter's units. */
const costOf = (market: Market, result: MarketResult): number =>
  Number(
    market.orders.reduce(
      (sum, { id, side, priceMicroPerKwh }) =>
        side === "bid" ? sum : sum + BigInt(result.fillsWh[id] as number) * BigInt(priceMicroPerKwh as number),
      0n,
    ) / 1_000_000n,
  ) / 1e6;

describe("PGLib networks", function () {
  this.timeout(120_000);
  let cwd: string;
  before(() => {
    if (!existsSync(FOLDER)) throw new Error(`the PGLib cases are missing: put them into ${FOLDER}`);
    cwd = mkdtempSync(join(tmpdir(), "daeg-pglib-"));
  });
  after(() => rmSync(cwd, { recursive: true, force: true }));

  for (const [name, published] of Object.entries(PUBLISHED)) {
    it(`${name} costs ${published} $/h, and the contract accepts it`, async () => {
      const market = pglibMarket(readFileSync(join(FOLDER, `${name}.m`), "utf8"));
      writeFileSync(join(cwd, "market.json"), JSON.stringify(market));
      const { code, stdout, stderr } = await daeg(["clear", "market.json"], { cwd });
      expect(code, stderr).to.equal(0);
      const result = JSON.parse(stdout) as MarketResult;
      for (const { id, side, energyWh } of market.orders) {
        if (side === "bid") expect(result.fillsWh[id]).to.equal(energyWh);
      }
      for (const { id, capacityWh } of market.lines ?? []) {
        expect(Math.abs(result.flowsWh[id] as number)).to.be.at.most(capacityWh);
      }
      expect(costOf(market, result).toPrecision(5)).to.equal(published.toPrecision(5));
      expect(Number(result.gapBoundNano)).to.be.below(1e-6 * published * 1e12);
      writeFileSync(join(cwd, "result.json"), stdout);
      const verdict = await daeg(["verify", "market.json", "result.json"], { cwd });
      expect(verdict.stdout, verdict.stderr).to.match(/^\{"accepted":true,"gas":\d+\}\n$/);
      writeFileSync(join(cwd, "result.json"), stdout);
      const verified = await daeg(["verify", "market.json", "result.json"], { cwd });
      expect(verified.code, verified.stdout + verified.stderr).to.equal(0);
      expect(JSON.parse(verified.stdout)).to.have.property("accepted", true);
    });
  }
});
