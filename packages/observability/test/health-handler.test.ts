import type { EngineHealth, WorkerHealth, WorkerState } from "@nidus/jobs-observe";
import { describe, expect, test } from "vitest";
import { type HealthHandlerOptions, production } from "../src/index.ts";
import { serve } from "./support/http.ts";

const observability = production("users-api").prometheus();

function workerIn(state: WorkerState): { health(): WorkerHealth } {
  return { health: () => ({ state, lastFetchAt: new Date(0), concurrency: 2, running: 1 }) };
}

function engineWith(
  isReachable: boolean,
  ...states: WorkerState[]
): { readonly name: string; health(): Promise<EngineHealth> } {
  const workers = states.map((state) => workerIn(state).health());
  const latencyMs = isReachable ? 1 : undefined;
  return { name: "orders", health: async () => ({ engine: "orders", isReachable, latencyMs, workers }) };
}

async function ask(options: HealthHandlerOptions | undefined, method = "GET") {
  await using server = await serve(observability.healthHandler(options));
  return await server.request(method);
}

describe("healthHandler", () => {
  test.each<[string, HealthHandlerOptions | undefined, number, string]>([
    ["nothing to look at", undefined, 200, "ok"],
    ["an idle worker", { engines: [engineWith(true, "idle")] }, 200, "ok"],
    ["a working worker", { workers: [workerIn("working")] }, 200, "ok"],
    ["a stopped worker", { workers: [workerIn("stopped")] }, 200, "ok"],
    ["a server that is away", { engines: [engineWith(false, "server-unreachable")] }, 200, "degraded"],
    ["one server of two that is away", { engines: [engineWith(true), engineWith(false)] }, 200, "degraded"],
    ["a worker whose server is away", { workers: [workerIn("server-unreachable")] }, 200, "degraded"],
    ["a stuck worker", { workers: [workerIn("idle"), workerIn("stuck")] }, 503, "stuck"],
    ["a stuck worker of an engine", { engines: [engineWith(true, "stuck")] }, 503, "stuck"],
    [
      "a stuck worker beside a server that is away",
      { engines: [engineWith(false), engineWith(true, "stuck")] },
      503,
      "stuck",
    ],
  ])("answers for %s", async (_what, options, status, text) => {
    const answer = await ask(options);
    expect(answer.status).toBe(status);
    expect(answer.headers["content-type"]).toBe("application/json");
    expect(answer.headers["cache-control"]).toBe("no-store");
    expect(JSON.parse(answer.body).status).toBe(text);
  });

  test("says what it has seen", async () => {
    const { body } = await ask({ engines: [engineWith(true, "idle")], workers: [workerIn("working")] });
    const worker = { lastFetchAt: "1970-01-01T00:00:00.000Z", concurrency: 2, running: 1 };
    expect(JSON.parse(body)).toEqual({
      status: "ok",
      engines: [
        { engine: "orders", isReachable: true, latencyMs: 1, workers: [{ state: "idle", ...worker }] },
      ],
      workers: [{ state: "working", ...worker }],
    });
  });

  test.each([
    ["rejects", () => Promise.reject(new Error("password open sesame"))],
    [
      "throws",
      () => {
        throw new Error("open sesame");
      },
    ],
    ["never answers", () => new Promise<never>(() => {})],
  ])("counts an engine that %s as unreachable, and tells no error", async (_what, health) => {
    const { status, body } = await ask({ engines: [{ name: "orders", health }] });
    expect(status).toBe(200);
    expect(JSON.parse(body)).toEqual({
      status: "degraded",
      engines: [{ engine: "orders", isReachable: false, workers: [] }],
      workers: [],
    });
  });

  test.each<[string, unknown]>([
    ["nothing", undefined],
    ["no workers", { isReachable: true }],
    ["a worker of null", { isReachable: true, workers: [null] }],
    ["a worker without a state", { isReachable: true, workers: [{}] }],
    ["a number that JSON does not know", { isReachable: true, workers: [], latencyMs: 1n }],
  ])("counts an engine that answers with %s as unreachable", async (_what, health) => {
    const { status, body } = await ask({
      engines: [{ name: "orders", health: async () => health as never }],
    });
    expect(status).toBe(200);
    expect(JSON.parse(body).engines).toEqual([{ engine: "orders", isReachable: false, workers: [] }]);
  });

  test.each<[string, PropertyDescriptor]>([
    [
      "throws",
      {
        get: () => {
          throw new Error("open sesame");
        },
      },
    ],
    ["JSON does not know", { value: 1n }],
  ])("answers for an engine with a name that %s", async (_what, name) => {
    const health = () => Promise.reject(new Error("away"));
    const engine = Object.defineProperty({ health }, "name", name) as never;
    const { status, body } = await ask({ engines: [engine] });
    expect(status).toBe(200);
    expect(JSON.parse(body).engines).toEqual([{ engine: "?", isReachable: false, workers: [] }]);
  });

  test.each<[string, () => unknown]>([
    ["nothing", () => undefined],
    ["a promise", async () => workerIn("idle").health()],
    ["a number that JSON does not know", () => ({ state: "idle", running: 1n })],
    [
      "an error",
      () => {
        throw new Error("open sesame");
      },
    ],
  ])("leaves out a worker that answers with %s", async (_what, health) => {
    const { status, body } = await ask({ workers: [{ health: health as never }, workerIn("working")] });
    expect(status).toBe(200);
    expect(JSON.parse(body).workers).toMatchObject([{ state: "working" }]);
  });

  test("answers HEAD without a body, and no other method", async () => {
    expect(await ask(undefined, "HEAD")).toMatchObject({ status: 200, body: "" });
    expect(await ask(undefined, "POST")).toMatchObject({ status: 405, headers: { allow: "GET, HEAD" } });
  });

  test.each([
    [{ engine: [] }, 'unknown option "engine"'],
    [{ engines: {} }, "expected `engines`"],
    [{ engines: [{ name: "a" }] }, "expected `engines`"],
    [{ workers: [null] }, "expected `workers`"],
    [{ engines: new Array(1) }, "`engines` to be an array of objects with `health()`"],
    [{ workers: new Array(2) }, "`workers` to be an array of objects with `health()`"],
  ])("refuses %j", (options, message) => {
    expect(() => observability.healthHandler(options as never)).toThrow(message);
  });
});
