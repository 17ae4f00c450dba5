import { expect } from "chai";
import { parseCommunity, formatCommunity } from "../../../services/protocol/community-schema.ts";
import { createNeighbourhood } from "../../../services/simulator/neighbourhood.ts";

const options = { homes: 20, days: 4, seed: 3, start: "2026-06-01T00:00:00Z", cars: 2 };

describe("the built-in neighbourhood", () => {
  it("is the same for one seed, another for the next", () => {
    expect(createNeighbourhood(options)).to.deep.equal(createNeighbourhood(options));
    expect(createNeighbourhood(options).series).to.not.deep.equal(createNeighbourhood({ ...options, seed: 4 }).series);
  });

  it("gives a day the same load and weather whatever day the series starts with", () => {
    const all = createNeighbourhood(options).series;
    const late = createNeighbourhood({ ...options, start: "2026-06-03T15:00:00Z", days: 1 }).series;
    expect(late.times[0]).to.equal(all.times[192]);
    expect([...late.loadWh[7]!]).to.deep.equal([...all.loadWh[7]!.subarray(192, 288)]);
    expect([...late.pvWh[0]!]).to.deep.equal([...all.pvWh[0]!.subarray(192, 288)]);
  });

  it("is a valid community: three zones, batteries, two cars, plausible days", () => {
    const { community, series } = createNeighbourhood(options);
    expect(parseCommunity(JSON.parse(JSON.stringify(formatCommunity(community))), "made")).to.deep.equal(community);
    expect(new Set(community.homes.map(({ zone }) => zone)).size).to.equal(3);
    expect(community.homes.filter(({ battery }) => battery).length).to.be.within(6, 12);
    expect(community.homes.filter(({ vehicle }) => vehicle).length).to.equal(2);
    community.homes.forEach(({ pvW, importRatingW }, i) => {
      const dailyKwh = series.loadWh[i]!.reduce((sum, wh) => sum + wh, 0) / 4_000;
      expect(dailyKwh).to.be.within(4, 30);
      expect(Math.max(...series.loadWh[i]!) * 4).to.be.below(importRatingW);
      expect(Math.max(...series.pvWh[i]!) * 4).to.be.at.most(pvW);
      expect(series.pvWh[i]![0]).to.equal(0);
    });
  });

  it("has one to any number of homes", () => {
    expect(createNeighbourhood({ ...options, homes: 1 }).community.lines).to.deep.equal([]);
    expect(createNeighbourhood({ ...options, homes: 2 }).community.zones).to.deep.equal(["north", "middle"]);
    expect(() => createNeighbourhood({ ...options, start: "soon" })).to.throw('start is "soon": give ISO-8601 UTC');
  });
});
