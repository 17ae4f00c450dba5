import { readFile } from "node:fs/promises";
import { extname, join, normalize, resolve, sep } from "node:path";
import type { MiddlewareHandler } from "hono";

const types: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".map": "application/json",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
};

/** Serves the built dashboard; a folder's address gets its index.html. Nothing outside the folder is ever read. */
export const staticFiles = (dir: string): MiddlewareHandler => {
  const root = resolve(dir);
  return async (context, next) => {
    if (context.req.method !== "GET") return next();
    let path: string;
    try {
      path = decodeURIComponent(new URL(context.req.url).pathname);
    } catch {
      return next();
    }
    const file = join(root, normalize(path.endsWith("/") ? `${path}index.html` : path));
    if (!file.startsWith(root + sep)) return next();
    try {
      const body = await readFile(file);
      return context.body(body, 200, {
        "content-type": types[extname(file)] ?? "application/octet-stream",
        "cache-control": "no-cache",
      });
    } catch {
      return next();
    }
  };
};
