/**
 * `node scripts/prove.ts [--long] [NAME ...]`: proves the properties in test/proofs/*.sol by the SMT checker of the compiler that npm
 * installed, prints one line per property, and exits 1 when any is not proved, also when the checker cannot tell. The wrong
 * properties in test/proofs/control must not be proved. `--long` also shows that no property holds only because nothing meets its
 * conditions. What the checker reads: scripts/proofs/sources.ts.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { check, type Property } from "./proofs/checker.ts";
import { projectRoot } from "./local/root.ts";

const long = process.argv.includes("--long") || process.env["DAEG_LONG"] === "1";
const only = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
const named = (name: string): boolean => only.length === 0 || only.includes(name);

const print = (mark: string, { contract, name, text }: Property, wanted: boolean): boolean => {
  process.stdout.write(`${mark.padEnd(11)} ${`${contract}.${name}`.padEnd(30)} ${text}\n`);
  return wanted;
};

let good = true;
let proved = 0;
const began = Date.now();

const files = readdirSync(join(projectRoot, "test", "proofs"))
  .filter((file) => file.endsWith(".sol"))
  .sort();
for (const file of files.filter((file) => named(file.replace(/\.sol$/, "")))) {
  for (const property of check(`test/proofs/${file}`)) {
    good = print(property.proved ? "proved" : "NOT PROVED", property, property.proved) && good;
    if (property.proved) proved += 1;
  }
  if (!long) continue;
  for (const property of check(`test/proofs/${file}`, "conditions")) {
    if (property.proved) good = print("EMPTY", property, false);
  }
}

if (named("control")) {
  for (const property of check("test/proofs/control/Wrong.sol")) {
    good = print(property.proved ? "PROVED?!" : "refused", property, !property.proved) && good;
  }
}

process.stdout.write(`${proved} properties proved in ${((Date.now() - began) / 1000).toFixed(1)} s\n`);
process.exit(good && (only.length > 0 || proved >= 8) ? 0 : 1);
