import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineJob, EngineUnavailableError } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import pg from "pg";
import PgBoss10 from "pg-boss";
import { PgBoss as PgBoss12 } from "pg-boss-12";
import { prepareEmbeddedFolder, sharedPostgres } from "test-servers";
import { afterAll, describe, expect, it } from "vitest";
import { type PgBossLike, pgBossEngine } from "../../src/index.ts";
import { importOn } from "../support/on-pg-boss.ts";
import { startBoss, versions } from "../support/start-boss.ts";

const runner = new ObservedJobRunner();
const postgres = await sharedPostgres();
const connectionString = postgres?.url ?? "";
afterAll(() => postgres?.stop());

const fresh = (): string => `versions_${crypto.randomUUID().replaceAll("-", "")}`;

/** An engine that finds this major installed. */
async function openWith(major: 10 | 12, options: object): Promise<{ close(): Promise<void> }> {
  const { pgBossEngine } = await importOn(major);
  return pgBossEngine({ runner, onError: () => {}, ...options } as never);
}

describe.skipIf(postgres === undefined).each(versions)("a schema of pg-boss %s", (owner) => {
  const other = owner === 10 ? 12 : 10;

  it(`is refused by an engine with pg-boss ${other}, which tells the way out and leaves the schema unchanged`, async () => {
    const schema = fresh();
    const boss = await startBoss(owner, connectionString, schema);
    await boss.createQueue("kept");
    await boss.send("kept", { n: 1 }, {});
    const client = new pg.Client({ connectionString });
    await client.connect();
    const version = async (): Promise<unknown> =>
      (await client.query(`SELECT version, (SELECT count(*) FROM ${schema}.job) FROM ${schema}.version`))
        .rows;
    const before = await version();

    const opening = openWith(other, { connectionString, schema });
    const error = await opening.then(
      () => expect.fail("it opened"),
      (thrown: Error) => thrown,
    );
    expect(EngineUnavailableError.isInstance(error)).toBe(false);
    expect(error).toMatchObject({ code: "NIDUS_PG_BOSS_VERSION" });
    expect(error.message).toContain(`"${schema}" has the tables of pg-boss ${owner}`);
    expect(error.message).toContain(`which pg-boss ${other} cannot use`);
    expect(error.message).toContain("give the engine another `schema`");
    expect(error.message).toContain(`pg-boss-${owner}@npm:pg-boss@${owner}`);
    expect(await version()).toEqual(before);

    const engine = await openWith(owner, { connectionString, schema });
    await engine.close();
    await client.end();
    await boss.stop({ graceful: false });
  });

  it(`is refused if a pg-boss ${other} of the caller's is on it`, async () => {
    const schema = fresh();
    const boss = await startBoss(owner, connectionString, schema);
    const options = { connectionString, schema, migrate: true, supervise: false, schedule: false };
    const wrong: PgBossLike = other === 10 ? new PgBoss10(options) : new PgBoss12(options);
    wrong.on("error", () => {});
    // pg-boss 10 starts on it, and pg-boss 12 refuses. The engine names the cause in both cases.
    const isStarted = await wrong.start().then(
      () => true,
      () => false,
    );
    if (isStarted) {
      await expect(pgBossEngine({ runner, boss: wrong, schema })).rejects.toThrow(
        `which pg-boss ${other} cannot use`,
      );
    }
    expect(isStarted).toBe(other === 10);
    await wrong.stop({ graceful: false });
    await boss.stop({ graceful: false });
  });

  it("is drained by its own pg-boss beside an engine on another schema", async () => {
    const [old, next] = [fresh(), fresh()];
    const boss = await startBoss(owner, connectionString, old);
    const seen: unknown[] = [];
    const job = defineJob<number>({ name: "moved", run: (payload) => void seen.push(payload) });
    const before = await pgBossEngine({ runner, boss, schema: old });
    await before.enqueue(job, 1);
    const engine = await openWith(other, { connectionString, schema: next });
    const worker = await before.work({ jobs: [job] });
    await expect.poll(() => seen).toEqual([1]);
    await worker.stop();
    await before.close();
    await engine.close();
    await boss.stop({ graceful: false });
  });

  it("must be that of the caller's pg-boss", async () => {
    const boss = await startBoss(owner, connectionString, fresh());
    const elsewhere = fresh();
    await expect(pgBossEngine({ runner, boss, schema: elsewhere })).rejects.toThrow(
      `the schema "${elsewhere}" has no tables of pg-boss`,
    );
    await boss.stop({ graceful: false });
  });
});

describe("the caller's pg-boss", () => {
  it("must be started", async () => {
    const place = { connectionString: "postgres://u:sesame@127.0.0.1:1/jobs" };
    for (const boss of [new PgBoss10(place), new PgBoss12(place)]) {
      await expect(pgBossEngine({ runner, boss })).rejects.toThrow(/start/i);
    }
  });

  it("must have a version that the engine knows", async () => {
    const method = (): void => {};
    const nine = { on: method, send: method, fetch: method, work: method };
    const ten = { ...nine, createQueue: method, getDb: method, purgeQueue: method };
    const eleven = { ...nine, createQueue: method, getDb: method, retry: method };
    for (const [boss, found] of [
      [nine, "9 or older"],
      [ten, "10.0 or 10.1"],
      [eleven, "11, or an early 12"],
    ] as const) {
      const opening = pgBossEngine({ runner, boss: boss as unknown as PgBossLike });
      await expect(opening).rejects.toThrow(
        `needs pg-boss >=10.4.2 <11 or >=12.35.0 <13, since it reads and writes the tables of these versions, got ${found}`,
      );
    }
  });

  it.each([
    [25, "11"],
    [46, "12"],
    [20, "9"],
  ])("is told whose tables of schema version %i are", async (version, owner) => {
    const executeSql = async (text: string): Promise<{ rows: object[] }> => ({
      rows: [text.includes("to_regclass") ? { name: "pgboss.version" } : { version }],
    });
    const method = (): void => {};
    const boss = {
      on: method,
      send: method,
      fetch: method,
      createQueue: method,
      purgeQueue: method,
      retry: method,
    };
    const ten = { ...boss, getDb: () => ({ executeSql }) };
    await expect(pgBossEngine({ runner, boss: ten as unknown as PgBossLike })).rejects.toThrow(
      `has the tables of pg-boss ${owner} (schema version ${version})`,
    );
    const twelve = { ...ten, touch: method };
    if (version === 25) {
      await expect(pgBossEngine({ runner, boss: twelve as unknown as PgBossLike })).rejects.toThrow(
        "got a version older than 12.35.0",
      );
    }
  });
});

describe("an embedded database", () => {
  it("says so, too, and can be opened again", async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "nidus-versions-"));
    await prepareEmbeddedFolder(dataDir);
    await (await openWith(10, { dataDir })).close();
    await expect(openWith(12, { dataDir })).rejects.toThrow(/which pg-boss 12 cannot use/);
    await (await openWith(12, { dataDir, schema: "pgboss_12" })).close();
    await expect(openWith(10, { dataDir, schema: "pgboss_12" })).rejects.toThrow(
      /which pg-boss 10 cannot use/,
    );
    await (await openWith(10, { dataDir })).close();
    await rm(dataDir, { recursive: true });
  });
});
