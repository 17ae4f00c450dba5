/**
 * `node scripts/prove.ts [NAME ...]`: proves the properties in test/proofs/*.sol by the SMT checker of the compiler that npm
 * installed, prints one line per property, and exits 1 when any is not proved, also when the checker cannot tell. The wrong
 * properties in test/proofs/control must not be proved, nor those of Margin.sol on a library without one of its terms.
 * What the checker reads instead of the contracts' own lines: scripts/proofs/sources.ts.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { check, type Property } from "./proofs/checker.ts";
import { proofSources, withoutTradeTerm } from "./proofs/sources.ts";
import { projectRoot } from "./local/root.ts";

const only = process.argv.slice(2);
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
  for (const property of check(`test/proofs/${file}`, proofSources())) {
    good = print(property.proved ? "proved" : "NOT PROVED", property, property.proved) && good;
    if (property.proved) proved += 1;
  }
}

if (named("control")) {
  const wrong = [
    ...check("test/proofs/control/Wrong.sol", proofSources()),
    ...check("test/proofs/Margin.sol", proofSources([withoutTradeTerm]), ["BuyerSurplus"]),
  ];
  if (wrong.length !== 3) throw new Error(`three wrong properties expected, ${wrong.length} found`);
  for (const property of wrong) {
    good = print(property.proved ? "PROVED?!" : "refused", property, !property.proved) && good;
  }
}

process.stdout.write(`${proved} properties proved in ${((Date.now() - began) / 1000).toFixed(1)} s\n`);
process.exit(good && (only.length > 0 || proved >= 8) ? 0 : 1);
