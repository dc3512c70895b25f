import { Agent, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { createGzip } from "node:zlib";
import { job } from "@nidus/jobs-core";
import { type JobDashboard, jobDashboard } from "@nidus/jobs-dashboard";
import { describe, expect, test, vi } from "vitest";
import type { OverviewView, SessionView } from "../../src/wire.ts";
import { act, fedPage, ownHeaders, viewOf } from "../support/page-client.ts";
import { eventOf, listen, send } from "../support/served.ts";

const get = (page: JobDashboard, path: string, headers: Record<string, string> = {}): Promise<Response> =>
  page.fetch(new Request(`http://localhost${path}`, { headers }));

/** Compresses an answer as a middleware does: it gathers what is written, unless the answer says no-transform. */
function compress(response: ServerResponse): void {
  const [write, end, writeHead] = [response.write, response.end, response.writeHead].map((each) =>
    each.bind(response),
  ) as [ServerResponse["write"], ServerResponse["end"], ServerResponse["writeHead"]];
  response.writeHead = ((status: number, headers: Record<string, string>) => {
    if (headers["cache-control"]?.includes("no-transform")) return writeHead(status, headers);
    const gzip = createGzip();
    gzip.on("data", (chunk) => void write(chunk)).on("end", () => void end());
    response.write = gzip.write.bind(gzip) as ServerResponse["write"];
    response.end = gzip.end.bind(gzip) as unknown as ServerResponse["end"];
    return writeHead(status, { ...headers, "content-encoding": "gzip" });
  }) as ServerResponse["writeHead"];
}

describe("the page", () => {
  const { page } = fedPage();

  test("answers with the document, its script and its style, wherever it is mounted", async () => {
    for (const base of ["/", "/jobs/", "/admin/team/jobs/"]) {
      for (const [file, type] of [
        ["", "text/html"],
        ["app.js", "text/javascript"],
        ["app.css", "text/css"],
      ]) {
        const answer = await get(page, base + file);
        expect(answer.status).toBe(200);
        expect(answer.headers.get("content-type")).toContain(type);
      }
      expect((await get(page, `${base}api/session`)).status).toBe(200);
    }
  });

  test("redirects to the address with a slash, relative to where it is", async () => {
    const answer = await get(page, "/admin/jobs");
    expect([answer.status, answer.headers.get("location")]).toEqual([302, "./jobs/"]);
  });

  test("redirects to no other site, and to no script, whatever the address is", async () => {
    for (const path of [
      "/jobs/https:example%2Ecom",
      "/jobs/http:127%2E1",
      "/javascript:alert(1)",
      "//example",
    ]) {
      const location = (await get(page, path)).headers.get("location") ?? "";
      expect(new URL(location, "http://localhost/jobs/").host).toBe("localhost");
    }
  });

  test("has no other files", async () => {
    for (const path of ["/favicon.ico", "/jobs/app.js.map", "/api/unknown", "/api/", "/jobs/api/__proto__"]) {
      expect([path, (await get(page, path)).status]).toEqual([path, 404]);
    }
  });

  test("allows nothing of another origin, no inline script, no frame", async () => {
    for (const path of [
      "/",
      "/app.js",
      "/api/overview",
      "/api/stream?view=overview",
      "/nothing.png",
      "/jobs",
    ]) {
      const answer = await get(page, path);
      expect(answer.headers.get("content-security-policy")).toBe(
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
          "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
      );
      expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
      await answer.body?.cancel();
    }
  });

  test("lets browsers keep its files, and no data", async () => {
    const answer = await get(page, "/app.js");
    const tag = answer.headers.get("etag") ?? "";
    for (const known of [tag, `W/${tag}`, `"other", W/${tag}`, "*"]) {
      expect((await get(page, "/app.js", { "If-None-Match": known })).status).toBe(304);
    }
    for (const other of ['"other"', `${tag}x`, ""]) {
      expect((await get(page, "/app.js", { "If-None-Match": other })).status).toBe(200);
    }
    expect((await get(page, "/api/overview")).headers.get("cache-control")).toBe("no-store");
  });

  test("refuses other methods", async () => {
    const answer = await page.fetch(new Request("http://localhost/", { method: "POST", body: "x" }));
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  });
});

describe("the stream", () => {
  test("sends a snapshot at once, and the next one when something has happened", async () => {
    const { page, runner } = fedPage();
    const first = await eventOf(await get(page, "/api/stream?view=overview"));
    expect(JSON.parse(first.data)).toMatchObject({ jobs: [] });
    const stream = await get(page, "/api/stream?view=overview");
    runner.run(job("a", () => {}));
    const next = await eventOf(stream, (data) => data.includes('"a"'));
    expect((JSON.parse(next.data) as OverviewView).jobs[0]?.name).toBe("a");
    page.shutdown();
  });

  test("does not repeat the snapshot that a browser has", async () => {
    const { page, runner } = fedPage();
    const { id } = await eventOf(await get(page, "/api/stream?view=overview"));
    const again = await get(page, "/api/stream?view=overview", { "Last-Event-ID": id });
    setTimeout(() => runner.run(job("a", () => {})), 50);
    expect((await eventOf(again)).data).toContain('"a"');
    page.shutdown();
  });

  test("knows no other views, and no payloads", async () => {
    const { page } = fedPage();
    for (const view of ["", "nothing", "payload?engine=memory&id=1", "session", "__proto__", "stream"]) {
      expect((await get(page, `/api/stream?view=${encodeURIComponent(view)}`)).status).toBe(404);
    }
  });

  test("has at most 100 viewers, and has room again when they leave", async () => {
    const { page } = fedPage();
    const streams = await Promise.all(
      Array.from({ length: 100 }, () => get(page, "/api/stream?view=overview")),
    );
    expect(streams.every(({ status }) => status === 200)).toBe(true);
    expect((await get(page, "/api/stream?view=overview")).status).toBe(503);
    await streams[0]?.body?.cancel();
    const answer = await get(page, "/api/stream?view=overview");
    expect(answer.status).toBe(200);
    page.shutdown();
  });

  test("forgets a viewer whose request is aborted and whose answer is not read", async () => {
    const { page } = fedPage();
    const open = (signal: AbortSignal) =>
      page.fetch(new Request("http://localhost/api/stream?view=overview", { signal }));
    for (let viewer = 0; viewer < 150; viewer++) {
      const controller = new AbortController();
      expect((await open(controller.signal)).status).toBe(200);
      controller.abort();
    }
    for (let viewer = 0; viewer < 150; viewer++) expect((await open(AbortSignal.abort())).status).toBe(200);
    page.shutdown();
  });

  test("asks all that is in between not to compress it, which would hold the events back", async () => {
    const { page } = fedPage();
    const handler = page.handler();
    const served = await listen((request, response) => {
      compress(response);
      void handler(request, response);
    });
    const stream = await fetch(`${served.url}/api/stream?view=overview`);
    expect((await eventOf(stream)).data).toContain("jobs");
    // The middleware does compress the rest.
    expect((await fetch(`${served.url}/app.js`)).headers.get("content-encoding")).toBe("gzip");
    page.shutdown();
    await served.close();
  });

  test("reads an engine once for all viewers", async () => {
    const { page } = fedPage();
    const counts = { scheduled: 0, waiting: 1, running: 0, succeeded: 0, deadLettered: 0, cancelled: 0 };
    const all = { ...counts, oldestWaitingAt: undefined };
    let reads = 0;
    let answerNow = () => {};
    const answered = new Promise<void>((resolve) => {
      answerNow = resolve;
    });
    page.watch({
      name: "counted",
      async stats() {
        reads++;
        await answered;
        return { ...all, byName: { a: all } };
      },
      deadLetters: async () => [],
      cancel: async () => false,
      redrive: async () => false,
    });
    const streams = await Promise.all(
      Array.from({ length: 20 }, () => get(page, "/api/stream?view=overview")),
    );
    await vi.waitFor(() => expect(reads).toBe(1), { timeout: 60_000 });
    const events = streams.map((stream) => eventOf(stream, (data) => data.includes('"a"')));
    // The views of engines and of jobs share the reading, too.
    await Promise.all(
      ["overview", "engines", "jobs?engine=counted"].map((view) => get(page, `/api/${view}`)),
    );
    expect(reads).toBe(1);
    answerNow();
    await Promise.all(events);
    page.shutdown();
  });

  test("ends when the page shuts down, so that a server can close", async () => {
    const { page } = fedPage();
    const stream = await get(page, "/api/stream?view=overview");
    const text = stream.text();
    page.shutdown();
    await expect(text).resolves.toBeTypeOf("string");
    expect((await get(page, "/api/stream?view=overview")).status).toBe(503);
  });

  test("forgets a viewer who has closed the connection", async () => {
    const { page } = fedPage();
    const served = await listen(page.handler());
    for (let round = 0; round < 5; round++) {
      const controllers = await Promise.all(
        Array.from({ length: 40 }, async () => {
          const controller = new AbortController();
          const { signal } = controller;
          let answer = await fetch(`${served.url}/api/stream?view=overview`, { signal });
          // The server hears of a closed connection a moment later.
          while (answer.status === 503)
            answer = await fetch(`${served.url}/api/stream?view=overview`, { signal });
          return controller;
        }),
      );
      for (const controller of controllers) controller.abort();
    }
    await served.close();
    page.shutdown();
  });
});

describe("the handler for node:http", () => {
  test("answers HEAD without a body, and bad requests", async () => {
    const served = await listen(jobDashboard().handler());
    const head = await send(served.port, "/", { method: "HEAD", headers: { Host: "localhost" } });
    expect([head.status, head.body]).toEqual([200, ""]);
    for (const path of ["//evil.example/", "/%", "/a b".replace(" ", "%20"), "/?%zz", "/..;/api/overview"]) {
      expect((await send(served.port, path, { headers: { Host: "localhost" } })).status).toBeLessThan(500);
    }
    expect((await send(served.port, "/", { method: "TRACE", headers: { Host: "localhost" } })).status).toBe(
      400,
    );
    await served.close();
  });

  test("says that the body is gone if other code has read it", async () => {
    const handler = fedPage().page.handler();
    const served = await listen(async (request, response) => {
      await text(request);
      await handler(request, response);
    });
    const answer = await send(served.port, "/api/actions", {
      method: "POST",
      headers: ownHeaders,
      body: "{}",
    });
    expect(answer.status).toBe(400);
    expect(answer.body).toContain("the body was read before");
    await served.close();
  });

  test.each([
    ["is not read", {}, 403],
    ["is too large", ownHeaders, 413],
  ])(
    "reads the rest of a body that %s, so that its connection serves the next request",
    async (_what, headers, status) => {
      const served = await listen(fedPage().page.handler());
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const body = " ".repeat(1_000_000);
      const refused = await send(served.port, "/api/actions", { method: "POST", headers, body, agent });
      expect(refused.status).toBe(status);
      expect((await send(served.port, "/api/session", { agent })).status).toBe(200);
      agent.destroy();
      await served.close();
    },
  );

  test("leaves a response alone that was answered already", async () => {
    const handler = fedPage().page.handler();
    const served = await listen((request, response) => {
      response.end("first");
      void handler(request, response);
    });
    expect((await send(served.port, "/")).body).toBe("first");
    await served.close();
  });
});

describe("the session", () => {
  test("names what feeds the page", async () => {
    const unfed = jobDashboard({ authorize: () => "read" });
    expect(await viewOf<SessionView>(unfed, "session")).toMatchObject({
      title: "Jobs",
      process: null,
      engines: [],
      access: "read",
    });
    const { page } = fedPage();
    expect(await viewOf<SessionView>(page, "session")).toMatchObject({
      title: "users-api",
      process: { service: "users-api" },
    });
    expect((await act(unfed, {})).status).toBe(403);
  });
});
