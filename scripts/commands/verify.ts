import type { Command } from "commander";
import { parseMarket, parseResult } from "../../services/protocol/market-file.ts";
import { checkResult } from "../clearing/check-result.ts";
import { readMarketInput } from "../clearing/input.ts";

/** `daeg verify MARKET.json RESULT.json`: lets the contract judge a result, in an EVM of its own. */
export const registerVerify = (program: Command): void => {
  program
    .command("verify")
    .description("check a result by the contract itself, executed in an EVM; exit code 2 when it is refused")
    .argument("<market>", "MARKET.json, or - for standard input")
    .argument("<result>", "RESULT.json as `daeg clear` prints it")
    .addHelpText("after", "\nExample:\n  daeg clear market.json > result.json && daeg verify market.json result.json")
    .action(async (marketPath: string, resultPath: string) => {
      const marketInput = readMarketInput(marketPath, "market file");
      const market = parseMarket(marketInput.value, marketInput.what);
      const resultInput = readMarketInput(resultPath, "result file");
      const result = parseResult(resultInput.value, resultInput.what);
      const { createHarness } = await import("../clearing/harness.ts");
      const harness = await createHarness();
      try {
        const verdict = await checkResult(harness, market, result);
        process.stdout.write(`${JSON.stringify(verdict)}\n`);
        if (!verdict.accepted) process.exitCode = 2;
      } finally {
        await harness.close();
      }
    });
};
