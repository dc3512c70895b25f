import { EngineUnavailableError } from "@nidus/jobs-durable";
import { ObservedJobRunner, type OpenedEngineContext } from "@nidus/jobs-observe";
import pg from "pg";
import PgBoss10 from "pg-boss";
import PgBoss9 from "pg-boss-9";
import { PgBoss as PgBoss12 } from "pg-boss-12";
import { sharedPostgres } from "test-servers";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { observePgBossQueues, type PgBossQueuesLike } from "../../src/index.ts";

const postgres = await sharedPostgres();
const connectionString = postgres?.url ?? "";

afterAll(() => postgres?.stop());

/** The calls that these tests need of every version. */
interface Boss extends PgBossQueuesLike {
  on(event: "stopped" | "error", handler: () => void): unknown;
  start(): Promise<unknown>;
  stop(options: { graceful: boolean; timeout?: number }): Promise<unknown>;
  send(name: string, data: object, options: object): Promise<string | null>;
  fetch(name: string): Promise<unknown>;
  fail(...of: unknown[]): Promise<unknown>;
  createQueue?(name: string): Promise<unknown>;
}

const versions: Readonly<Record<number, (options: object) => Boss>> = {
  9: (options) => new PgBoss9(options as never) as never,
  10: (options) => new PgBoss10(options as never) as never,
  12: (options) => new PgBoss12(options as never) as never,
};

/** Observes queues. Returns how their runner reads them. */
function read(boss: Boss, names: readonly string[], schema: string): OpenedEngineContext {
  const opened: OpenedEngineContext[] = [];
  const runner = new ObservedJobRunner({ onEngineOpened: (context) => void opened.push(context) });
  observePgBossQueues(runner, boss, names, { schema });
  return opened[0] as OpenedEngineContext;
}

for (const [version, create] of Object.entries(versions)) {
  describe.skipIf(postgres === undefined)(`observePgBossQueues on pg-boss ${version}`, () => {
    const schema = `bare_${version}`;
    const boss = create({ connectionString, schema, max: 3 });
    boss.on("error", () => {});
    beforeAll(async () => void (await boss.start()));
    afterAll(() => boss.stop({ graceful: false }));

    it("counts jobs that could run, and says since when", async () => {
      for (const name of ["mails", "idle"]) await boss.createQueue?.(name);
      const store = read(boss, ["mails", "idle"], schema);
      const beforeMs = Date.now();
      await boss.send("mails", {}, { startAfter: new Date(beforeMs - 60_000) });
      await boss.send("mails", {}, {});
      await boss.send("mails", {}, { startAfter: 3_600 });
      const backlog = Object.fromEntries((await store.backlog())?.map((each) => [each.jobName, each]) ?? []);
      expect(backlog.mails?.waiting).toBe(2);
      expect(backlog.mails?.oldestWaitingAt).toEqual(new Date(beforeMs - 60_000));
      expect(backlog.idle).toEqual({ jobName: "idle", waiting: 0, oldestWaitingAt: undefined });
    });

    it("counts also if the application has changed the parsers of pg", async () => {
      await boss.createQueue?.("parsed");
      await boss.send("parsed", {}, {});
      const changed: readonly [type: number, parse: (text: string) => unknown][] = [
        [1184, (text) => text],
        [23, (text) => BigInt(text)],
        [701, (text) => text],
      ];
      for (const [type, parse] of changed) {
        const before = pg.types.getTypeParser(type);
        pg.types.setTypeParser(type, parse);
        onTestFinished(() => pg.types.setTypeParser(type, before));
      }
      const [backlog] = (await read(boss, ["parsed"], schema).backlog()) ?? [];
      expect(backlog).toEqual({ jobName: "parsed", waiting: 1, oldestWaitingAt: expect.any(Date) });
      expect(Math.abs(Number(backlog?.oldestWaitingAt) - Date.now())).toBeLessThan(60_000);
    });

    it("counts failed jobs, and says since when", async () => {
      await boss.createQueue?.("failing");
      const store = read(boss, ["failing"], schema);
      expect(await store.deadLetters?.()).toEqual([{ jobName: "failing", count: 0, oldestAt: undefined }]);
      await boss.send("failing", {}, { retryLimit: 0 });
      const [job] = [await boss.fetch("failing")].flat() as { id: string }[];
      const id = job?.id as string;
      await (version === "9" ? boss.fail(id) : boss.fail("failing", id));
      const [letters] = (await store.deadLetters?.()) ?? [];
      expect(letters?.count).toBe(1);
      expect(Math.abs(Number(letters?.oldestAt) - Date.now())).toBeLessThan(60_000);
      expect(await store.backlog()).toMatchObject([{ jobName: "failing", waiting: 0 }]);
    });

    it("says that PostgreSQL answers", async () => {
      const store = read(boss, ["mails"], schema);
      expect(store.engine).toBe("pg-boss");
      expect(await store.health?.()).toMatchObject({ engine: "pg-boss", isReachable: true, workers: [] });
    });

    it("has nothing to read once pg-boss has stopped", async () => {
      const stopping = create({ connectionString, schema, max: 2 });
      stopping.on("error", () => {});
      const store = read(stopping, ["mails"], schema);
      await stopping.start();
      expect(await store.backlog()).toHaveLength(1);
      await stopping.stop({ graceful: false, timeout: 1_000 });
      await expect.poll(() => store.backlog()).toBeUndefined();
      expect(await store.deadLetters?.()).toBeUndefined();
      expect(await store.health?.()).toBeUndefined();
    });

    it("does not wait for a PostgreSQL that does not answer", async () => {
      const executeSql = (): Promise<never> => new Promise(() => {});
      const silent = { on: () => {}, db: { executeSql }, ...(version !== "9" && { getDb: () => silent.db }) };
      const store = read(silent as never, ["mails"], schema);
      await expect(store.backlog()).rejects.toThrow(EngineUnavailableError);
      expect(await store.health?.()).toMatchObject({ isReachable: false });
    });
  });
}

describe("observePgBossQueues", () => {
  it("refuses what is no pg-boss, no names, and no schema", () => {
    const runner = new ObservedJobRunner();
    const boss = { on: () => {} };
    expect(() => observePgBossQueues(runner, undefined as never, ["mails"])).toThrow(
      "expected `boss` to be a PgBoss",
    );
    expect(() => observePgBossQueues(runner, boss, "mails" as never)).toThrow(
      'expected `names` to be an array of names of queues, got "mails"',
    );
    expect(() => observePgBossQueues(runner, boss, [])).toThrow(TypeError);
    expect(() => observePgBossQueues(runner, boss, [""])).toThrow(TypeError);
    expect(() => observePgBossQueues(runner, boss, ["mails"], { schema: "a; DROP" })).toThrow(/`schema`/);
    expect(() => observePgBossQueues(runner, boss, ["mails"], { scheme: "a" } as never)).toThrow(
      'unknown option "scheme" in the options of observePgBossQueues: expected `schema`',
    );
  });
});
