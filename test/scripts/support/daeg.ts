import { execFile, spawn } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { projectRoot } from "../../../scripts/local/root.ts";

export const program = join(projectRoot, "scripts", "daeg.ts");

export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

const TIMEOUT_MS = 60_000;

/** Runs `daeg` as a user does, in folder `cwd`. */
export const daeg = (args: readonly string[], { cwd, input = "" }: { cwd: string; input?: string }): Promise<Ended> =>
  new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [program, ...args],
      { cwd, timeout: TIMEOUT_MS, maxBuffer: 2 ** 26 },
      (error, stdout, stderr) => resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(input);
  });

/** Runs a line in a shell in which `daeg` is a command, as printed in a help text. */
export const shell = (line: string, cwd: string): Promise<Ended> => {
  const bin = join(cwd, ".bin");
  mkdirSync(bin, { recursive: true });
  const shim = join(bin, "daeg");
  writeFileSync(shim, `#!/bin/sh\nexec "${process.execPath}" "${program}" "$@"\n`);
  chmodSync(shim, 0o755);
  return new Promise((resolve) => {
    const child = spawn("/bin/sh", ["-c", line], {
      cwd,
      env: { ...process.env, PATH: `${bin}${delimiter}${process.env["PATH"] ?? ""}` },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: TIMEOUT_MS,
    });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    child.on("close", (code) => resolve({ code: code ?? -1, stdout, stderr }));
  });
};

/** The example at the end of a command's help. */
export const exampleOf = async (args: readonly string[], cwd: string): Promise<string> => {
  const { stdout } = await daeg([...args, "--help"], { cwd });
  const [, example = ""] = stdout.split("Example:\n");
  return example.trim();
};
