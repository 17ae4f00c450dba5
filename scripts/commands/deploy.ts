import { dirname, resolve } from "node:path";
import type { Command } from "commander";
import { Wallet } from "ethers";
import { wrongInput } from "../../services/platform/errors.ts";
import { readPrivateKey } from "../../services/platform/private-key.ts";
import { createProvider } from "../../services/platform/provider.ts";
import { exampleConfig, loadDeployConfig } from "../deploy/config.ts";
import { requireBuild } from "../local/build.ts";
import { lockState } from "../local/lock.ts";
import { projectRoot } from "../local/root.ts";

interface Options {
  rpcUrl?: string;
  config?: string;
  book: string;
  keyFile?: string;
  example?: true;
  rehearse?: true;
}

const KEY_VARIABLE = "DAEG_DEPLOYER_KEY";
const RPC_TIMEOUT_MS = 20_000;

/** `daeg deploy`: puts a market on a chain; the same command again goes on where it was broken off, or finds all done. */
export const registerDeploy = (program: Command): void => {
  program
    .command("deploy")
    .description("deploy a market on any chain, print the contracts' addresses; run it again to go on after a crash")
    .option("--rpc-url <URL>", "JSON-RPC URL of the chain")
    .option("--config <FILE>", "the market's terms (scripts/deploy/config.ts describes every key)")
    .option("--book <FILE>", "record of the deployment: keep it", "address-book.json")
    .option("--key-file <FILE>", `file that holds the deployer's private key (or set ${KEY_VARIABLE})`)
    .option(
      "--rehearse",
      "deploy on a chain in memory instead: shows every step and the gas, needs neither URL nor key",
    )
    .option("--example", "print a configuration to start one's own from")
    .addHelpText(
      "after",
      `
The key needs a little of the chain's own coin, must not have been used before, and has no rights in the end:
  ${KEY_VARIABLE}=0x... daeg deploy --rpc-url http://127.0.0.1:8545 --config market.json > addresses.json

Example:
  daeg deploy --example > market.json && daeg deploy --rehearse --config market.json`,
    )
    .action(async (options: Options) => {
      if (options.example) return print(exampleConfig());
      if (options.config === undefined) throw wrongInput("--config FILE is missing: daeg deploy --example prints one");
      requireBuild();
      print(await (options.rehearse ? rehearse(options.config) : deploy(options, options.config)));
    });
};

const print = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
const log = (message: string): void => void process.stderr.write(`${message}\n`);

const deploy = async ({ rpcUrl, book, keyFile }: Options, config: string): Promise<unknown> => {
  if (rpcUrl === undefined) throw wrongInput("--rpc-url URL is missing: name the chain, or --rehearse");
  if (!/^https?:\/\//.test(rpcUrl) || !URL.canParse(rpcUrl)) {
    throw wrongInput(`--rpc-url: "${rpcUrl}" is no URL: use one like http://127.0.0.1:8545`);
  }
  const terms = loadDeployConfig(config);
  const wallet = deployerOf(keyFile);
  if (terms.admin === wallet.address || terms.operator === wallet.address) {
    throw wrongInput(
      `config ${config}: admin and operator must be others than the deployer ${wallet.address}, which has no rights in the end`,
    );
  }
  const bookFile = resolve(book);
  const provider = await createProvider({ urls: [rpcUrl], timeoutMs: RPC_TIMEOUT_MS });
  const unlock = lockState(dirname(bookFile), "--book");
  try {
    const { deployDurably } = await import("../deploy/durable.ts");
    return await deployDurably({ provider, wallet: wallet.connect(provider), terms, bookFile, log });
  } finally {
    unlock();
    provider.destroy();
  }
};

const deployerOf = (keyFile: string | undefined): Wallet => {
  const given = process.env[KEY_VARIABLE];
  if (keyFile === undefined && given === undefined) {
    throw wrongInput(`no key is given: set ${KEY_VARIABLE}, or name a file by --key-file`);
  }
  if (keyFile === undefined && !/^0x[0-9a-fA-F]{64}$/.test(given as string)) {
    throw wrongInput(`${KEY_VARIABLE} must be 0x and 64 hex digits`);
  }
  const key = readPrivateKey(keyFile === undefined ? { privateKey: given } : { privateKeyFile: keyFile });
  try {
    return new Wallet(key);
  } catch {
    // The cause would show the key.
    throw wrongInput(`${keyFile ?? KEY_VARIABLE} holds no valid private key`);
  }
};

const rehearse = async (config: string): Promise<unknown> => {
  const terms = loadDeployConfig(config);
  const { createHardhatRuntimeEnvironment } = await import("hardhat/hre");
  const { BrowserProvider } = await import("ethers");
  const { deployMarket } = await import("../deploy/deploy.ts");
  const { network } = await createHardhatRuntimeEnvironment(
    { networks: { rehearsal: { type: "edr-simulated", chainType: "l1" } } },
    {},
    projectRoot,
  );
  const connection = await network.create("rehearsal");
  try {
    const signer = await new BrowserProvider(connection.provider).getSigner(0);
    let gas = 0n;
    const {
      chainId: _,
      deployedAtBlock: _block,
      ...contracts
    } = await deployMarket({
      ...terms,
      signer,
      log: (message, gasUsed) => {
        gas += gasUsed;
        log(`${String(gasUsed).padStart(9)} gas  ${message}`);
      },
    });
    return { contracts: Object.keys(contracts).length, gas: Number(gas) };
  } finally {
    await connection.close();
  }
};
