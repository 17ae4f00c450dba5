import type { Market } from "../../../services/core/market/market.ts";

/** One hour; 1 MW is 10^6 Wh. */
const WH_PER_MW = 1e6;
/** Costs of PGLib have six decimals: with 10^6 micro-token per kWh for 1 $/MWh all of them are whole. */
export const MICRO_PER_DOLLAR_PER_MWH = 1e6;
const BAND = { min: 0, max: 1e9 };

/**
 * A PGLib case (MATPOWER format) as a market of one hour: one zone per bus, loads as price-taking bids, generators as offers
 * at their linear cost, branches as lines with the reactance (r^2 + x^2) / x and the limit rateA; taps and shifts ignored.
 * @throws Error on what such a market cannot say: quadratic or fixed costs, least outputs, parts out of service
 */
export const pglibMarket = (text: string): Market => {
  const rows = (name: string): number[][] => {
    const body = new RegExp(`mpc\\.${name} = \\[\\n([\\s\\S]*?)\\];`).exec(text)?.[1];
    if (body === undefined) throw new Error(`the case has no mpc.${name}`);
    return body
      .split("\n")
      .map((line) => line.replace(/[;%].*$/, "").trim())
      .filter((line) => line !== "")
      .map((line) => line.split(/\s+/).map(Number));
  };
  const column = (row: readonly number[], at: number): number => row[at] as number;
  const zone = (bus: number): string => `bus${bus}`;
  const buses = rows("bus");
  const costs = rows("gencost");
  const whole = (value: number, unit: number): number => {
    const scaled = Math.round(value * unit);
    if (Math.abs(scaled - value * unit) > 1e-3) throw new Error(`${value} is no whole number of units`);
    return scaled;
  };
  const offers = rows("gen").flatMap((gen, i) => {
    const [kind, , , terms, quadratic, linear, fixed] = costs[i] as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    if (kind !== 2 || terms !== 3 || quadratic !== 0 || fixed !== 0)
      throw new Error(`generator ${i}: not a linear cost`);
    if (column(gen, 9) !== 0 || column(gen, 7) !== 1)
      throw new Error(`generator ${i}: a least output, or out of service`);
    const energyWh = whole(column(gen, 8), WH_PER_MW);
    const priceMicroPerKwh = whole(linear, MICRO_PER_DOLLAR_PER_MWH);
    return { id: `gen${i}`, side: "offer" as const, zone: zone(column(gen, 0)), energyWh, priceMicroPerKwh };
  });
  return {
    zones: buses.map((bus) => zone(column(bus, 0))),
    lines: rows("branch").map((branch, i) => {
      const [from, to, r, x, , rateA] = branch as [number, number, number, number, number, number];
      if (column(branch, 10) !== 1) throw new Error(`branch ${i} is out of service`);
      const reactance = (r * r + x * x) / x;
      return { id: `line${i}`, from: zone(from), to: zone(to), capacityWh: whole(rateA, WH_PER_MW), reactance };
    }),
    orders: [
      ...offers,
      ...buses
        .filter((bus) => column(bus, 2) !== 0)
        .map((bus) => {
          const id = `load${column(bus, 0)}`;
          const energyWh = whole(column(bus, 2), WH_PER_MW);
          return { id, side: "bid" as const, zone: zone(column(bus, 0)), energyWh, priceMicroPerKwh: null };
        }),
    ],
    priceBand: BAND,
  };
};
