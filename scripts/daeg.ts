#!/usr/bin/env node
/** The command line of DAEG (design, section 7): JSON on stdout, everything else on stderr. */
import { Command, CommanderError } from "commander";
import { DaegError, messageOf } from "../services/platform/errors.ts";

type Register = (program: Command) => void;

/** Each command loads only what it needs, so that `daeg clear` does not wait for the whole system. */
const commands: Record<string, () => Promise<Register>> = {
  up: async () => (await import("./commands/up.ts")).registerUp,
  day: async () => (await import("./commands/day.ts")).registerDay,
  clear: async () => (await import("./commands/clear.ts")).registerClear,
  verify: async () => (await import("./commands/verify.ts")).registerVerify,
  deploy: async () => (await import("./commands/deploy.ts")).registerDeploy,
  meter: async () => (await import("./commands/meter.ts")).registerMeter,
  oracle: async () => (await import("./commands/oracle.ts")).registerOracle,
  example: async () => (await import("./commands/example.ts")).registerExample,
  doctor: async () => (await import("./commands/doctor.ts")).registerDoctor,
};

/** A wrong call is told in one line, as every wrong input. */
const oneLine = (message: string): string =>
  `daeg: ${message
    .replace(/^error: /, "")
    .trim()
    .replace(/\s*\n\s*/g, " ")} (add --help for the usage)\n`;

const program = new Command("daeg")
  .description("A neighbourhood that runs its own electricity market.")
  .configureOutput({ outputError: (message, write) => write(oneLine(message)) })
  .exitOverride();

/** Exit without cutting off a pipe that still drains. */
const finish = (exitCode: number): void => {
  process.exitCode = exitCode;
  process.stdout.write("", () => process.exit(exitCode));
};

try {
  const wanted = process.argv[2] ?? "";
  const names = wanted in commands ? [wanted] : Object.keys(commands);
  for (const name of names) (await (commands[name] as () => Promise<Register>)())(program);
  await program.parseAsync();
  if (process.exitCode !== undefined && process.exitCode !== 0) finish(Number(process.exitCode));
} catch (error) {
  if (error instanceof CommanderError) {
    finish(error.exitCode === 0 ? 0 : 1);
  } else {
    process.stderr.write(`daeg: ${messageOf(error)}\n`);
    if (!(error instanceof DaegError) && process.env["DAEG_TRACE"]) process.stderr.write(`${(error as Error).stack}\n`);
    finish(error instanceof DaegError ? error.exitCode : 1);
  }
}
