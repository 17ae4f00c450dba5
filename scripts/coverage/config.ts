import { createRequire } from "node:module";
import type { BuildProfilesSolidityUserConfig, MultiVersionSolidityUserConfig } from "hardhat/types/config";
import Mocha from "mocha";
import config from "../../hardhat.config.ts";
import { tracelessCoverage } from "./plugin.ts";

// Contracts that count are several times slower: the limits of the tests would only tell how busy the machine is.
Object.assign(Mocha.Runnable.prototype, {
  timeout(this: Mocha.Runnable, limitMs?: number) {
    return limitMs === undefined ? 0 : this;
  },
});

const solc = { version: "0.8.37", path: createRequire(import.meta.url).resolve("solc/soljson.js") };

/** Nothing is optimized: what runs is the same, and it compiles in a tenth of the time. */
const plain = { ...solc, settings: { evmVersion: "cancun", optimizer: { enabled: false } } };

/** The same for contracts with more variables than the stack holds, which only the intermediate representation puts into memory. */
const deep = {
  ...plain,
  settings: {
    evmVersion: "cancun",
    viaIR: true,
    optimizer: {
      enabled: true,
      runs: 1,
      details: { yulDetails: { stackAllocation: true, optimizerSteps: "u:fDnTOcmu" } },
    },
  },
};

const own = (config.solidity as BuildProfilesSolidityUserConfig).profiles["default"] as MultiVersionSolidityUserConfig;

/** With counters these leave no room on the stack when they are optimized. */
const unoptimized = { "contracts/pricing/Auction.sol": plain, "contracts/libraries/ClearingParts.sol": plain };

/** Tests in Solidity use internal functions of many libraries at once: only the project's own settings find room for them on the stack. */
const solidity =
  process.env["DAEG_MEASURED"] === "solidity"
    ? { profiles: { default: { ...own, overrides: { ...own.overrides, ...unoptimized } } } }
    : {
        profiles: {
          default: {
            compilers: [plain],
            overrides: {
              "contracts/balancing/PeakCharge.sol": deep,
              "contracts/consumption/DemandResponse.sol": deep,
              "contracts/pricing/OrderBook.sol": deep,
              "contracts/production/Generators.sol": deep,
            },
          },
        },
      };

/** The project's settings for measuring coverage. */
export default {
  ...config,
  // Tests in Solidity are not compiled for those in TypeScript.
  paths: {
    ...config.paths,
    tests: { mocha: "./test", solidity: process.env["DAEG_MEASURED"] === "mocha" ? "./test/none" : "./test/solidity" },
  },
  plugins: [...(config.plugins ?? []), tracelessCoverage],
  solidity,
};
