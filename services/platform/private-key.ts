import { readFileSync, statSync } from "node:fs";
import { wrongInput } from "./errors.ts";

/**
 * A process's private key: from its config, or from a file that only its user can read.
 * @throws DaegError exit 1 when the file cannot be read, can be read by others, or holds no key
 */
export const readPrivateKey = ({
  privateKey,
  privateKeyFile,
}: {
  privateKey?: string | undefined;
  privateKeyFile?: string | undefined;
}): string => {
  if (privateKey !== undefined) return privateKey;
  const path = privateKeyFile as string;
  let text: string;
  try {
    if ((statSync(path).mode & 0o077) !== 0) {
      throw wrongInput(`privateKeyFile: ${path} can be read by others: run chmod 600 ${path}`);
    }
    text = readFileSync(path, "utf8").trim();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw wrongInput(`privateKeyFile: ${path} cannot be read (${code}): check the path`);
  }
  if (!/^0x[0-9a-fA-F]{64}$/.test(text)) throw wrongInput(`privateKeyFile: ${path} must hold 0x and 64 hex digits`);
  return text;
};
