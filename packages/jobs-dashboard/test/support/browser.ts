import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { findCommand } from "test-servers";

/** A tab of a browser, and what it complained about. */
export interface Tab {
  readonly page: Page;
  /** Errors of scripts and of the security policy, and requests to other origins. */
  readonly complaints: string[];
  close(): Promise<void>;
}

/** A browser that all tests of a file share. */
export interface TestBrowser {
  open(url: string, options?: Parameters<Browser["newContext"]>[0]): Promise<Tab>;
  close(): Promise<void>;
}

const command = findCommand("chromium");

/**
 * Features of Chromium that tests do without. The popups of the address bar, which no test opens, cost two more renderers for each
 * context. This switch replaces Playwright's own, so it repeats what matters of that one.
 */
const withoutFeatures = [
  "WebUIOmniboxPopup",
  "WebUIOmniboxAimPopup",
  "AvoidUnnecessaryBeforeUnloadCheckSync",
  "DestroyProfileOnBrowserClose",
  "HttpsFirstBalancedModeAutoEnable",
  "HttpsUpgrades",
  "MediaRouter",
  "NetworkTimeServiceQuerying",
  "OptimizationHints",
  "PaintHolding",
  "ThirdPartyStoragePartitioning",
];

/**
 * Starts Chromium, or resolves to undefined if it is missing, with a warning.
 *
 * @throws (rejects with) Error if `CI` is set and Chromium is missing.
 */
export async function startBrowser(): Promise<TestBrowser | undefined> {
  if (command === undefined) {
    const message = "there is no chromium on the PATH: the jobs page is not tried in a browser";
    if (process.env.CI) throw new Error(message);
    console.error(`SKIPPED: ${message}`);
    return undefined;
  }
  // Chromium's sandbox refuses to run as root.
  const args = ["--no-sandbox", `--disable-features=${withoutFeatures.join(",")}`];
  const browser = await chromium.launch({ executablePath: command, args });
  return {
    async open(url, options = { viewport: { width: 1280, height: 800 } }) {
      const context = await browser.newContext(options);
      const page = await context.newPage();
      page.setDefaultTimeout(60_000);
      const complaints = complaintsOf(context, page, new URL(url).origin);
      await page.goto(url);
      await page.waitForSelector("main h1, main .empty-state");
      return { page, complaints, close: () => context.close() };
    },
    close: () => browser.close(),
  };
}

function complaintsOf(context: BrowserContext, page: Page, origin: string): string[] {
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  context.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(`${origin}/`) && !url.startsWith("data:")) complaints.push(`a request to ${url}`);
  });
  return complaints;
}
