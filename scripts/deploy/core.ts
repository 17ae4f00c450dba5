import { MarketAccess__factory } from "../../types/contracts/factories/access/MarketAccess__factory.ts";
import { Grid__factory } from "../../types/contracts/factories/balancing/Grid__factory.ts";
import { MeteringPoints__factory } from "../../types/contracts/factories/consumption/MeteringPoints__factory.ts";
import { MeterOracle__factory } from "../../types/contracts/factories/consumption/MeterOracle__factory.ts";
import { ClearingMesh__factory } from "../../types/contracts/factories/libraries/ClearingMesh__factory.ts";
import { ClearingParts__factory } from "../../types/contracts/factories/libraries/ClearingParts__factory.ts";
import { Bilaterals__factory } from "../../types/contracts/factories/pricing/Bilaterals__factory.ts";
import { Auction__factory } from "../../types/contracts/factories/pricing/Auction__factory.ts";
import { Ledger__factory } from "../../types/contracts/factories/pricing/Ledger__factory.ts";
import { OrderBook__factory } from "../../types/contracts/factories/pricing/OrderBook__factory.ts";
import { SealedBatches__factory } from "../../types/contracts/factories/pricing/SealedBatches__factory.ts";
import { Settlement__factory } from "../../types/contracts/factories/pricing/Settlement__factory.ts";
import { Tariffs__factory } from "../../types/contracts/factories/pricing/Tariffs__factory.ts";
import { TestToken__factory } from "../../types/contracts/factories/test/TestToken__factory.ts";
import type { Creation, Group } from "./group.ts";

/** One base unit of a token with 6 decimals per order word. */
const WORD_FEE_NANO = 1_000;

/** Micro-token per kWh beyond an operating envelope. */
const PENALTY_PRICE = 100_000;

/** 10 tokens of 6 decimals. */
const SEALED_BOND = 10_000_000;

const token: Creation = { name: "token", transaction: () => new TestToken__factory().getDeployTransaction() };

/** Money, books, auction, reports and settlement: the market itself. */
export const core: Group = {
  name: "core",
  given: ({ tokenAddress }) => (tokenAddress === undefined ? {} : { token: tokenAddress }),
  creations: ({ tokenAddress }) => [
    {
      name: "accessManager",
      transaction: ({ deployer }) => new MarketAccess__factory().getDeployTransaction(deployer),
    },
    ...(tokenAddress === undefined ? [token] : []),
    { name: "grid", transaction: ({ at }) => new Grid__factory().getDeployTransaction(at.accessManager, at.orderBook) },
    {
      name: "meteringPoints",
      transaction: ({ at }) =>
        new MeteringPoints__factory().getDeployTransaction(at.accessManager, at.grid, at.orderBook),
    },
    {
      name: "tariffs",
      transaction: ({ at, terms: { bounds, wordFeeNano, penaltyPrice } }) =>
        new Tariffs__factory().getDeployTransaction(
          at.accessManager,
          bounds.highestImportTariff,
          bounds.lowestExportTariff,
          bounds.lowestPrice,
          bounds.highestPrice,
          wordFeeNano ?? WORD_FEE_NANO,
          penaltyPrice ?? PENALTY_PRICE,
          at.settlement,
          at.dynamicTariffs,
        ),
    },
    {
      name: "ledger",
      transaction: ({ at, modules, terms: { backup, operator } }) =>
        new Ledger__factory().getDeployTransaction(
          at.token,
          at.meteringPoints,
          at.settlement,
          at.orderBook,
          at.bilaterals,
          backup ?? operator,
          operator,
          [...modules],
        ),
    },
    {
      name: "sealedBatches",
      transaction: ({ at, terms }) =>
        new SealedBatches__factory().getDeployTransaction(at.orderBook, at.ledger, terms.sealedBond ?? SEALED_BOND),
    },
    {
      name: "orderBook",
      transaction: ({ at }) =>
        new OrderBook__factory().getDeployTransaction(
          at.meteringPoints,
          at.tariffs,
          at.ledger,
          at.settlement,
          at.sealedBatches,
          at.emergency,
        ),
    },
    { name: "clearingMesh", transaction: () => new ClearingMesh__factory().getDeployTransaction() },
    {
      name: "clearingParts",
      transaction: ({ at }) =>
        new ClearingParts__factory({
          "project/contracts/libraries/ClearingMesh.sol:ClearingMesh": at.clearingMesh,
        }).getDeployTransaction(),
    },
    {
      name: "auction",
      transaction: ({ at }) =>
        new Auction__factory({
          "project/contracts/libraries/ClearingMesh.sol:ClearingMesh": at.clearingMesh,
          "project/contracts/libraries/ClearingParts.sol:ClearingParts": at.clearingParts,
        }).getDeployTransaction(at.orderBook, at.grid, at.tariffs, at.bilaterals),
    },
    {
      name: "meterOracle",
      transaction: ({ at }) => new MeterOracle__factory().getDeployTransaction(at.accessManager, at.settlement),
    },
    {
      name: "bilaterals",
      transaction: ({ at }) => new Bilaterals__factory().getDeployTransaction(at.meteringPoints, at.tariffs, at.ledger),
    },
    {
      name: "settlement",
      transaction: ({ at, terms }) => new Settlement__factory().getDeployTransaction(at, terms.genesisSlot),
    },
  ],
  restrictions: ({ at }) => [
    {
      target: at.grid,
      role: "OPERATOR",
      abi: Grid__factory.createInterface(),
      functions: ["setGrid", "setMesh", "stageLimits", "island"],
    },
    {
      target: at.meteringPoints,
      role: "OPERATOR",
      abi: MeteringPoints__factory.createInterface(),
      functions: ["register", "setPriority"],
    },
    {
      target: at.meterOracle,
      role: "COMMITTEE",
      abi: MeterOracle__factory.createInterface(),
      functions: ["setCommittee"],
    },
  ],
  calls: ({ at, terms: { zones, committee, faults } }) => [
    {
      name: "grid.setGrid",
      to: at.grid,
      data: Grid__factory.createInterface().encodeFunctionData("setGrid", [0, [...zones]]),
    },
    {
      name: "meterOracle.setCommittee",
      to: at.meterOracle,
      data: MeterOracle__factory.createInterface().encodeFunctionData("setCommittee", [[...committee], faults]),
    },
  ],
};
