import type { HardhatPlugin } from "hardhat/types/plugins";

/** Lets Hardhat's coverage count without a trace in memory. */
export const tracelessCoverage: HardhatPlugin = {
  id: "daeg-traceless-coverage",
  hookHandlers: { solidity: () => import("./counter.ts") },
};
