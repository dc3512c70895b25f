import { describe, expect, it } from "vitest";
import { startPostgres, startRedis } from "../src/index.ts";

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
});
