import { defineJob } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { sharedPostgres } from "test-servers";
import { afterAll, describe, expect, it } from "vitest";
import { startHoldingProxy } from "../support/holding-proxy.ts";
import { importOn } from "../support/on-pg-boss.ts";
import { versions } from "../support/start-boss.ts";

const postgres = await sharedPostgres();
afterAll(() => postgres?.stop());

describe.skipIf(postgres === undefined).each(versions)("pg-boss %s", (version) => {
  it("closes while the server is silent, without an unhandled error", async () => {
    const { pgBossEngine } = await importOn(version);
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
