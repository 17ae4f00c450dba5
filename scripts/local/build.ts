import { existsSync } from "node:fs";
import { join } from "node:path";
import { wrongInput } from "../../services/platform/errors.ts";
import { projectRoot } from "./root.ts";

/** @throws DaegError exit 1 when contracts or dashboard are not built (`npm ci` builds them) */
export const requireBuild = (): void => {
  const needed = [
    "artifacts/contracts/pricing/Auction.sol",
    "types/contracts/factories/pricing",
    "dist/dashboard/index.html",
  ];
  const missing = needed.find((path) => !existsSync(join(projectRoot, path)));
  if (missing) throw wrongInput(`${missing} is missing: run npm run build`);
};
