import { createRequire } from "node:module";
import hardhatToolboxMochaEthers from "@nomicfoundation/hardhat-toolbox-mocha-ethers";
import { defineConfig } from "hardhat/config";
import { errorRecorder } from "./scripts/errors/plugin.ts";

const require = createRequire(import.meta.url);

/** The compiler that npm installed: nothing is downloaded. */
const solc = { version: "0.8.37", path: require.resolve("solc/soljson.js") };

/** What runs per order and per signature is compiled through the IR: slower to build, cheaper to run. */
const hot = { ...solc, settings: { evmVersion: "cancun", viaIR: true, optimizer: { enabled: true, runs: 1_000_000 } } };

/** The same, smaller: the order book would not fit otherwise. */
const large = { ...hot, settings: { ...hot.settings, optimizer: { enabled: true, runs: 1_000 } } };

/** As fast as fits; its loops are assembly. */
const clearing = { ...hot, settings: { ...hot.settings, optimizer: { enabled: true, runs: 700 } } };

/** What would not fit into a contract otherwise. */
const compact = { ...solc, settings: { ...hot.settings, optimizer: { enabled: true, runs: 200 } } };

/** As fast as fits; below some hundred runs the wide constants of its loops would be copied from code instead of pushed. */
const settling = { ...hot, settings: { ...hot.settings, optimizer: { enabled: true, runs: 800 } } };

export default defineConfig({
  plugins: [hardhatToolboxMochaEthers, ...(process.env["DAEG_REACHED_ERRORS"] ? [errorRecorder] : [])],
  solidity: {
    profiles: {
      default: {
        compilers: [{ ...solc, settings: { evmVersion: "cancun", optimizer: { enabled: true, runs: 1_000 } } }],
        overrides: {
          "contracts/pricing/OrderBook.sol": large,
          "contracts/pricing/Auction.sol": clearing,
          "contracts/libraries/ClearingParts.sol": compact,
          "contracts/test/ClearingHarness.sol": clearing,
          "contracts/balancing/Losses.sol": hot,
          "contracts/balancing/PeakCharge.sol": hot,
          "contracts/balancing/Refunds.sol": hot,
          "contracts/consumption/MeterOracle.sol": hot,
          "contracts/consumption/ReadingArchive.sol": hot,
          "contracts/consumption/DemandResponse.sol": compact,
          "contracts/consumption/Usage.sol": compact,
          "contracts/production/Certificates.sol": hot,
          "contracts/production/Generators.sol": hot,
          "contracts/pricing/Settlement.sol": settling,
        },
      },
      production: {
        ...solc,
        settings: { evmVersion: "cancun", viaIR: true, optimizer: { enabled: true, runs: 10_000 } },
      },
    },
  },
  paths: { sources: "./contracts", tests: { solidity: "./test/solidity", mocha: "./test" } },
  typechain: { outDir: "types/contracts" },
  networks: {
    /** In-process chain of tests; the local chain of `daeg up` overrides `initialDate` (scripts/local/chain.ts). */
    default: { type: "edr-simulated", chainType: "l1", allowBlocksWithSameTimestamp: true },
    /** The same with the rules of an OP stack chain (test/contracts/op.test.ts). */
    op: { type: "edr-simulated", chainType: "op", allowBlocksWithSameTimestamp: true },
  },
  test: {
    mocha: { timeout: 60_000 },
    solidity: {
      fuzz: { runs: Number(process.env["DAEG_FUZZ_RUNS"] ?? (process.env["DAEG_LONG"] ? 100_000 : 5_000)) },
      /** Handlers take seeds, so no dictionary of values is kept. */
      invariant: {
        runs: Number(process.env["DAEG_INVARIANT_RUNS"] ?? (process.env["DAEG_LONG"] ? 10_000 : 256)),
        depth: process.env["DAEG_LONG"] ? 32 : 64,
        failOnRevert: true,
        dictionaryWeight: 0,
        includeStorage: false,
        includePushBytes: false,
        shrinkRunLimit: 200,
      },
    },
  },
});
