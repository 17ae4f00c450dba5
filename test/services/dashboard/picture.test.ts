import { expect } from "chai";
import { niceStep, slotChart } from "../../../services/dashboard/picture/chart.ts";
import { balanceOf, directionOf, flowSentence, flowWidth, paceOf } from "../../../services/dashboard/picture/flow.ts";
import { layoutPicture, type PictureInput, type PictureLayout } from "../../../services/dashboard/picture/layout.ts";
import { groupByPrice } from "../../../services/dashboard/picture/price-groups.ts";
import { proofStrips } from "../../../services/dashboard/picture/proof-strip.ts";
import { treeOf } from "../../../services/dashboard/picture/zone-tree.ts";
import { fakeWorld } from "../../e2e/support/fake-world.ts";

/** Comparisons by hand: other tests of the run load matchers that refuse fractions. */
const holds = (fact: boolean): void => {
  expect(fact).to.equal(true);
};

const neighbourhood = (homes: number, zones: number, width: number): PictureInput => {
  const { state } = fakeWorld({ homes, zones });
  return { width, zones: state.zones, lines: state.lines, gridZone: state.gridZone, points: state.points };
};

const inside = (layout: PictureLayout): void => {
  for (const region of layout.regions) {
    holds(region.x >= 0);
    holds(region.x + region.width <= layout.width + 0.5);
    holds(region.y + region.height <= layout.height + 0.5);
    for (const home of region.homes) {
      holds(home.x - layout.cell.glyph / 2 >= region.x);
      holds(home.x + layout.cell.glyph / 2 <= region.x + region.width);
      holds(home.y + layout.cell.drop + layout.cell.glyph <= region.y + region.height);
    }
  }
  layout.regions.forEach((a, i) =>
    layout.regions.slice(i + 1).forEach((b) => {
      const apart = a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;
      expect(apart, `${a.zone} and ${b.zone} overlap`).to.equal(true);
    }),
  );
};

describe("dashboard picture", () => {
  for (const [homes, zones] of [
    [3, 1],
    [3, 3],
    [20, 3],
    [100, 3],
    [100, 8],
  ] as const)
    for (const width of [358, 720, 1312])
      it(`holds ${homes} homes in ${zones} zones on ${width} px without overlap`, () => {
        const layout = layoutPicture(neighbourhood(homes, zones, width));
        inside(layout);
        expect(layout.regions.flatMap((region) => region.homes)).to.have.length(homes);
        expect(layout.wires).to.have.length(zones);
      });

  it("orders zones from the grid and knows which lines run against it", () => {
    const tree = treeOf(
      ["C", "B", "A", "Island"],
      [
        { id: "1", from: "B", to: "A" },
        { id: "2", from: "B", to: "C" },
        { id: "3", from: "A", to: "C" },
      ],
      "A",
    );
    expect(tree.map(({ zone, depth, parent, reversed }) => [zone, depth, parent, reversed])).to.deep.equal([
      ["A", 0, null, false],
      ["B", 1, "A", true],
      ["C", 1, "A", false],
      ["Island", 0, null, false],
    ]);
  });

  it("reads live power as buying and selling", () => {
    expect([500, -500, 49, undefined].map(directionOf)).to.deep.equal(["buy", "sell", "still", "still"]);
    const live = (powers: number[]) => ({
      now: 0,
      heads: [],
      lines: [],
      stale: false,
      points: powers.map((powerW, point) => ({ point, powerW, at: 0 })),
    });
    expect(balanceOf(live([1000, -400, 200]))).to.deep.equal({
      sellingW: 400,
      buyingW: 1200,
      localW: 400,
      gridW: 800,
      sellers: 1,
      buyers: 2,
    });
    expect(flowSentence(balanceOf(live([1000, -400])))).to.equal(
      "1 home supplies 1 home, and the grid covers the rest.",
    );
    expect(flowSentence(balanceOf(live([-1000, -400])))).to.equal("2 homes feed the grid.");
    expect(flowSentence(balanceOf(live([1000, -1000])))).to.equal(
      "1 home supplies 1 home, and nothing comes from the grid.",
    );
    expect(flowSentence(balanceOf(live([0])))).to.equal("Nothing flows right now.");
  });

  it("widens and hastens a flow with its share of the limit, within the wire", () => {
    expect(flowWidth(500, 1000, 10)).to.equal(5);
    expect(flowWidth(9000, 1000, 10)).to.equal(10);
    expect(flowWidth(1, 1000, 10)).to.equal(1.5);
    expect([10, 300, 900].map((powerW) => paceOf(powerW, 1000))).to.deep.equal(["slow", "steady", "fast"]);
  });

  it("draws prices and trade inside the chart's box", () => {
    const { slots, state } = fakeWorld({ homes: 20, zones: 3 });
    const box = { left: 46, right: 800, top: 20, middle: 140, barTop: 160, bottom: 230 };
    const chart = slotChart(slots, state.zones, box);
    for (const bar of chart.bars) {
      holds(bar.x >= box.left);
      holds(bar.x + bar.width <= box.right);
      holds(bar.gridY >= box.barTop - 0.1);
      holds(bar.localY >= bar.gridY && bar.localY <= box.bottom);
    }
    for (const tick of chart.priceTicks) holds(tick.y >= box.top - 0.1 && tick.y <= box.middle + 0.1);
    expect(slotChart([], state.zones, box).bars).to.deep.equal([]);
    expect([niceStep(7, 3), niceStep(310_000, 3), niceStep(50, 3)]).to.deep.equal([5, 200_000, 20]);
  });

  it("puts the price between what was accepted and what was left", () => {
    const { story, state } = fakeWorld({ homes: 20, zones: 3 });
    const strips = proofStrips(story(state.slot - 4));
    expect(strips).to.have.length(3);
    for (const strip of strips) {
      if (strip.lo !== null) holds(strip.lo <= strip.price);
      if (strip.hi !== null) holds(strip.hi >= strip.price);
      for (const mark of strip.marks) holds(mark.at >= 0 && mark.at <= 1);
    }
    expect(proofStrips(story(state.slot + 1))).to.deep.equal([]);
  });

  it("tells equal prices once", () => {
    expect(groupByPrice(["A", "B", "C"], { A: 1, B: 2, C: 1 })).to.deep.equal([
      { name: "A, C", micro: 1 },
      { name: "B", micro: 2 },
    ]);
    expect(groupByPrice(["A", "B"], { A: 1, B: 1 })).to.deep.equal([{ name: "All zones", micro: 1 }]);
  });
});
