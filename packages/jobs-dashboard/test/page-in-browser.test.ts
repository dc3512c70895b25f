import { createServer } from "node:http";
import { bullmqEngine } from "@nidus/jobs-bullmq";
import { job } from "@nidus/jobs-core";
import { type JobDashboard, jobDashboard } from "@nidus/jobs-dashboard";
import { defineJob, memoryEngine } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { pgBossEngine } from "@nidus/jobs-pg-boss";
import axe from "axe-core";
import type { Page } from "playwright-core";
import { sharedPostgres, sharedRedis } from "test-servers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startBrowser, type Tab, type TestBrowser } from "./support/browser.ts";
import { listen, type Served } from "./support/served.ts";
import { openShop, type Shop } from "./support/shop.ts";

const [browser, postgres, redis] = await Promise.all([startBrowser(), sharedPostgres(), sharedRedis()]);
afterAll(async () => {
  await browser?.close();
  await Promise.all([postgres?.stop(), redis?.stop()]);
});

const stores = [
  { name: "memory", isThere: true, open: (runner: ObservedJobRunner) => memoryEngine({ runner }) },
  {
    name: "PostgreSQL",
    isThere: postgres !== undefined,
    open: (runner: ObservedJobRunner) =>
      pgBossEngine({ runner, connectionString: postgres?.url ?? "", schema: "dashboard", maxConnections: 3 }),
  },
  {
    name: "Redis",
    isThere: redis !== undefined,
    open: (runner: ObservedJobRunner) =>
      bullmqEngine({
        runner,
        connection: { url: redis?.url ?? "" },
        queue: `dashboard-${crypto.randomUUID()}`,
      }),
  },
];

/** Finds the row of a table by a text in it. */
const rowOf = (page: Page, text: string) => page.locator("tbody tr", { hasText: text }).first();

/** Reads a cell of a row by its column. */
const cell = (page: Page, row: string, column: string) =>
  rowOf(page, row).locator(`td[data-label="${column}"]`).innerText();

/** Confirms the open dialog, and waits for the result. */
async function confirm(page: Page, verb: string, result: string): Promise<void> {
  await page.locator("dialog[open]").getByRole("button", { name: verb, exact: true }).click();
  await page.locator(".toast", { hasText: result }).waitFor();
}

describe.each(stores)("on $name", ({ isThere, open }) => {
  const isTested = browser !== undefined && isThere;
  const page = jobDashboard({
    authorize: () => "operate",
    redact: ({ payload, attributes }) => ({ payload, attributes }),
    traceUrl: "https://traces.example.com/{traceId}",
  });
  const runner = new ObservedJobRunner(page.jobObserver({ serviceName: "shop" })).context("region", "eu");
  let served: Served;
  let shop: Shop;
  let tab: Tab;

  beforeAll(async () => {
    if (!isTested) return;
    shop = await openShop(open, runner);
    page.watch(shop.engine);
    served = await listen(page.handler());
    await shop.engine.enqueueMany(
      shop.mail,
      Array.from({ length: 12 }, (_, index) => ({ to: `user-${index}` })),
    );
    await shop.engine.enqueueMany(shop.charge, [{ order: 1 }, { order: 2 }, { order: 3 }]);
    await shop.engine.enqueueMany(shop.exporting, [{ account: "a" }, { account: "b" }]);
    await shop.engine.enqueueMany(shop.invoice, [{ invoice: 1 }, { invoice: 2 }, { invoice: 3 }]);
    await shop.until("mail", { succeeded: 12 });
    await shop.until("charge", { deadLettered: 3 });
    await shop.until("export", { running: 2 });
    tab = await (browser as NonNullable<typeof browser>).open(`${served.url}/`);
  });
  afterAll(async () => {
    if (!isTested) return;
    page.shutdown();
    await tab.close();
    await served.close();
    await shop.close();
  });
  const go = async (view: string): Promise<Page> => {
    await tab.page.goto(`${served.url}/#/${view}`);
    return tab.page;
  };

  describe.skipIf(!isTested)("the page", () => {
    test("shows in the overview what ran and what is stored, the worst first", async () => {
      const page = await go("overview");
      await rowOf(page, "invoice").waitFor();
      expect(await page.locator("td.name > a").allInnerTexts()).toEqual([
        "charge",
        "export",
        "invoice",
        "mail",
      ]);
      await expect.poll(() => cell(page, "mail", "Runs/min")).toBe("12");
      expect(await cell(page, "charge", "State")).toBe("Failing");
      expect(await cell(page, "charge", "Failed, 1 h")).toBe("100%");
      expect(await cell(page, "charge", "Dead letters")).toBe("3");
      expect(await cell(page, "export", "Running")).toBe("2");
      expect(await cell(page, "invoice", "Waiting")).toBe("3");
      expect(await cell(page, "mail", "State")).toBe("Fine");
      await expect.poll(() => rowOf(page, "charge").innerText()).toContain("the provider refused order");
    });

    test("follows what happens, without a reload", async () => {
      const page = await go("overview");
      const before = (await shop.engine.stats()).byName.invoice?.waiting ?? 0;
      await shop.engine.enqueueMany(shop.invoice, [{ invoice: 4 }, { invoice: 5 }]);
      await expect.poll(() => cell(page, "invoice", "Waiting")).toBe(String(before + 2));
    });

    test("describes one job, and leads from its strip to a run with its error", async () => {
      const page = await go("job?name=charge");
      await page.locator("h1", { hasText: "charge" }).waitFor();
      await expect.poll(() => page.locator(".strip a").count()).toBe(3);
      await page.locator(".strip a.failure").last().click();
      await page.locator(".error-details").waitFor();
      const text = await page.locator("main").innerText();
      expect(text).toContain("Run of charge");
      expect(text).toContain("PermanentJobError");
      expect(text).toContain("the provider refused order");
      expect(text).toContain("Caused by Error");
      expect(text).toContain("socket hang up");
      expect(text).toContain("shop.ts");
      expect(text).toMatch(/region\s+eu/);
      await page.getByText("The stored job and its other attempts").click();
      await page.locator("h1", { hasText: "charge" }).waitFor();
      expect(await page.locator("header.title .pill").innerText()).toBe("Dead letter");
    });

    test("shows a stored job with the errors of its attempts, and its payload on demand", async () => {
      const { id } = await shop.engine.enqueue(shop.charge, { order: 77 }, { correlationId: "cart-9" });
      await shop.untilDead(id);
      const page = await go(`stored?engine=${shop.engine.name}&id=${id}`);
      await expect
        .poll(() => page.locator(".attempts").innerText())
        .toContain("the provider refused order 77");
      const show = page.getByRole("button", { name: "Show the payload" });
      await page.route("**/api/payload*", (route) =>
        route.fulfill({ json: { text: null, isCut: false, error: "the engine is unreachable" } }),
      );
      await show.click();
      await expect.poll(() => page.getByRole("alert").innerText()).toBe("the engine is unreachable");
      await page.unroute("**/api/payload*");
      await show.click();
      await expect.poll(() => page.locator("main").innerText()).toContain('"order": 77');
      expect(await page.getByRole("alert").count()).toBe(0);
    });

    test("lists what runs, and cancels it", async () => {
      const page = await go("running");
      await expect.poll(() => page.locator("tbody tr").count()).toBe(2);
      expect(await cell(page, "export", "Attempt")).toBe("1 of 5");
      await rowOf(page, "export").getByRole("button", { name: "Cancel export" }).click();
      await confirm(page, "Cancel the job", "1 cancelled");
      await shop.until("export", { running: 1, cancelled: 1 });
      await page.mouse.move(0, 0);
      await expect.poll(() => page.locator("tbody tr:not(.gone)").count()).toBe(1);
    });

    test("groups failures, and redrives a group", async () => {
      const letters = await shop.engine.deadLetters();
      const page = await go(`failures?source=${shop.engine.name}`);
      const group = page.locator(".groups > li");
      await expect.poll(() => group.locator(".count").innerText()).toBe(String(letters.length));
      expect(await group.count()).toBe(1);
      expect(await group.locator("summary .message").innerText()).toBe("the provider refused order <n>");
      await group.locator("summary").click();
      expect(await group.locator(".samples li").count()).toBe(Math.min(5, letters.length));
      shop.repair();
      await group.getByRole("button", { name: `Redrive all ${letters.length}` }).click();
      await confirm(page, "Redrive", `${letters.length} redriven`);
      await shop.until("charge", { deadLettered: 0, succeeded: letters.length });
      const orders = letters.map(({ payload }) => (payload as { order: number }).order);
      expect(shop.charged.toSorted()).toEqual(orders.toSorted());
    });

    test("lists jobs by name and state, page by page, and changes them", async () => {
      const many = Array.from({ length: 60 }, (_, index) => ({ invoice: 100 + index }));
      await shop.engine.enqueueMany(shop.invoice, many, { runAt: new Date(Date.now() + 86_400_000) });
      const page = await go("jobs?job=invoice&state=scheduled");
      await expect.poll(() => page.locator("tbody tr").count()).toBe(50);
      await page.getByText("Next 50").click();
      await expect.poll(() => page.locator("tbody tr").count()).toBe(10);
      await page.getByRole("button", { name: /^Waiting/ }).click();
      const { waiting = 0 } = (await shop.engine.stats()).byName.invoice ?? {};
      await expect.poll(() => page.locator("tbody tr").count()).toBe(waiting);
      await rowOf(page, "invoice")
        .getByRole("button", { name: /^Cancel/ })
        .click();
      await confirm(page, "Cancel the job", "1 cancelled");
      await shop.until("invoice", { waiting: waiting - 1, cancelled: 1 });
      await page.getByRole("button", { name: /^Cancelled/ }).click();
      await expect.poll(() => page.locator("tbody tr").count()).toBe(1);
      await page.locator("tbody td.name a").click();
      await expect.poll(() => page.locator("header.title .pill").innerText()).toBe("Cancelled");
      await go("jobs?job=invoice&state=waiting");
      await expect.poll(() => page.locator("tbody tr").count()).toBe(waiting - 1);
      await page.getByRole("button", { name: "Cancel all of invoice" }).click();
      await page.locator("dialog[open]").getByRole("button", { name: "Cancel all" }).click();
      await page.locator(".toast", { hasText: "cancelled" }).waitFor();
      await shop.until("invoice", { waiting: 0 });
    });

    test("moves a job, and redrives all dead letters of a name", async () => {
      const tomorrow = new Date(Date.now() + 86_400_000);
      const { id } = await shop.engine.enqueue(shop.mail, { to: "later" }, { runAt: tomorrow });
      const page = await go(`stored?engine=${shop.engine.name}&id=${id}`);
      await page.getByRole("button", { name: "Run now" }).click();
      await confirm(page, "Run now", "1 moved");
      await expect.poll(() => page.locator("header.title .pill").innerText()).toBe("Succeeded");
      shop.repair(false);
      await shop.engine.enqueueMany(shop.charge, [{ order: 501 }, { order: 502 }]);
      await shop.until("charge", { deadLettered: 2 });
      await go("jobs?job=charge&state=dead-lettered");
      await expect.poll(() => page.locator("tbody tr").count()).toBe(2);
      shop.repair();
      await page.getByRole("button", { name: "Redrive all 2" }).click();
      await confirm(page, "Redrive all", "2 redriven");
      await shop.until("charge", { deadLettered: 0 });
      await expect.poll(() => shop.charged).toEqual(expect.arrayContaining([501, 502]));
    });

    test("lists schedules with the next due time", async () => {
      await shop.engine.schedule(shop.mail, "0 3 * * *", { to: "all" }, { timeZone: "Europe/Vienna" });
      const page = await go("schedules");
      await rowOf(page, "mail").waitFor();
      expect(await cell(page, "mail", "Rule")).toBe("0 3 * * *");
      expect(await cell(page, "mail", "Time zone")).toBe("Europe/Vienna");
      expect(await cell(page, "mail", "Next")).toMatch(/^in \d+ [hms]$/);
      await go("job?name=mail");
      await page.locator("h2", { hasText: "Schedules" }).waitFor();
      const options = page.locator("section", { hasText: "Objectives and options" });
      expect((await options.innerText()).split(/\s*\n\s*/)).toEqual(
        expect.arrayContaining([
          "Attempts at most",
          "5",
          "Wait after a failure",
          "250 ms",
          "Doubled up to",
          "30 s",
        ]),
      );
    });

    test("describes the engine", async () => {
      const page = await go("engines");
      await expect.poll(() => page.locator(".cards").innerText()).toContain("Reachable");
      const waiting = page.locator(".figures > div", { hasText: "Waiting" }).first();
      await expect.poll(() => page.locator(".workers li").count()).toBe(2);
      expect(await page.locator(".workers").innerText()).toMatch(/of 5 running/);
      const stats = await shop.engine.stats();
      await expect.poll(() => waiting.innerText()).toBe(`Waiting\n${stats.waiting}`);
    });

    test("finds a job by its id, and says if there is none", async () => {
      const page = await go("jobs");
      await page.locator("h1", { hasText: "Jobs" }).waitFor();
      await page.keyboard.press("/");
      await page.keyboard.type("00000000-0000-7000-8000-000000000000");
      await page.keyboard.press("Enter");
      await page.getByText("There is no such job").waitFor();
    });

    test("causes no error, and no request to another origin", () => {
      expect(tab.complaints).toEqual([]);
    });
  });
});

describe.skipIf(browser === undefined)("the page", () => {
  type Options = Parameters<typeof jobDashboard>[0];

  /** Serves a page while `use` runs. */
  async function served(
    options: Options,
    use: (given: { runner: ObservedJobRunner; page: JobDashboard; url: string }) => Promise<void>,
  ): Promise<void> {
    const page = jobDashboard({ authorize: () => "operate", ...options });
    const runner = new ObservedJobRunner(page.jobObserver({ serviceName: "shop" }));
    const server = await listen(page.handler());
    try {
      await use({ runner, page, url: server.url });
    } finally {
      page.shutdown();
      await server.close();
    }
  }

  /** Opens a tab while `use` runs, and expects no complaints. */
  async function inTab(
    url: string,
    use: (page: Page) => Promise<void>,
    options?: Parameters<TestBrowser["open"]>[1],
  ): Promise<void> {
    const tab = await (browser as TestBrowser).open(url, options);
    try {
      await use(tab.page);
      expect(tab.complaints).toEqual([]);
    } finally {
      await tab.close();
    }
  }

  const succeed = (runner: ObservedJobRunner, name: string) => runner.run(job(name, () => {}));
  const fail = (runner: ObservedJobRunner, name: string) => {
    const failing = job(name, () => {
      throw new Error("no");
    });
    expect(() => runner.run(failing)).toThrow();
  };
  const names = (tab: Page) => tab.locator("td.name > a").allInnerTexts();

  const hostile = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>`;

  test("shows hostile texts as text, in every view", async () => {
    await served(
      { title: hostile, redact: ({ payload }) => ({ payload }) },
      async ({ runner, page, url }) => {
        const engine = memoryEngine({ runner: runner.context(hostile, hostile) });
        page.watch(engine);
        const hostileJob = defineJob<{ text: string }>({
          name: hostile,
          maxAttempts: 1,
          run() {
            const cause = new Error(hostile);
            throw Object.assign(new Error(hostile, { cause }), { name: hostile, code: hostile });
          },
        });
        const { id } = await engine.enqueue(hostileJob, { text: hostile }, { correlationId: hostile });
        const worker = await engine.work({ jobs: [hostileJob] });
        await expect.poll(async () => (await engine.stats()).deadLettered).toBe(1);
        await inTab(`${url}/`, async (tab) => {
          const name = encodeURIComponent(hostile);
          for (const view of [
            ...[
              "overview",
              "failures",
              "running",
              "jobs",
              "engines",
              `job?name=${name}`,
              `overview?q=${name}`,
            ],
            ...[
              `stored?engine=memory&id=${id}`,
              `stored?engine=${name}&id=${name}`,
              `run?job=${name}&id=${name}`,
            ],
          ]) {
            await tab.goto(`${url}/#/${view}`);
            await tab.waitForSelector("main h1, main .empty-state");
          }
          await tab.goto(`${url}/#/failures`);
          await tab.locator("summary").first().click();
          await tab.goto(`${url}/#/job?name=${name}`);
          await tab.locator(".strip a").first().click();
          await expect.poll(() => tab.locator(".error-details").innerText()).toContain(hostile);
          await tab.goto(`${url}/#/stored?engine=memory&id=${id}`);
          await tab.getByRole("button", { name: "Show the payload" }).click();
          await expect.poll(() => tab.locator("main").innerText()).toContain("owned");
          expect(await tab.locator("main img, main script").count()).toBe(0);
          expect(await tab.title()).toContain("<img");
        });
        await worker.stop();
        await engine.close();
      },
    );
  });

  test("has no serious barriers, in light and dark, wide and narrow", async () => {
    await served({}, async ({ runner, page, url }) => {
      const shop = await openShop((given) => memoryEngine({ runner: given }), runner.context("region", "eu"));
      page.watch(shop.engine);
      await shop.engine.enqueueMany(shop.charge, [{ order: 1 }, { order: 2 }]);
      await shop.engine.enqueueMany(shop.mail, [{ to: "a" }, { to: "b" }]);
      await shop.engine.enqueue(shop.exporting, { account: "a" });
      const { id } = await shop.engine.enqueue(shop.invoice, { invoice: 1 });
      for (let run = 0; run < 200; run++) succeed(runner, "frequent");
      await shop.until("charge", { deadLettered: 2 });
      await shop.until("export", { running: 1 });
      for (const [colorScheme, width] of [
        ["light", 1280],
        ["dark", 390],
      ] as const) {
        const audit = async (tab: Page, view: string): Promise<void> => {
          await tab.evaluate(axe.source);
          const found = (await tab.evaluate("axe.run()")) as axe.AxeResults;
          const serious = found.violations.filter(
            ({ impact }) => impact === "serious" || impact === "critical",
          );
          const told = serious.map(
            ({ id: rule, nodes }) => `${view}, ${colorScheme}: ${rule}: ${nodes[0]?.html}`,
          );
          expect(told).toEqual([]);
        };
        await inTab(
          `${url}/`,
          async (tab) => {
            for (const view of [
              ...[
                "overview",
                "failures",
                "running",
                "jobs",
                "engines",
                "job?name=charge",
                "schedules",
                "job?name=none",
                "job?name=frequent",
              ],
              `stored?engine=memory&id=${id}`,
            ]) {
              await tab.goto(`${url}/#/${view}`);
              await tab.waitForSelector("main h1, main .empty-state");
              if (view === "failures") await tab.locator("summary").first().click();
              await audit(tab, view);
              const isWide = await tab.evaluate("document.documentElement.scrollWidth > innerWidth");
              expect([view, width, isWide]).toEqual([view, width, false]);
            }
            await tab.goto(`${url}/#/job?name=charge`);
            await tab.locator(".strip a").first().click();
            await tab.locator(".error-details").waitFor();
            await audit(tab, "run");
            await tab.goto(`${url}/#/stored?engine=memory&id=${id}`);
            await tab.getByRole("button", { name: /^Cancel/ }).click();
            await audit(tab, "dialog");
          },
          { viewport: { width, height: 800 }, colorScheme },
        );
      }
      await shop.close();
    });
  });

  test("keeps rows in their place while they are read, and says what is new", async () => {
    await served({}, async ({ runner, url }) => {
      for (const name of ["a", "b", "c"]) succeed(runner, name);
      await inTab(`${url}/`, async (tab) => {
        await tab.locator("tbody tr").nth(1).hover();
        fail(runner, "c");
        succeed(runner, "d");
        const newer = tab.getByRole("button", { name: "1 new job" });
        await newer.waitFor();
        expect(await names(tab)).toEqual(["a", "b", "c"]);
        expect(await cell(tab, "c", "State")).toBe("Failing");
        await newer.click();
        await expect.poll(() => names(tab)).toEqual(["c", "a", "b", "d"]);
        await tab.mouse.move(640, 5);
        await tab.evaluate("document.activeElement.blur()");
        fail(runner, "b");
        fail(runner, "b");
        await expect.poll(() => names(tab)).toEqual(["b", "c", "a", "d"]);
      });
    });
  });

  test("works from the keyboard, and keeps filters in the address", async () => {
    await served({}, async ({ runner, url }) => {
      for (const name of ["apple", "banana", "cherry"]) succeed(runner, name);
      fail(runner, "banana");
      await inTab(`${url}/`, async (tab) => {
        const focused = () => tab.evaluate("document.activeElement.textContent");
        await tab.locator("tbody tr").first().waitFor();
        await tab.keyboard.press("/");
        await tab.keyboard.type("an");
        await expect.poll(() => names(tab)).toEqual(["banana"]);
        expect(tab.url()).toContain("#/overview?q=an");
        await tab.reload();
        await expect.poll(() => names(tab)).toEqual(["banana"]);
        await tab.keyboard.press("/");
        await tab.keyboard.press("Escape");
        await expect.poll(() => names(tab)).toEqual(["banana", "apple", "cherry"]);
        await tab.keyboard.press("ArrowDown");
        expect(await focused()).toBe("banana");
        await tab.keyboard.press("ArrowDown");
        expect(await focused()).toBe("apple");
        await tab.keyboard.press("ArrowUp");
        await tab.keyboard.press("Enter");
        await tab.locator("h1", { hasText: "banana" }).waitFor();
        expect(await tab.evaluate("document.activeElement.tagName")).toBe("MAIN");
        await tab.locator(".strip a").last().focus();
        await tab.keyboard.press("ArrowLeft");
        await tab.keyboard.press("Enter");
        await tab.locator("h1", { hasText: "Run of banana" }).waitFor();
        await tab.goto(`${url}/#/job?name=banana`);
        await tab.locator("h1", { hasText: /^banana$/ }).waitFor();
        await tab.keyboard.press("Escape");
        await tab.locator("td.name").first().waitFor();
        await tab.getByRole("button", { name: /Failing/ }).click();
        await expect.poll(() => names(tab)).toEqual(["banana"]);
        expect(tab.url()).toContain("state=failing");
      });
    });
  });

  test("has no buttons for those who may only read", async () => {
    await served({ authorize: () => "read" }, async ({ runner, page, url }) => {
      const shop = await openShop((given) => memoryEngine({ runner: given }), runner);
      page.watch(shop.engine);
      const { id } = await shop.engine.enqueue(shop.charge, { order: 1 });
      await shop.engine.enqueue(shop.exporting, { account: "a" });
      await shop.until("charge", { deadLettered: 1 });
      await shop.until("export", { running: 1 });
      await inTab(`${url}/`, async (tab) => {
        for (const view of ["running", "jobs", `stored?engine=memory&id=${id}`, "failures"]) {
          await tab.goto(`${url}/#/${view}`);
          await tab.waitForSelector("main h1");
          if (view === "failures") await tab.locator("summary").last().click();
          expect(await tab.getByRole("button", { name: /^(Cancel|Redrive)( |$)/ }).count()).toBe(0);
        }
        expect(await tab.locator(".status").innerText()).toContain("Read only");
      });
      await shop.close();
    });
  });

  test("says what to wire while there is nothing to show", async () => {
    const unfed = jobDashboard();
    const server = await listen(unfed.handler());
    await inTab(`${server.url}/`, async (tab) => {
      await tab.getByText("Nothing feeds this page yet").waitFor();
      for (const view of ["failures", "running", "jobs", "engines", "schedules"]) {
        await tab.goto(`${server.url}/#/${view}`);
        await expect.poll(() => tab.locator("main").innerText()).toContain("page.watch(engine)");
      }
    });
    unfed.shutdown();
    await server.close();
  });

  test("takes a hidden tab off the stream, and shows the present when it is back", async () => {
    await served({}, async ({ runner, page, url }) => {
      succeed(runner, "a");
      await inTab(`${url}/`, async (tab) => {
        await rowOf(tab, "a").waitFor();
        const hide = (isHidden: boolean) =>
          tab.evaluate(`Object.defineProperty(document, "hidden", { value: ${isHidden}, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));`);
        await hide(true);
        // All 100 places are free again.
        await expect
          .poll(async () => {
            const answers = await Promise.all(
              Array.from({ length: 100 }, () => page.fetch(new Request(`${url}/api/stream?view=engines`))),
            );
            await Promise.all(answers.map(({ body }) => body?.cancel()));
            return answers.every(({ status }) => status === 200);
          })
          .toBe(true);
        succeed(runner, "b");
        await hide(false);
        await rowOf(tab, "b").waitFor();
      });
    });
  });

  test("says that the service is away, and goes on when it is back", async () => {
    const page = jobDashboard();
    const runner = new ObservedJobRunner(page.jobObserver({ serviceName: "shop" }));
    succeed(runner, "a");
    const server = createServer(page.handler());
    const { port, close } = await listen(server);
    const tab = await (browser as TestBrowser).open(`http://127.0.0.1:${port}/`);
    await rowOf(tab.page, "a").waitFor();
    await close();
    await tab.page.locator(".status", { hasText: "Reconnecting" }).waitFor();
    await tab.page.locator(".banner", { hasText: "The service does not answer" }).waitFor();
    expect(await names(tab.page)).toEqual(["a"]);
    succeed(runner, "b");
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    await rowOf(tab.page, "b").waitFor();
    await tab.page.locator(".status", { hasText: "Live" }).waitFor();
    expect(await tab.page.locator(".banner").count()).toBe(0);
    await tab.close();
    page.shutdown();
    await close();
  });

  test("says that a view could not be made, and shows it as soon as it can", async () => {
    await served({}, async ({ page, url }) => {
      const counts = { scheduled: 0, waiting: 0, running: 0, succeeded: 0, deadLettered: 0, cancelled: 0 };
      let isBroken = true;
      page.watch({
        name: "broken",
        stats: async () => ({ ...counts, oldestWaitingAt: undefined, byName: {} }),
        deadLetters: async () => [],
        cancel: async () => false,
        redrive: async () => false,
        jobs: async () => ({ jobs: isBroken ? [null as never] : [], cursor: undefined }),
      });
      await inTab(`${url}/#/jobs`, async (tab) => {
        await tab.locator(".banner", { hasText: "The service could not make this view" }).waitFor();
        await tab.locator(".status", { hasText: "Failed" }).waitFor();
        isBroken = false;
        await tab.getByText("No jobs here").waitFor();
        await tab.locator(".status", { hasText: "Live" }).waitFor();
        await tab.locator(".banner").waitFor({ state: "detached" });
      });
    });
  });

  test("lists attempts of other processes with the message that the store keeps", async () => {
    await served({}, async ({ page, url }) => {
      const at = new Date();
      const stored = { id: "j", jobName: "a", state: "dead-lettered", attempt: 2, attributes: {} };
      const errors = [2, 1].map((attempt) => ({ attempt, message: `refused ${attempt} times`, at }));
      page.watch({
        name: "other",
        stats: () => Promise.reject(new Error("not asked for")),
        deadLetters: async () => [],
        cancel: async () => false,
        redrive: async () => false,
        job: async () => ({ ...stored, errors }),
      });
      await inTab(`${url}/#/stored?engine=other&id=j`, async (tab) => {
        const attempts = tab.locator(".attempts > li");
        await attempts.first().waitFor();
        const texts = await attempts.allInnerTexts();
        expect(texts.map((text) => text.replace(/\s+/g, " "))).toEqual([
          expect.stringMatching(/^Attempt 2 Failed .* refused 2 times$/),
          expect.stringMatching(/^Attempt 1 Failed .* refused 1 times$/),
        ]);
      });
    });
  });

  test("says that a store is away, and how old its figures are", async () => {
    await served({}, async ({ page, url }) => {
      const counts = { scheduled: 0, waiting: 7, running: 0, succeeded: 0, deadLettered: 0, cancelled: 0 };
      let isAway = false;
      page.watch({
        name: "flaky",
        stats: async () => {
          if (isAway) throw new Error("connect ECONNREFUSED");
          const all = { ...counts, oldestWaitingAt: undefined };
          return { ...all, byName: { a: all } };
        },
        deadLetters: async () => [],
        cancel: async () => false,
        redrive: async () => false,
      });
      await inTab(`${url}/`, async (tab) => {
        await rowOf(tab, "a").waitFor();
        isAway = true;
        await tab.locator(".banner", { hasText: "connect ECONNREFUSED" }).waitFor();
        expect(await cell(tab, "a", "Waiting")).toBe("7");
        isAway = false;
        await tab.locator(".banner").waitFor({ state: "detached" });
      });
    });
  });

  test("hides payloads and the values of attributes, unless redact shows them", async () => {
    const shown = async (options: Options): Promise<string> => {
      let text = "";
      await served(options, async ({ runner, page, url }) => {
        const engine = memoryEngine({ runner: runner.context({ tenant: "acme", token: "s3cret" }) });
        page.watch(engine);
        const secretive = defineJob<{ card: string }>({
          name: "secretive",
          maxAttempts: 1,
          run() {
            throw new Error("no");
          },
        });
        const { id } = await engine.enqueue(secretive, { card: "4242" });
        const worker = await engine.work({ jobs: [secretive] });
        await expect.poll(async () => (await engine.stats()).deadLettered).toBe(1);
        await worker.stop();
        await inTab(`${url}/#/job?name=secretive`, async (tab) => {
          await tab.locator(".strip a").first().click();
          await tab.locator(".attributes").waitFor();
          text = await tab.locator("main").innerText();
          await tab.goto(`${url}/#/stored?engine=memory&id=${id}`);
          await tab.locator("h1", { hasText: /^secretive$/ }).waitFor();
          const button = tab.getByRole("button", { name: "Show the payload" });
          if ((await button.count()) > 0) await button.click();
          await expect.poll(() => tab.locator("main").innerText()).toMatch(/Hidden|card/);
          text += await tab.locator("main").innerText();
        });
        text += await (await fetch(`${url}/api/payload?engine=memory&id=${id}`)).text();
        await engine.close();
      });
      return text;
    };
    const hidden = await shown({});
    expect(hidden).toContain("tenant");
    for (const secret of ["acme", "s3cret", "4242"]) expect(hidden).not.toContain(secret);
    const throwing = await shown({
      redact: () => {
        throw new Error("no");
      },
    });
    for (const secret of ["acme", "s3cret", "4242"]) expect(throwing).not.toContain(secret);
    const redacted = await shown({
      redact: ({ attributes, payload }) => ({
        attributes: { tenant: attributes.tenant ?? "" },
        payload: payload === undefined ? undefined : { card: "**42" },
      }),
    });
    expect(redacted).toContain("acme");
    expect(redacted).toContain("**42");
    for (const secret of ["s3cret", "4242"]) expect(redacted).not.toContain(secret);
  });
});
