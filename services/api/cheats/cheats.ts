import type { Cheats } from "./bench.ts";
import { doubledReport } from "./doubled-report.ts";
import { droppedOrder } from "./dropped-order.ts";
import { lyingNode } from "./lying-node.ts";
import { priceOffByOne } from "./price-off-by-one.ts";
import { replayedOrder } from "./replayed-order.ts";

export const cheats: Cheats = {
  "price-off-by-one": priceOffByOne,
  "dropped-order": droppedOrder,
  "lying-node": lyingNode,
  "doubled-report": doubledReport,
  "replayed-order": replayedOrder,
};
