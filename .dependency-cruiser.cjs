/** Who may import whom (design, section 6): core and platform know nothing above them; devices and protocol know those
 * two; every process knows these four and never another process; nobody imports scripts or test. */
const processes = ["agent", "auctioneer", "indexer", "watchdog", "api", "simulator", "dashboard", "console"];
const libraries = "^services/(core|platform|devices|protocol)/";
const outside = "^(services|oracle|scripts|test|contracts)/";

const processRule = (from, own) => ({
  name: `${own.replace(/[^a-z]/g, "")}-knows-only-libraries`,
  severity: "error",
  from: { path: from },
  to: { path: outside, pathNot: [libraries, own] },
});

module.exports = {
  forbidden: [
    { name: "no-circular", severity: "error", from: {}, to: { circular: true, dependencyTypesNot: ["type-only"] } },
    {
      name: "core-is-pure",
      severity: "error",
      from: { path: "^services/core/" },
      to: { path: outside, pathNot: "^services/core/" },
    },
    {
      name: "core-does-no-io",
      severity: "error",
      from: { path: "^services/core/" },
      to: { dependencyTypes: ["core"], path: "^(node:)?(fs|net|http|https|child_process|sqlite|dgram|tls)" },
    },
    {
      name: "platform-knows-no-energy",
      severity: "error",
      from: { path: "^services/platform/" },
      to: { path: outside, pathNot: "^services/platform/" },
    },
    {
      name: "devices-and-protocol-stand-on-core-and-platform",
      severity: "error",
      from: { path: "^services/(devices|protocol)/" },
      to: { path: outside, pathNot: ["^services/(core|platform)/", "^services/$1/"] },
    },
    ...processes.map((name) => processRule(`^services/${name}/`, `^services/${name}/`)),
    processRule("^oracle/", "^oracle/"),
    {
      name: "nobody-imports-scripts",
      severity: "error",
      from: { path: "^(services|oracle)/" },
      to: { path: "^(scripts|test)/" },
    },
    { name: "nobody-imports-test", severity: "error", from: { path: "^scripts/" }, to: { path: "^test/" } },
    {
      name: "no-orphans-to-nowhere",
      severity: "error",
      from: {},
      to: { couldNotResolve: true, pathNot: ["^bun:", "^deno:"] },
    },
  ],
  options: {
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    doNotFollow: { path: ["node_modules", "^types/"] },
    exclude: { path: "^(artifacts|cache|types|dist)/" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default"],
      extensions: [".ts", ".tsx", ".js", ".json"],
    },
  },
};
