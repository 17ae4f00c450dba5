/** Child process of `pool.ts`: runs test files against one mutant's creation code at a time and answers which test failed first. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Mocha from "mocha";
import type { Answer, Question } from "./pool.ts";

/** Contracts that tests deploy from their artifact instead of a factory. */
const artifactOf = (name: string): string => `artifacts/contracts/test/${name}.sol/${name}.json`;

/** As they were built: what stands in the copy may be left from another mutant. */
const root = process.env["DAEG_MUTANTS_OF"] ?? ".";
const harnesses = ["ClearingHarness", "PartsHarness"]
  .filter((name) => existsSync(join(root, artifactOf(name))))
  .map((name) => [name, JSON.parse(readFileSync(join(root, artifactOf(name)), "utf8")) as object] as const);

/** Test files are modules: under another name they are loaded, and run, again. The types of mocha do not know its option yet. */
const load = (mocha: Mocha, esmDecorator: (file: string) => string): Promise<void> =>
  (mocha.loadFilesAsync as (options: object) => Promise<void>).call(mocha, { esmDecorator });

const run = async ({ id, codes, tests }: Question): Promise<Answer> => {
  globalThis.mutantCode = codes;
  for (const [name, original] of harnesses) {
    writeFileSync(artifactOf(name), JSON.stringify({ ...original, ...codes[name] }));
  }
  const mocha = new Mocha({ bail: true, timeout: 60_000, reporter: class {} as never });
  for (const file of tests) mocha.addFile(`${process.cwd()}/${file}`);
  await load(mocha, (file) => `${file}?mutant=${id}`);
  return new Promise((resolve) => {
    let failed: string | undefined;
    let passed = 0;
    mocha
      .run(() => resolve({ id, failed, passed }))
      .on("pass", () => (passed += 1))
      .on("fail", (test, error: unknown) => {
        failed ??= `${test.fullTitle()}: ${String(error).split("\n")[0]}`;
      });
  });
};

process.on("message", (question: Question) => {
  run(question).then(
    (answer) => process.send?.(answer),
    (error: unknown) => process.send?.({ id: question.id, failed: `load: ${String(error)}`, passed: 0 }),
  );
});
process.setMaxListeners(0);
process.on("disconnect", () => process.exit(0));
// A mutant may reject promises that nobody waits for any more; that alone is no verdict.
process.on("unhandledRejection", () => undefined);
