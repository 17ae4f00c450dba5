import { copyFile, mkdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";

const root = join(import.meta.dirname, "..");

/**
 * Bundles services/dashboard into dist/dashboard (index.html, main.js, main.css and their maps).
 * @returns size of main.js in bytes
 */
export const buildDashboard = async (outdir = join(root, "dist", "dashboard")): Promise<number> => {
  const source = join(root, "services", "dashboard");
  await rm(outdir, { recursive: true, force: true });
  await mkdir(outdir, { recursive: true });
  await build({
    entryPoints: { main: join(source, "main.tsx") },
    outdir,
    bundle: true,
    minify: true,
    sourcemap: true,
    format: "esm",
    target: "es2022",
    platform: "browser",
    jsx: "automatic",
    jsxImportSource: "preact",
    legalComments: "none",
    logLevel: "warning",
  });
  await copyFile(join(source, "index.html"), join(outdir, "index.html"));
  return (await stat(join(outdir, "main.js"))).size;
};

if (import.meta.main) {
  const started = performance.now();
  const bytes = await buildDashboard();
  console.error(`dashboard built: ${Math.round(bytes / 1024)} kB in ${Math.round(performance.now() - started)} ms`);
}
