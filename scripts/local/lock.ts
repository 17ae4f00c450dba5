import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { wrongInput } from "../../services/platform/errors.ts";

/**
 * One instance per state folder: a lock file with the owner's process id. A lock whose owner is gone (kill -9) is taken over.
 * @returns release function
 * @throws DaegError exit 1 when another instance runs, or the folder cannot be written
 */
export const lockState = (stateDir: string, option = "--state"): (() => void) => {
  const path = join(stateDir, "instance.lock");
  try {
    mkdirSync(stateDir, { recursive: true });
  } catch (error) {
    throw wrongInput(
      `state folder ${stateDir} cannot be made (${(error as NodeJS.ErrnoException).code}): choose another one with ${option}`,
    );
  }
  for (;;) {
    try {
      writeFileSync(path, String(process.pid), { flag: "wx" });
      return () => rmSync(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") {
        throw wrongInput(
          `state folder ${stateDir} cannot be written (${(error as NodeJS.ErrnoException).code}): choose another one with ${option}`,
        );
      }
      const owner = Number(readFileSync(path, "utf8"));
      if (isAlive(owner)) {
        throw wrongInput(
          `another instance (process ${owner}) uses ${stateDir}: stop it or choose another folder with ${option}`,
        );
      }
      rmSync(path, { force: true });
    }
  }
};

const isAlive = (pid: number): boolean => {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
};
