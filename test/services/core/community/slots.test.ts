import { expect } from "chai";
import fc from "fast-check";
import { slotIndex, splitWh, toSlots } from "../../../../services/core/community/slots.ts";

describe("slots of a community's series", () => {
  it("splits 851 Wh into 213, 213, 213, 212", () => {
    expect(splitWh(851, 4)).to.deep.equal([213, 213, 213, 212]);
  });

  it("keeps every Wh and differs by one at most", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2_000_000_000 }), fc.integer({ min: 1, max: 96 }), (energyWh, parts) => {
        const split = splitWh(energyWh, parts);
        expect(split.reduce((sum, part) => sum + part, 0)).to.equal(energyWh);
        expect(Math.max(...split) - Math.min(...split)).to.be.at.most(1);
      }),
    );
  });

  it("cuts hourly rows into quarter hours and repeats beyond the end", () => {
    const slots = toSlots({
      stepSeconds: 3600,
      times: Float64Array.of(7200, 10_800),
      importPriceMicroPerKwh: Int32Array.of(5, 6),
      exportPriceMicroPerKwh: Int32Array.of(1, 2),
      co2KgPerKwh: Float64Array.of(0.1, 0.2),
      loadWh: [Int32Array.of(5, 8)],
      pvWh: [Int32Array.of(0, 3)],
    });
    expect(slots.firstSlot).to.equal(8);
    expect([...slots.loadWh[0]!]).to.deep.equal([2, 1, 1, 1, 2, 2, 2, 2]);
    expect([...slots.importPriceMicroPerKwh]).to.deep.equal([5, 5, 5, 5, 6, 6, 6, 6]);
    expect([slotIndex(slots, 8), slotIndex(slots, 15), slotIndex(slots, 16), slotIndex(slots, 7)]).to.deep.equal([
      0, 7, 0, 7,
    ]);
  });
});
