import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { Browser, Page } from "playwright-core";
import { cheatKinds } from "../../services/protocol/api.ts";
import {
  launchBrowser,
  openPage,
  overflowing,
  root,
  schemes,
  screenshotFolder,
  shoot,
  widths,
} from "./support/browser.ts";

const program = join(root, "scripts", "daeg.ts");
/** The documentation shows the neighbourhood as it starts by default; a test needs fewer homes. */
const homes = process.env.DAEG_SCREENSHOTS === "1" ? "20" : "8";
const UP_TIMEOUT_MS = 120_000;

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
};

/** Starts the whole local market; resolves with the address that it prints. */
const up = async (state: string): Promise<{ child: ChildProcess; url: string }> => {
  const port = await freePort();
  const child = spawn(
    process.execPath,
    [program, "up", "--homes", homes, "--slot-seconds", "8", "--state", state, "--port", String(port)],
    { cwd: root, stdio: ["ignore", "pipe", "pipe"] },
  );
  let said = "";
  const url = await new Promise<string>((resolve, reject) => {
    const hear = (chunk: Buffer): void => {
      said += chunk.toString();
      const match = new RegExp(`http://[\\w.]+:${port}`).exec(said);
      if (match) resolve(match[0]);
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    child.once("exit", (code) => reject(new Error(`daeg up ended with ${code}:\n${said.slice(-2_000)}`)));
    setTimeout(() => reject(new Error(`daeg up printed no address:\n${said.slice(-2_000)}`)), UP_TIMEOUT_MS).unref();
  });
  return { child, url };
};

/** The real system: devices, oracle nodes, chain, auction and settlement behind the page. */
describe("dashboard on daeg up", function () {
  this.timeout(300_000);
  const state = mkdtempSync(join(tmpdir(), "daeg-up-"));
  let browser: Browser;
  let page: Page;
  let child: ChildProcess | undefined;
  let url: string;
  const failures: string[] = [];
  const folder = screenshotFolder();

  before(async function () {
    ({ child, url } = await up(state));
    browser = await launchBrowser();
    page = await openPage(browser, { width: 1440, scheme: "light", url });
    page.on("pageerror", (error) => failures.push(error.message));
  });
  after(async () => {
    await browser?.close();
    if (child && child.exitCode === null) {
      child.kill("SIGINT");
      await once(child, "exit");
    }
    rmSync(state, { recursive: true, force: true });
  });
  afterEach(() => {
    expect(failures.splice(0)).to.deep.equal([]);
  });

  it("shows the first cleared slot", async () => {
    await page.waitForSelector(".ruler", { timeout: 90_000 });
    expect(await page.locator(".picture .house").count()).to.equal(Number(homes));
  });

  it("follows a sell order of your home from the signature to the money", async () => {
    await page.goto(`${url}/#/home`);
    await page.getByText("Burner wallet of this computer, test tokens only.").waitFor();
    await page.locator("input[name=side][value=sell]").check({ force: true });
    await page.locator("input[name=energy]").fill("200");
    await page.locator("button[type=submit]").click();
    for (const stage of ["accepted", "booked", "cleared", "metered", "paid"])
      await page.waitForSelector(`[data-stage="${stage}"][data-state="done"]`, { timeout: 120_000 });
    await page.locator(".comparison").waitFor();
    expect(await page.locator('[data-stage="paid"] .tx-link').count()).to.equal(1);
  });

  it("tells the story of a settled slot with four nodes and a sum of zero", async () => {
    await page.goto(`${url}/#/slots`);
    await page.waitForSelector("#payments tfoot", { timeout: 90_000 });
    expect(await page.locator("#readings thead th.is-node, #readings thead th.end").count()).to.equal(5);
    expect(await page.locator("#payments tfoot .num").innerText()).to.match(/^0\.0+\s/);
    await page.locator("#proof .tx-link").first().click();
    expect(await page.locator("#proof .tx-panel .hash").innerText()).to.match(/^0x[0-9a-f]{64}$/);
  });

  /** What the contracts must say to each fraud; a wrong price may also strand the orders at the margin. */
  const refusals: Record<(typeof cheatKinds)[number], RegExp> = {
    "price-off-by-one":
      /WrongPrice|MarginalBidOverfilled|MarginalOfferOverfilled|BackupAgainstPrice|IslandNotBalanced|NotOptimal/,
    "dropped-order": /BookMismatch/,
    "lying-node": /TooFewSignatures/,
    "doubled-report": /VersionNotHigher/,
    "replayed-order": /sequence number was used already/,
  };

  it("sends five frauds to the chain and shows five refusals", async () => {
    await page.goto(`${url}/#/cheat`);
    for (const kind of cheatKinds) {
      const card = page.locator(`[data-cheat="${kind}"]`);
      await card.getByRole("button", { name: "Send it" }).click();
      await card.locator(".verdict").waitFor({ timeout: 60_000 });
      expect(await card.locator(".verdict").innerText(), kind).to.equal("Refused");
      const answer = await card.innerText();
      expect(answer, kind).to.match(refusals[kind]);
    }
    await page.getByText("5 of 5 refused by the contracts.").waitFor();
    for (const width of widths)
      for (const scheme of schemes) {
        await page.setViewportSize({ width, height: 900 });
        await page.emulateMedia({ colorScheme: scheme });
        expect(await overflowing(page), `cheat ${width}`).to.deep.equal([]);
        await shoot(page, join(folder, `cheat-${width}-${scheme}.png`));
      }
    await page.setViewportSize({ width: 1440, height: 900 });
  });

  it("shows bills and four answering nodes", async () => {
    await page.goto(`${url}/#/homes`);
    await page.waitForSelector("tfoot", { timeout: 60_000 });
    await page.goto(`${url}/#/nodes`);
    await page.getByText("All 4 nodes answer; 3 must agree.").waitFor({ timeout: 60_000 });
  });

  it("fits 390 and 1440 px, light and dark", async () => {
    for (const width of widths)
      for (const scheme of schemes)
        for (const [screen, sign] of [
          ["grid", ".ruler"],
          ["home", '[data-stage="paid"][data-state="done"]'],
          ["slots", "#payments"],
          ["homes", "tfoot"],
          ["nodes", ".node"],
        ] as const) {
          const shown = await openPage(browser, { width, scheme, url: `${url}/#/${screen}`, from: page });
          await shown.waitForSelector(sign, { timeout: 60_000 });
          expect(await overflowing(shown), `${screen} ${width}`).to.deep.equal([]);
          await shoot(shown, join(folder, `${screen}-${width}-${scheme}.png`));
          await shown.context().close();
        }
  });

  it("ends with every process on Ctrl-C", async () => {
    child!.kill("SIGINT");
    const [code] = (await once(child!, "exit")) as [number | null];
    expect(code).to.equal(0);
  });
});
