import type { HardhatPlugin } from "hardhat/types/plugins";

/** Notes every custom error that a call or transaction of this process ended with; its file is named by DAEG_REACHED_ERRORS. */
export const errorRecorder: HardhatPlugin = {
  id: "daeg-error-recorder",
  hookHandlers: { network: () => import("./recorder.ts") },
};
