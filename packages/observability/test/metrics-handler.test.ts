import { Registry } from "prom-client";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type MetricsHandler, production } from "../src/index.ts";
import { adapter, reindex } from "./support/adapters.ts";
import { serve } from "./support/http.ts";

const warnings: string[] = [];

beforeEach(() => {
  warnings.length = 0;
  vi.spyOn(process, "emitWarning").mockImplementation((warning) => void warnings.push(String(warning)));
});
afterEach(() => {
  vi.restoreAllMocks();
});

function failingWith(thrown: unknown): MetricsHandler {
  const metrics = () => {
    throw thrown;
  };
  return production("users-api").with(adapter("broken", { metrics })).metricsHandler();
}

describe("GET", () => {
  test("is answered with the metrics, their content type and their length in bytes", async () => {
    const observability = production("users-api").prometheus();
    observability.jobRunner().run({ name: "naïve – ☃", run: () => {} });
    await using server = await serve(observability.metricsHandler());

    const { status, headers, body } = await server.request("GET");

    expect(status).toBe(200);
    expect(headers["content-type"]).toBe(Registry.PROMETHEUS_CONTENT_TYPE);
    expect(body).toContain('nidus_jobs_started_total{job_name="naïve – ☃"} 1');
    expect(body).toBe(await observability.metrics());
    expect(headers["content-length"]).toBe(String(Buffer.byteLength(body)));
  });

  test("uses the OpenMetrics type if the registry does", async () => {
    const registry = new Registry<typeof Registry.OPENMETRICS_CONTENT_TYPE>();
    registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    const observability = production("users-api").prometheus({ registry });
    await using server = await serve(observability.metricsHandler());

    const { headers, body } = await server.request("GET");

    expect(headers["content-type"]).toBe(Registry.OPENMETRICS_CONTENT_TYPE);
    expect(body.endsWith("# EOF\n")).toBe(true);
  });

  test("shows the runs since the last request", async () => {
    const observability = production("users-api").prometheus();
    const runner = observability.jobRunner();
    await using server = await serve(observability.metricsHandler());

    for (const count of [1, 2]) {
      runner.run(reindex);
      const { body } = await server.request("GET");
      expect(body).toContain(`nidus_jobs_started_total{job_name="reindex"} ${count}`);
    }
  });
});

test("HEAD is answered like GET, without a body", async () => {
  const observability = production("users-api").with(adapter("a", { metrics: () => "a 1\n" }));
  await using server = await serve(observability.metricsHandler());

  const { status, headers, body } = await server.request("HEAD");

  expect([status, body]).toEqual([200, ""]);
  expect(headers["content-type"]).toBe(Registry.PROMETHEUS_CONTENT_TYPE);
  expect(headers["content-length"]).toBe("4");
});

test.each(["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])(
  "%s is answered with 405 and the allowed methods, and collects nothing",
  async (method) => {
    let collections = 0;
    const metrics = () => `collections ${++collections}\n`;
    await using server = await serve(
      production("users-api").with(adapter("a", { metrics })).metricsHandler(),
    );

    const { status, headers, body } = await server.request(method);

    expect(status).toBe(405);
    expect(headers.allow).toBe("GET, HEAD");
    expect(headers["content-type"]).toBe("text/plain; charset=utf-8");
    expect(body).not.toBe("");
    expect(collections).toBe(0);
  },
);

describe("metrics that cannot be collected", () => {
  test.each<[string, () => unknown]>([
    ["an Error", () => new Error("no connection to redis://hunter2")],
    ["a string", () => "hunter2"],
    ["undefined", () => undefined],
    [
      "an error whose message cannot be read",
      () => Object.defineProperty(new Error(), "message", { get: fail }),
    ],
  ])("because of %s are a 500 that hides the reason, and the server goes on", async (_case, make) => {
    await using server = await serve(failingWith(make()));

    for (const method of ["GET", "HEAD", "GET"]) {
      const { status, headers, body } = await server.request(method);
      expect(status).toBe(500);
      expect(headers["content-type"]).toBe("text/plain; charset=utf-8");
      expect(JSON.stringify([headers, body])).not.toContain("hunter2");
      expect(await server.rejections()).toEqual([]);
    }
  });

  test("cause a process warning with the reason", async () => {
    await using server = await serve(failingWith(new Error("no connection to redis")));
    await server.request("GET");
    expect(warnings.join()).toContain("no connection to redis");
  });

  test("are a 500 too if an adapter's content type is invalid", async () => {
    const observability = production("users-api").with(
      adapter("a", { metrics: () => "a 1\n", contentType: "text/plain\r\nset-cookie: a=b" }),
    );
    await using server = await serve(observability.metricsHandler());
    const { status, headers } = await server.request("GET");
    expect(status).toBe(500);
    expect(headers["set-cookie"]).toBeUndefined();
  });

  test("may be collected by the next request", async () => {
    let isBroken = true;
    const metrics = () => (isBroken ? Promise.reject(new Error("not yet")) : "a 1\n");
    await using server = await serve(
      production("users-api").with(adapter("a", { metrics })).metricsHandler(),
    );

    expect((await server.request("GET")).status).toBe(500);
    isBroken = false;
    expect(await server.request("GET")).toMatchObject({ status: 200, body: "a 1\n" });
  });
});

function fail(): never {
  throw new Error("it cannot be read");
}

describe("the handler's promise resolves", () => {
  test.each(["GET", "POST"])("even if other code has answered a %s first", async (method) => {
    const handler = production("users-api").prometheus().metricsHandler();
    await using server = await serve(async (request, response) => {
      // Like a timeout in front of the handler.
      response.writeHead(503).end("too late\n");
      await handler(request, response);
    });

    const { status, body } = await server.request(method);
    expect([status, body]).toEqual([503, "too late\n"]);
    expect(await server.rejections()).toEqual([]);
  });

  test("also if the client has gone while the metrics were collected", async () => {
    let abandon = (): void => {};
    const abandoned = new Promise<void>((resolve) => {
      abandon = resolve;
    });
    const metrics = async () => {
      await abandoned;
      return "a 1\n";
    };
    const handler = production("users-api").with(adapter("a", { metrics })).metricsHandler();
    let settled: Promise<void> | undefined;
    await using server = await serve((request, response) => {
      response.once("close", abandon);
      settled = handler(request, response);
      request.socket.destroy();
      return settled;
    });

    await expect(server.request("GET")).rejects.toThrow();
    await expect(settled).resolves.toBeUndefined();
  });
});
