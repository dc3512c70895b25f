import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { findCommand } from "test-servers";
import { startScene } from "./scene.ts";

// `pnpm screenshots` opens the jobs page of a busy service in Chromium, and writes a picture of each view: wide and narrow, light and dark.
const folder =
  process.argv[2] ?? join(fileURLToPath(new URL("../../..", import.meta.url)), "apps/docs/pictures");
const all = process.argv.includes("--all");
const executablePath = findCommand("chromium");
if (executablePath === undefined) throw new Error("there is no chromium on the PATH");

const scene = await startScene();
const server = createServer(scene.page.handler());
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
try {
  for (const width of [1280, 390]) {
    for (const colorScheme of ["light", "dark"] as const) {
      const context = await browser.newContext({
        viewport: { width, height: width > 700 ? 800 : 844 },
        colorScheme,
        deviceScaleFactor: all ? 1 : 2,
      });
      const tab = await context.newPage();
      tab.on("pageerror", (error) => console.error(error));
      tab.on("console", (message) => message.type() === "error" && console.error(message.text()));
      const shoot = async (name: string): Promise<void> => {
        // A pointer where the last click was would highlight a row.
        await tab.mouse.move(0, 0);
        await tab.screenshot({ path: join(folder, `${name}-${width}-${colorScheme}.png`), fullPage: all });
      };
      for (const view of all
        ? ["overview", "failures", "running", "jobs", "engines", "schedules"]
        : ["overview", "failures"]) {
        await tab.goto(`${address}#/${view}`);
        await tab.waitForSelector("main h1, main .empty-state");
        if (view === "failures") await tab.locator("summary").first().click();
        await shoot(`dashboard-${view}`);
      }
      if (all) {
        await tab.goto(`${address}#/job?name=charge_card`);
        await tab.waitForSelector(".strip a");
        await shoot("dashboard-job");
        await tab.locator(".strip a.failure").last().click();
        await tab.waitForSelector(".error-details");
        await shoot("dashboard-run");
        await tab.goto(`${address}#/jobs?state=dead-lettered`);
        await tab.locator("td.name a").first().click();
        await tab.waitForSelector(".facts-list");
        await shoot("dashboard-stored");
        await tab.locator("header.title button").first().click();
        await shoot("dashboard-dialog");
      }
      await context.close();
    }
  }
} finally {
  await browser.close();
  await scene.close();
  server.closeAllConnections();
  server.close();
}
console.log(`wrote ${folder}`);
