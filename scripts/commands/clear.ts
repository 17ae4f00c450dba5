import type { Command } from "commander";
import { clearMarket } from "../../services/core/market/result.ts";
import { asWrongInput, parseMarket } from "../../services/protocol/market-file.ts";
import { readMarketInput } from "../clearing/input.ts";

/** `daeg clear MARKET.json|-`: clears one slot and prints the result as JSON. */
export const registerClear = (program: Command): void => {
  program
    .command("clear")
    .description("clear one slot: prices, fills, flows and the proof of optimality, as JSON")
    .argument("<market>", "MARKET.json, or - for standard input")
    .addHelpText(
      "after",
      `
Example:
  echo '{"orders":[{"id":"o1","side":"bid","zone":"A","energyWh":1000,"priceMicroPerKwh":250000},{"id":"o2","side":"offer","zone":"A","energyWh":800,"priceMicroPerKwh":90000}]}' | daeg clear -`,
    )
    .action((path: string) => {
      const { value, what } = readMarketInput(path, "market file");
      const market = parseMarket(value, what);
      const result = asWrongInput(what, () => clearMarket(market));
      process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
    });
};
