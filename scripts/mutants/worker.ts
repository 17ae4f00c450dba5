/** Child process of `pool.ts`: runs test files against one mutant's creation code at a time and answers which test failed first. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Mocha from "mocha";
import type { Answer, Question } from "./pool.ts";

/** Contracts that tests deploy from their artifact instead of a factory. */
const FROM_ARTIFACTS = {
  ClearingHarness: "test",
  PartsHarness: "test",
  ClearingMesh: "libraries",
  ClearingParts: "libraries",
};
const artifactOf = (name: string, folder: string): string => `artifacts/contracts/${folder}/${name}.sol/${name}.json`;

/** As they were built: what stands in the copy may be left from another mutant. */
const root = process.env["DAEG_MUTANTS_OF"] ?? ".";
const originals = Object.entries(FROM_ARTIFACTS).map(([name, folder]) => {
  const path = artifactOf(name, folder);
  return { name, path, artifact: JSON.parse(readFileSync(join(root, path), "utf8")) as object };
});

/** Test files are modules: under another name they are loaded, and run, again. The types of mocha do not know its option yet. */
const load = (mocha: Mocha, esmDecorator: (file: string) => string): Promise<void> =>
  (mocha.loadFilesAsync as (options: object) => Promise<void>).call(mocha, { esmDecorator });

const run = async ({ id, codes, tests, all }: Question): Promise<Answer> => {
  globalThis.mutantCode = codes;
  for (const { name, path, artifact } of originals)
    writeFileSync(path, JSON.stringify({ ...artifact, ...codes[name] }));
  // No limit per test: on a loaded machine that would be a false verdict. The pool limits the whole.
  const mocha = new Mocha({ bail: all !== true, timeout: 0, reporter: class {} as never });
  for (const file of tests) mocha.addFile(`${process.cwd()}/${file}`);
  await load(mocha, (file) => `${file}?mutant=${id}`);
  return new Promise((resolve) => {
    const failures: string[] = [];
    let passed = 0;
    mocha
      .run(() => resolve({ id, failed: failures[0], failures, passed }))
      .on("pass", () => (passed += 1))
      .on("fail", (test, error: unknown) => {
        failures.push(`${test.fullTitle()}: ${String(error).split("\n")[0]}`);
      });
  });
};

process.on("message", (question: Question) => {
  run(question).then(
    (answer) => process.send?.(answer),
    (error: unknown) => process.send?.({ id: question.id, failed: `load: ${String(error)}`, failures: [], passed: 0 }),
  );
});
process.setMaxListeners(0);
process.on("disconnect", () => process.exit(0));
// A mutant may reject promises that nobody waits for any more; that alone is no verdict.
process.on("unhandledRejection", () => undefined);
