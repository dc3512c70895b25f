import { defineJob } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { sharedPostgres } from "test-servers";
import { afterAll, describe, expect, it, vi } from "vitest";
import { startHoldingProxy } from "../support/holding-proxy.ts";

const postgres = await sharedPostgres();
afterAll(() => postgres?.stop());

const versions = {
  10: async () => ({ ...(await vi.importActual<object>("pg-boss")), PgBoss: undefined }),
  12: async () => ({ ...(await import("pg-boss-12")), default: undefined }),
};

describe.skipIf(postgres === undefined).each(Object.entries(versions))("pg-boss %s", (version, load) => {
  it("closes while the server is silent, without an unhandled error", async () => {
    vi.resetModules();
    vi.doMock("pg-boss", load);
    const { pgBossEngine } = await import("../../src/index.ts");
    await using proxy = await startHoldingProxy(postgres?.url ?? "");
    const errors: unknown[] = [];
    const engine = await pgBossEngine({
      runner: new ObservedJobRunner(),
      connectionString: proxy.url,
      schema: `closing_${version}`,
      answerWithinMs: 8_000,
      onError: (error) => errors.push(error),
    });
    await engine.enqueue(defineJob({ name: "stored", run() {} }), undefined);
    proxy.hold();
    const answers = [1, 2, 3].map(() => engine.stats().catch((error: Error) => error.message));
    // A missing answer would keep the pool from ending for 30 s.
    await engine.close();
    for (const answer of await Promise.all(answers)) expect(answer).toMatch(/is closed: it cut the call off/);
    expect(errors).toEqual([]);
  });
});
