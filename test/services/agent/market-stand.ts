import { Hono } from "hono";
import { type HttpServer, serve } from "../../../services/platform/http.ts";
import { orderSchema, type OrderBody } from "../../../services/protocol/order.ts";

export const TERMS = { importTariff: 300_000, exportTariff: 80_000, fee: 20_000, bandMin: 0, bandMax: 1_000_000 };
const PRICE = 190_000;

/** A small market with the API's exact shapes: one price, every order that it suits is filled in full. */
export interface MarketStand {
  readonly url: string;
  /** Every body that was posted, in the order of arrival. */
  readonly posted: OrderBody[];
  /** Position of a point in a slot, Wh. */
  position(point: number, slot: number): number;
  setPosition(point: number, slot: number, positionWh: number): void;
  /** Called on each posted order before it is answered. */
  onPost: (order: OrderBody) => Promise<void> | void;
  down: boolean;
  close(): Promise<void>;
}

export const startMarketStand = async (zones: readonly string[], points: number): Promise<MarketStand> => {
  const posted: OrderBody[] = [];
  const orders = new Map<string, OrderBody>();
  const fixed = new Map<string, number>();
  const position = (point: number, slot: number): number => {
    const key = `${point}/${slot}`;
    const given = fixed.get(key);
    if (given !== undefined) return given;
    return (orders.get(key)?.steps ?? []).reduce((sum, { sell, energyWh, priceMicroPerKwh }) => {
      if (sell) return priceMicroPerKwh <= PRICE ? sum + energyWh : sum;
      return priceMicroPerKwh >= PRICE + TERMS.fee ? sum - energyWh : sum;
    }, 0);
  };
  const app = new Hono();
  app.use(async (c, next) => (stand.down ? c.json({ error: "away" }, 503) : next()));
  app.get("/terms", (c) => {
    const from = Number(c.req.query("from"));
    return c.json(Array.from({ length: Number(c.req.query("count")) }, (_, i) => ({ slot: from + i, ...TERMS })));
  });
  app.get("/points/:point/sequences", (c) => {
    const from = Number(c.req.query("from"));
    const bytes = Array.from({ length: Number(c.req.query("count")) }, (_, i) => {
      const order = orders.get(`${c.req.param("point")}/${from + i}`);
      return order ? order.sequence : 11;
    });
    return c.json(bytes);
  });
  app.get("/slots/:slot/clearing", (c) => {
    const slot = Number(c.req.param("slot"));
    const prices = Object.fromEntries(zones.map((zone) => [zone, PRICE]));
    const positions = Array.from({ length: points }, (_, point) => position(point, slot));
    return c.json({ slot, cleared: true, prices, greenPrices: {}, positions });
  });
  app.post("/orders", async (c) => {
    const order = orderSchema.parse(await c.req.json());
    posted.push(order);
    await stand.onPost(order);
    orders.set(`${order.point}/${order.slot}`, order);
    return c.json({ id: `${order.point}-${order.slot}-${order.sequence}` }, 202);
  });
  const server: HttpServer = await serve({ app, port: 0 });
  const stand: MarketStand = {
    url: server.url,
    posted,
    position,
    setPosition: (point, slot, positionWh) => void fixed.set(`${point}/${slot}`, positionWh),
    onPost: () => undefined,
    down: false,
    close: () => server.close(),
  };
  return stand;
};
