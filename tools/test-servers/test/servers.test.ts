import { describe, expect, it } from "vitest";
import { sharedPostgres, startPostgres, startRedis } from "../src/index.ts";

describe("servers for tests", () => {
  it("starts a Redis, kills it and starts it again", async () => {
    const redis = await startRedis();
    await redis.kill();
    await redis.start();
    await redis.stop();
    expect(redis.url).toContain(String(redis.port));
  });

  it("starts a PostgreSQL, kills it and starts it again", async () => {
    const postgres = await startPostgres();
    await postgres.kill();
    await postgres.start();
    await postgres.stop();
    expect(postgres.url).toContain(String(postgres.port));
  });

  it.skipIf(process.env.NIDUS_PG_URL)("gives each file an empty database of its own", async () => {
    const [one, other] = [await sharedPostgres(), await sharedPostgres()];
    expect(one?.url).toMatch(/^postgres:/);
    expect(other?.url).not.toBe(one?.url);
    await Promise.all([one?.stop(), other?.stop()]);
  });
});
