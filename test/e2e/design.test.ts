import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { Browser, Page } from "playwright-core";
import { buildDashboard } from "../../scripts/build-dashboard.ts";
import { launchBrowser, openPage, overflowing, schemes, shoot, widths, type Scheme } from "./support/browser.ts";
import { startFakeMarket, type FakeMarket } from "./support/fake-market.ts";

/** The states that a running market hardly ever shows: empty, stale, failed, very small and very large. */
describe("dashboard, every designed state", function () {
  this.timeout(120_000);
  const dist = mkdtempSync(join(tmpdir(), "daeg-dashboard-"));
  const pictures = process.env.DAEG_SCREENSHOT_DIR;
  const markets: FakeMarket[] = [];
  const failures: string[] = [];
  let browser: Browser;

  const market = async (options: Omit<Parameters<typeof startFakeMarket>[0], "dist">): Promise<FakeMarket> => {
    const started = await startFakeMarket({ dist, ...options });
    markets.push(started);
    return started;
  };
  const open = async (url: string, screen: string, width = 1440, scheme: Scheme = "light"): Promise<Page> => {
    const page = await openPage(browser, { width, scheme, url: `${url}/#/${screen}` });
    page.on("pageerror", (error) => failures.push(error.message));
    return page;
  };
  const picture = async (page: Page, name: string): Promise<void> => {
    if (pictures) await shoot(page, join(pictures, `${name}.png`));
  };

  before(async () => {
    await buildDashboard(dist);
    browser = await launchBrowser();
  });
  after(async () => {
    await browser?.close();
    for (const started of markets) await started.close();
    rmSync(dist, { recursive: true, force: true });
  });
  afterEach(() => {
    expect(failures.splice(0)).to.deep.equal([]);
  });

  const ready: Record<string, string> = {
    grid: ".ruler",
    home: ".order-form",
    slots: "#payments tfoot",
    cheat: ".cheat",
    homes: "tfoot",
    nodes: ".node",
  };
  for (const width of widths)
    for (const scheme of schemes)
      it(`fits every screen on ${width} px, ${scheme}`, async () => {
        const { url } = await market({ homes: 20 });
        for (const [screen, sign] of Object.entries(ready)) {
          const page = await open(url, screen, width, scheme);
          await page.waitForSelector(sign);
          expect(await overflowing(page), screen).to.deep.equal([]);
          await picture(page, `${screen}-${width}-${scheme}`);
          await page.context().close();
        }
      });

  it("draws three homes and a hundred", async () => {
    for (const homes of [3, 100])
      for (const width of widths) {
        const { url } = await market({ homes, zones: homes === 3 ? 1 : 6 });
        const page = await open(url, "grid", width);
        await page.waitForSelector(".house");
        expect(await page.locator(".picture .house").count()).to.equal(homes);
        expect(await overflowing(page)).to.deep.equal([]);
        await picture(page, `grid-${homes}-homes-${width}`);
        await page.context().close();
      }
  });

  it("says what it waits for before the first slot", async () => {
    const { url } = await market({ homes: 20, mode: "empty" });
    const page = await open(url, "grid");
    await page.getByText("No slot is cleared yet").waitFor();
    await page.goto(`${url}/#/slots`);
    await page.getByText("The first slot is still to come").waitFor();
    await page.goto(`${url}/#/homes`);
    await page.getByText("No slot of today is settled yet.").waitFor();
    await page.context().close();
  });

  it("tells the age of what it shows when the stream is lost, and recovers by itself", async () => {
    const running = await market({ homes: 20 });
    const page = await open(running.url, "grid");
    await page.waitForSelector(".dot.is-live");
    running.setMode("silent");
    running.dropStreams();
    await page.getByText("Connection to the market lost.").waitFor();
    expect(await page.locator(".picture .house").count()).to.equal(20);
    await picture(page, "grid-lost");
    running.setMode("running");
    await page.waitForSelector(".dot.is-live");
    await page.getByText("Connection to the market lost.").waitFor({ state: "detached" });
    await page.context().close();
  });

  it("says what to do when nobody answers at all, and when live readings stop", async () => {
    const silent = await market({ homes: 3, mode: "silent" });
    const nobody = await open(silent.url, "grid");
    await nobody.getByText("The market is not there").waitFor();
    await picture(nobody, "grid-nobody");
    await nobody.context().close();
    const stale = await market({ homes: 3, mode: "stale" });
    const page = await open(stale.url, "grid");
    await page.getByText("No live readings right now.").waitFor();
    await page.context().close();
  });

  it("names a silent oracle node", async () => {
    const { url } = await market({ homes: 3, mode: "down-node" });
    const page = await open(url, "nodes");
    await page.getByText("3 of 4 nodes answer; 3 must agree, so readings go on.").waitFor();
    await picture(page, "nodes-down");
    await page.context().close();
  });

  it("can be used by keyboard, and says what is wrong with an order before it is signed", async () => {
    const { url } = await market({ homes: 20 });
    const page = await open(url, "home");
    await page.waitForSelector(".order-form");
    const energy = page.locator("input[name=energy]");
    await energy.fill("12");
    await page.getByText("The smallest order is 50 Wh.").waitFor();
    expect(await page.locator("button[type=submit]").isDisabled()).to.equal(true);
    await energy.fill("250");
    await page.locator("input[name=side][value=buy]").focus();
    await page.keyboard.press("Space");
    await page.getByText("Sign and buy").waitFor();
    await page.locator("input[name=price]").press("Enter");
    await page.waitForSelector('[data-stage="booked"][data-state="done"]');
    await page.context().close();
  });

  it("stands still for people who asked for less motion", async () => {
    const { url } = await market({ homes: 3 });
    const page = await open(url, "grid");
    await page.waitForSelector(".wire-dash", { state: "attached" });
    expect(
      await page
        .locator(".wire-dash")
        .first()
        .evaluate((dash) => getComputedStyle(dash).animationName),
    ).to.equal("none");
    await page.context().close();
  });
});
