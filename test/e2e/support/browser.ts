import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import chromium from "@sparticuz/chromium";
import { chromium as playwright, type Browser, type Page } from "playwright-core";

export const root = join(import.meta.dirname, "..", "..", "..");

/** Made for functions that open one page; here pages come and go, and a closed one must not end the browser. */
const unwanted = new Set(["--single-process", "--no-zygote"]);

/** The browser that comes with the dependencies; nothing has to be installed on the machine. */
export const launchBrowser = async (): Promise<Browser> =>
  playwright.launch({
    args: [...chromium.args.filter((argument) => !unwanted.has(argument)), "--no-sandbox"],
    executablePath: await chromium.executablePath(),
    /** The fonts that come with it, so that pictures look the same on every machine. */
    env: { ...process.env, FONTCONFIG_PATH: join(tmpdir(), "fonts") },
  });

export type Scheme = "light" | "dark";

export const widths = [390, 1440] as const;
export const schemes: readonly Scheme[] = ["light", "dark"];

/** A page of a width and colour scheme, with what another page keeps in its storage; motion stands still in pictures, so that two runs look the same. */
export const openPage = async (
  browser: Browser,
  { width, scheme, url, from }: { width: number; scheme: Scheme; url: string; from?: Page },
): Promise<Page> => {
  const context = await browser.newContext({
    viewport: { width, height: width < 700 ? 844 : 900 },
    deviceScaleFactor: 1,
    colorScheme: scheme,
    reducedMotion: "reduce",
    timezoneId: "Europe/Berlin",
    ...(from ? { storageState: await from.context().storageState() } : {}),
  });
  const page = await context.newPage();
  await page.goto(url);
  return page;
};

/** Where screenshots go: the documentation only when asked, else a folder that nobody keeps. */
export const screenshotFolder = (): string => {
  const folder =
    process.env.DAEG_SCREENSHOTS === "1"
      ? join(root, "docs", "screenshots")
      : (process.env.DAEG_SCREENSHOT_DIR ?? mkdtempSync(join(tmpdir(), "daeg-screenshots-")));
  mkdirSync(folder, { recursive: true });
  return folder;
};

/** The whole page in one picture, with what is fixed to the window's edges at the page's edges. */
export const shoot = async (page: Page, path: string): Promise<void> => {
  const before = page.viewportSize()!;
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  await page.setViewportSize({ width: before.width, height: Math.max(before.height, height) });
  await page.screenshot({ path });
  await page.setViewportSize(before);
};

/** Texts that are wider than their place on the page: nothing may be cut off or scroll sideways. */
export const overflowing = async (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const wide =
      document.documentElement.scrollWidth > document.documentElement.clientWidth ? ["the page scrolls sideways"] : [];
    const framed = (element: Element): boolean =>
      element.closest(".table-frame, .sr, .segment input, svg, .skip") !== null;
    for (const element of document.querySelectorAll("main *, header *, nav *"))
      if (!framed(element) && element.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
        wide.push(`${element.tagName.toLowerCase()}.${element.className}: ${(element.textContent ?? "").slice(0, 40)}`);
    for (const frame of document.querySelectorAll(".table-frame"))
      if (frame.scrollWidth > frame.clientWidth)
        wide.push(`table ${frame.getAttribute("aria-label")} is ${frame.scrollWidth - frame.clientWidth} px too wide`);
    return wide.slice(0, 8);
  });
