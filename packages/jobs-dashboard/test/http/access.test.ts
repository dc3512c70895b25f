import { connect } from "node:net";
import { jobDashboard } from "@nidus/jobs-dashboard";
import { memoryEngine } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { act, ownHeaders } from "../support/page-client.ts";
import { listen, type Served, send } from "../support/served.ts";

const endpoints = [
  ...[
    "/",
    "/app.js",
    "/app.css",
    "/api/session",
    "/api/overview",
    "/api/failures",
    "/api/running",
    "/api/engines",
  ],
  ...[
    "/api/schedules",
    "/api/job?name=a",
    "/api/run?job=a&id=1",
    "/api/jobs?engine=memory",
    "/api/stored?engine=memory&id=1",
  ],
  ...[
    "/api/payload?engine=memory&id=1",
    "/api/stream?view=overview",
    "/api/actions",
    "/api/unknown",
    "/jobs",
    "/x.png",
  ],
];

describe("without authorize", () => {
  const page = jobDashboard();
  let served: Served;
  beforeAll(async () => {
    served = await listen(page.handler());
  });
  afterAll(() => served.close());

  test.each(["localhost", "localhost:3000", "127.0.0.1:8080", "[::1]:3000", "LOCALHOST"])(
    "answers a request of this machine to the host %s",
    async (host) => {
      expect((await send(served.port, "/api/session", { headers: { Host: host } })).status).toBe(200);
    },
  );

  test.each([
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "0.0.0.0",
    "192.168.0.7:3000",
    "localhost:3000@evil.example",
  ])("refuses the host %s at every endpoint, whatever the socket says", async (host) => {
    for (const path of endpoints) {
      const { status } = await send(served.port, path, { headers: { Host: host } });
      expect([path, status]).toEqual([path, 403]);
    }
  });

  test.each([
    ...["X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded"],
    ...["X-Forwarded-Client-Cert", "X-Original-Forwarded-For", "X-Original-Host", "Forwarded", "Via"],
    ...["X-Real-IP", "X-Client-IP", "X-Cluster-Client-IP", "X-ProxyUser-IP", "True-Client-IP", "Remote-Addr"],
    ...["CF-Connecting-IP", "CF-Ray", "Fastly-Client-IP", "Fly-Client-IP", "X-Envoy-External-Address"],
    ...["X-Azure-ClientIP", "X-Amzn-Trace-Id", "X-Vercel-Id", "X-AppEngine-User-IP", "CDN-Loop"],
  ])("refuses a request that a proxy passed on, with %s", async (name) => {
    const headers = { Host: "localhost", [name]: "127.0.0.1" };
    expect((await send(served.port, "/", { headers })).status).toBe(403);
  });

  test.each([
    ["Origin", "https://app.example.com"],
    ["Origin", "null"],
    ["Origin", "http://localhost.evil.example"],
  ])("refuses what a page of another site sent, with the %s %s", async (name, value) => {
    const headers = { Host: "localhost", "Sec-Fetch-Site": "same-origin", [name]: value };
    for (const path of ["/", "/api/overview", "/api/actions"]) {
      expect((await send(served.port, path, { headers })).status).toBe(403);
    }
  });

  test("answers a local browser, which sends the origin and the address of the page", async () => {
    const origin = `http://localhost:${served.port}`;
    const headers = {
      Host: "localhost",
      Origin: origin,
      // A link on another site may lead here.
      Referer: "https://wiki.example.com/",
      "Sec-Fetch-Site": "same-origin",
    };
    expect((await send(served.port, "/api/overview", { headers })).status).toBe(200);
  });

  test("refuses what nginx before 1.29.7 passes on by default: HTTP/1.0 with the host of the upstream", async () => {
    const status = (version: string): Promise<string> =>
      new Promise((resolve, reject) => {
        const socket = connect(served.port, "127.0.0.1", () => {
          socket.write(
            `GET /api/overview HTTP/${version}\r\nHost: 127.0.0.1:${served.port}\r\nConnection: close\r\n\r\n`,
          );
        });
        socket.on("error", reject);
        socket.once("data", (data) => {
          socket.destroy();
          resolve(String(data).split(" ", 2)[1] ?? "");
        });
      });
    expect(await status("1.0")).toBe("403");
    expect(await status("1.1")).toBe("200");
  });

  test("refuses a socket of another machine, whatever the Host header says", async () => {
    for (const remoteAddress of [
      "10.0.0.7",
      "192.168.1.1",
      "::ffff:10.0.0.7",
      "2001:db8::1",
      "",
      "127.0.0.1.example",
      undefined,
    ]) {
      const request = new Request("http://localhost/", { headers: { Host: "localhost" } });
      expect((await page.fetch(request, { remoteAddress })).status).toBe(403);
    }
    for (const remoteAddress of ["127.0.0.1", "::1", "::ffff:127.0.0.1", "127.8.0.1"]) {
      const request = new Request("http://localhost/", { headers: { Host: "localhost" } });
      expect((await page.fetch(request, { remoteAddress })).status).toBe(200);
    }
  });

  test("refuses every `fetch` that does not say which client asks", async () => {
    const answer = await page.fetch(new Request("http://localhost/", { headers: { Host: "localhost" } }));
    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain("authorize");
  });
});

describe("authorize", () => {
  const request = (path: string): Request =>
    new Request(`http://jobs.example${path}`, { headers: { cookie: "who=ada" } });

  test.each([["none"], [undefined], ["admin"], [true]])(
    "that returns %s refuses every endpoint",
    async (access) => {
      const page = jobDashboard({ authorize: () => access as never });
      for (const path of endpoints)
        expect([path, (await page.fetch(request(path))).status]).toEqual([path, 403]);
    },
  );

  test("that throws or rejects refuses every endpoint", async () => {
    for (const authorize of [
      () => {
        throw new Error("no session");
      },
      () => Promise.reject(new Error("no session")),
    ]) {
      const page = jobDashboard({ authorize });
      for (const path of endpoints) {
        const answer = await page.fetch(request(path));
        expect(answer.status).toBe(500);
        expect(await answer.text()).not.toContain("no session");
      }
    }
  });

  test("sees the request, and may be asynchronous", async () => {
    const page = jobDashboard({
      authorize: async ({ headers }) => (headers.get("cookie") === "who=ada" ? "read" : "none"),
    });
    expect((await page.fetch(request("/api/session"))).status).toBe(200);
    expect((await page.fetch(new Request("http://jobs.example/api/session"))).status).toBe(403);
  });

  test("may read the body of a clone, and the page says so if it read the body itself", async () => {
    const engine = memoryEngine({ runner: new ObservedJobRunner() });
    const answers = [];
    for (const read of [(given: Request) => given.clone().text(), (given: Request) => given.text()]) {
      const page = jobDashboard({
        authorize: async (given) => ((await read(given)).includes("cancel") ? "operate" : "none"),
      });
      page.watch(engine);
      answers.push(await act(page, { type: "cancel", engine: "memory", ids: ["1"] }));
    }
    expect(answers.map(({ status }) => status)).toEqual([200, 500]);
    expect(await answers[1]?.text()).toContain("request.clone()");
    await engine.close();
  });

  test('that returns "read" refuses every action', async () => {
    const page = jobDashboard({ authorize: () => "read" });
    const engine = memoryEngine({ runner: new ObservedJobRunner() });
    page.watch(engine);
    for (const type of ["cancel", "redrive", "reschedule", "cancel-all", "redrive-all", "unknown"]) {
      const answer = await act(page, {
        type,
        engine: "memory",
        ids: ["1"],
        id: "1",
        jobName: "a",
        error: null,
        runAt: 1,
      });
      expect([type, answer.status]).toEqual([type, 403]);
    }
    await engine.close();
  });
});

describe("an action", () => {
  const page = jobDashboard({ authorize: () => "operate" });
  const engine = memoryEngine({ runner: new ObservedJobRunner() });
  page.watch(engine);
  afterAll(() => engine.close());
  const body = { type: "cancel", engine: "memory", ids: ["1"] };
  const without = (name: string): Record<string, string> =>
    Object.fromEntries(Object.entries(ownHeaders).filter(([key]) => key !== name));

  test("of the page itself is done", async () => {
    expect((await act(page, body)).status).toBe(200);
  });

  test.each([
    ["a form of another page", { "Content-Type": "application/x-www-form-urlencoded" }],
    ["JSON as text, which needs no preflight", { "Content-Type": "text/plain" }],
    ["another origin", { "Sec-Fetch-Site": "cross-site" }],
    ["another subdomain", { "Sec-Fetch-Site": "same-site" }],
    ["a link or a typed address", { "Sec-Fetch-Site": "none" }],
  ])("of %s is refused", async (_name, headers) => {
    expect((await act(page, body, { ...ownHeaders, ...headers })).status).toBe(403);
  });

  test("without the page's own header is refused", async () => {
    expect((await act(page, body, without("X-Nidus-Dashboard"))).status).toBe(403);
  });

  test("of an old browser needs the Origin of the page", async () => {
    const old = without("Sec-Fetch-Site");
    expect((await act(page, body, old)).status).toBe(403);
    expect((await act(page, body, { ...old, Origin: "http://localhost" })).status).toBe(200);
    expect((await act(page, body, { ...old, Origin: "http://evil.example" })).status).toBe(403);
    expect((await act(page, body, { ...old, Origin: "null" })).status).toBe(403);
  });

  test("must be a POST", async () => {
    for (const method of ["GET", "PUT", "DELETE"]) {
      const answer = await page.fetch(
        new Request("http://localhost/api/actions", { method, headers: ownHeaders }),
      );
      expect(answer.status).toBe(405);
    }
  });

  test("must be bounded and valid", async () => {
    expect((await act(page, " ".repeat(70_000))).status).toBe(413);
    expect((await act(page, "{")).status).toBe(400);
    for (const wrong of [
      ...[
        null,
        7,
        [],
        "x",
        {},
        { type: "cancel" },
        { ...body, ids: [] },
        { ...body, ids: [7] },
        { ...body, type: "close" },
      ],
      ...[
        { ...body, ids: new Array(1_000).fill("x") },
        { ...body, type: "constructor" },
        { ...body, type: "cancel-all" },
      ],
      ...[{ type: "reschedule", engine: "memory", id: "1", runAt: "now" }],
    ]) {
      expect([wrong, (await act(page, wrong)).status]).toEqual([wrong, 400]);
    }
    expect((await act(page, { ...body, engine: "other" })).status).toBe(404);
  });
});
