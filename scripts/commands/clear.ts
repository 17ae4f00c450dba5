import { InvalidArgumentError, type Command } from "commander";
import { explain, solveMarket } from "../../services/core/market/result.ts";
import { wrongInput } from "../../services/platform/errors.ts";
import { asWrongInputLater, parseMarket } from "../../services/protocol/market-file.ts";
import { readMarketInput } from "../clearing/input.ts";

interface Options {
  explain?: true;
  chain?: number;
  rpc?: string;
  keyFile?: string;
  addresses?: string;
}

const LAST_SLOT = 2 ** 32 - 1;

const slotOption = (text: string): number => {
  if (/^\d+$/.test(text) && Number(text) <= LAST_SLOT) return Number(text);
  throw new InvalidArgumentError("slot must be a whole number: unix seconds / 900.");
};

/** `daeg clear MARKET.json|-`: clears one slot and prints the result as JSON; with `--chain` it clears one on a chain. */
export const registerClear = (program: Command): void => {
  program
    .command("clear")
    .description("clear one slot: prices, fills, flows and the proof of optimality, as JSON")
    .argument("[market]", "MARKET.json, or - for standard input; none with --chain")
    .option("--explain", "say for each order why it was or was not filled, one sentence each, on standard error")
    .option(
      "--chain <SLOT>",
      "clear this slot on a chain: read its book from events, solve, simulate, send",
      slotOption,
    )
    .option("--rpc <URL>", "JSON-RPC URL of the chain, with --chain")
    .option("--key-file <FILE>", "file that holds the private key that pays the gas, with --chain")
    .option("--addresses <FILE>", "addresses of the contracts as deployment wrote them, with --chain")
    .addHelpText(
      "after",
      `
On a chain anyone may clear, between a slot's gate and its start:
  daeg clear --chain 1963585 --rpc http://127.0.0.1:8545 --key-file key.txt --addresses addresses.json

Example:
  echo '{"orders":[{"id":"o1","side":"bid","zone":"A","energyWh":1000,"priceMicroPerKwh":250000},{"id":"o2","side":"offer","zone":"A","energyWh":800,"priceMicroPerKwh":90000}]}' | daeg clear -`,
    )
    .action(async (path: string | undefined, options: Options) => {
      const { printed, sentences } = await (options.chain === undefined
        ? fromFile(path, options)
        : onChain(path, options));
      process.stdout.write(`${JSON.stringify(printed, null, 2)}\n`);
      if (options.explain)
        process.stderr.write(
          sentences()
            .map((sentence) => `${sentence}\n`)
            .join(""),
        );
    });
};

interface Cleared {
  readonly printed: unknown;
  sentences(): string[];
}

const fromFile = async (path: string | undefined, { rpc, keyFile, addresses }: Options): Promise<Cleared> => {
  if (path === undefined) throw wrongInput("no market is given: name MARKET.json or -, or a slot by --chain");
  if (rpc !== undefined || keyFile !== undefined || addresses !== undefined) {
    throw wrongInput("--rpc, --key-file and --addresses belong to --chain SLOT: add it, or leave them out");
  }
  const { value, what } = readMarketInput(path, "market file");
  const market = parseMarket(value, what);
  const result = await asWrongInputLater(what, () => solveMarket(market));
  return { printed: result, sentences: () => explain(market, result) };
};

const onChain = async (path: string | undefined, options: Options): Promise<Cleared> => {
  if (path !== undefined) throw wrongInput(`--chain reads the slot's book from the chain: leave "${path}" out`);
  const needed = (name: string, value: string | undefined): string => {
    if (value !== undefined) return value;
    throw wrongInput(`--chain needs ${name}`);
  };
  const { clearOnChain, explainSlot } = await import("../clearing/on-chain.ts");
  const { result, market, clearing } = await clearOnChain({
    slot: options.chain as number,
    rpcUrl: needed("--rpc URL", options.rpc),
    keyFile: needed("--key-file FILE", options.keyFile),
    addressesFile: needed("--addresses FILE", options.addresses),
  });
  return { printed: result, sentences: () => explainSlot(market, clearing) };
};
