import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { defineJob, EngineUnavailableError, UnsupportedError } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import PgBoss from "pg-boss";
import { prepareEmbeddedFolder, sharedPostgres } from "test-servers";
import { afterAll, describe, expect, it } from "vitest";
import { FolderInUseError, pgBossEngine } from "../src/index.ts";
import { openStore } from "./support/open-backend.ts";

const runner = new ObservedJobRunner();
const postgres = await sharedPostgres();
const connectionString = postgres?.url ?? "";

afterAll(() => postgres?.stop());

const fresh = (): string => `engine_${crypto.randomUUID().replaceAll("-", "")}`;

describe("pgBossEngine", () => {
  it.each([
    [{}, /`connectionString`/],
    [{ connectionString: "" }, /`connectionString`/],
    [{ dataDir: "" }, /`dataDir`/],
    [{ boss: {} }, /`boss`/],
    [{ connectionString: "x", schema: "no; DROP" }, /`schema`/],
    [{ connectionString: "x", leaseMs: 999 }, /`leaseMs`/],
    [{ connectionString: "x", pollIntervalMs: 0 }, /`pollIntervalMs`/],
    [{ connectionString: "x", retainSucceededMs: 0 }, /`retainSucceededMs`/],
    [{ connectionString: "x", runner: undefined }, /`runner`/],
    [{ connectionString: "x", answerWithinMs: 2 ** 31 }, /`answerWithinMs`/],
  ])("refuses %j before it connects", async (options, message) => {
    await expect(pgBossEngine({ runner, ...options } as never)).rejects.toThrow(message);
  });

  it.each([
    [
      { connectionString: new URL("postgres://u:sesame@h/db") },
      "`connectionString` to be a non-empty string, got object",
    ],
    [
      { connectionString: ["postgres://u:sesame@h/db"] },
      "`connectionString` to be a non-empty string, got object",
    ],
    [{ connectionString: "" }, "`connectionString` to be a non-empty string, got an empty string"],
    [{ connectionString: null }, "`connectionString` to be a non-empty string, got null"],
    [{ dataDir: new URL("postgres://u:sesame@h/db") }, "`dataDir` to be a non-empty string, got object"],
    [{ boss: "postgres://u:sesame@h/db" }, "`boss` to be a PgBoss, got string"],
    [{ boss: { connectionString: "postgres://u:sesame@h/db" } }, "`boss` to be a PgBoss, got object"],
  ])("tells only the type of a refused value that may hold a password (%#)", async (options, message) => {
    const error = await pgBossEngine({ runner, ...options } as never).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TypeError);
    expect(String(error)).toContain(message);
    expect(inspect(error, { depth: null, showHidden: true })).not.toContain("sesame");
  });

  it.each([
    "postgres://127.0.0.1:12/sesame@127.0.0.1:1/jobs",
    "postgres://127.0.0.1:12?sesame@127.0.0.1:1/jobs",
    "postgres://127.0.0.1:12#sesame@127.0.0.1:1/jobs",
    "postgres://nidus:open#sesame@127.0.0.1:1/jobs",
    "postgres://nidus:sesame@127.0.0.1:99999/jobs",
    "postgres://127.0.0.1:1/jobs?user=nidus&password=sesame",
  ])("never shows a misplaced password (%#)", async (connectionString) => {
    const opening = pgBossEngine({ runner, connectionString, onError: () => {} });
    const error = await opening.catch((thrown: unknown) => thrown);
    // A "#" in the password or such a port makes the text no URL.
    const isUrl = URL.canParse(connectionString);
    expect(isUrl ? EngineUnavailableError.isInstance(error) : error instanceof TypeError).toBe(true);
    expect(inspect(error, { depth: null, showHidden: true })).not.toMatch(/sesame|at 127\.0\.0\.1:12/);
  });

  it("names the unreachable server, and never the password", async () => {
    const opening = pgBossEngine({
      runner,
      connectionString: "postgres://nidus:open-sesame@127.0.0.1:1/jobs",
      onError: () => {},
    });
    const error = await opening.catch((thrown: unknown) => thrown);
    expect(EngineUnavailableError.isInstance(error)).toBe(true);
    expect(String(error)).toContain("127.0.0.1:1/jobs");
    expect(inspect(error, { depth: null, showHidden: true })).not.toContain("sesame");
  });
});

// Each test makes a database, which takes long on a busy machine.
describe("pgBossEngine in a folder", () => {
  it("keeps enqueued jobs in its folder, even without a clean end", async () => {
    const dataDir = join(await mkdtemp(join(tmpdir(), "nidus-engine-")), "jobs");
    const seen: unknown[] = [];
    const job = defineJob<number>({ name: "kept", run: (payload) => void seen.push(payload) });
    const first = await pgBossEngine({ runner, dataDir });
    await expect(pgBossEngine({ runner, dataDir })).rejects.toThrow(FolderInUseError);
    for (const made of [dataDir, join(dataDir, "postgres")]) {
      expect((await stat(made)).mode & 0o777, `${made} is for this user alone`).toBe(0o700);
    }
    await first.enqueue(job, 7);
    await first.close();
    const second = await pgBossEngine({ runner, dataDir });
    await second.work({ jobs: [job] });
    await expect.poll(() => seen).toEqual([7]);
    await second.close();
    await rm(dataDir, { recursive: true });
  });

  it("unlocks its folder if the engine cannot be made", async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "nidus-engine-"));
    await prepareEmbeddedFolder(dataDir);
    const hostile = Object.assign(new ObservedJobRunner(), {
      opened() {
        throw new Error("not this one");
      },
    });
    await expect(pgBossEngine({ runner: hostile, dataDir })).rejects.toThrow("not this one");
    const engine = await pgBossEngine({ runner, dataDir });
    await engine.close();
    await rm(dataDir, { recursive: true });
  });

  it("names missing capabilities, and refuses their calls", async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "nidus-engine-"));
    await prepareEmbeddedFolder(dataDir);
    const engine = await pgBossEngine({ runner, dataDir });
    const job = defineJob({ name: "refused", run() {} });
    expect(engine.capabilities).toMatchObject({ transactions: false, nullCharacters: false });
    const db = { executeSql: async () => ({ rows: [] }) };
    await expect(engine.enqueue(job, undefined, { db })).rejects.toThrow(UnsupportedError);
    expect((await engine.stats()).waiting).toBe(0);
    await engine.close();
    await rm(dataDir, { recursive: true });
  });
});

describe.skipIf(postgres === undefined)("pgBossEngine on a server", () => {
  it("forgets succeeded jobs and their keys when their retention is over", async () => {
    await using engine = await pgBossEngine({
      runner,
      connectionString,
      schema: fresh(),
      // Long enough to enqueue a job again before the retention is over.
      retainSucceededMs: 5_000,
      leaseMs: 1_000,
    });
    const job = defineJob<number>({ name: "kept_for_a_while", run() {} });
    const options = { idempotencyKey: "once" };
    await engine.enqueue(job, 1, options);
    await engine.work({ jobs: [job] });
    await expect.poll(async () => (await engine.stats()).succeeded).toBe(1);
    expect((await engine.enqueue(job, 2, options)).isDuplicate).toBe(true);
    await expect.poll(async () => (await engine.stats()).succeeded).toBe(0);
    expect((await engine.enqueue(job, 2, options)).isDuplicate).toBe(false);
  });

  it("keeps dead letters for their own time", async () => {
    await using engine = await pgBossEngine({
      runner,
      connectionString,
      schema: fresh(),
      // Long enough to enqueue a job again before the retention is over.
      retainSucceededMs: 5_000,
      leaseMs: 1_000,
    });
    const fails = defineJob({
      name: "fails",
      maxAttempts: 1,
      run() {
        throw new Error("always");
      },
    });
    const succeeds = defineJob({ name: "succeeds", run() {} });
    await engine.enqueue(fails, undefined);
    await engine.enqueue(succeeds, undefined);
    await engine.work({ jobs: [fails, succeeds] });
    const counts = async (): Promise<unknown> => {
      const { succeeded, deadLettered } = await engine.stats();
      return { succeeded, deadLettered };
    };
    await expect.poll(counts).toEqual({ succeeded: 1, deadLettered: 1 });
    await expect.poll(counts).toEqual({ succeeded: 0, deadLettered: 1 });
  });

  it("runs jobs of any shape that another program has sent to its queue", async () => {
    const schema = fresh();
    const boss = new PgBoss({ connectionString, schema });
    boss.on("error", () => {});
    await boss.start();
    await boss.createQueue("foreign");
    const seen: unknown[] = [];
    const job = defineJob<unknown>({ name: "foreign", run: (payload) => void seen.push(payload) });
    await boss.send("foreign", { payload: 1 });
    await boss.send("foreign", { another: "shape" });
    const engine = await pgBossEngine({ runner, boss, schema });
    await engine.work({ jobs: [job] });
    await expect.poll(() => seen).toEqual([1, undefined]);
    await engine.close();
    expect(await boss.getQueueSize("foreign"), "a pg-boss of the caller's goes on").toBe(0);
    await boss.stop({ graceful: false });
  });

  it("says that a server refuses the user", async () => {
    const stranger = connectionString.replace("nidus@", "stranger:open-sesame@");
    const error = await pgBossEngine({ runner, connectionString: stranger, onError: () => {} }).catch(String);
    expect(error).toMatch(/PostgreSQL at 127\.0\.0\.1:\d+\/\w+ refuses the user or the password/);
    expect(error).not.toContain("sesame");
  });

  it("cancels a running job whose worker dies before it reads the request", async () => {
    const store = await openStore(10, connectionString);
    const { schema } = store;
    const outcomes: string[] = [];
    const engine = await pgBossEngine({
      runner: new ObservedJobRunner({ onJobSettled: ({ outcome }) => void outcomes.push(outcome) }),
      connectionString,
      schema,
      leaseMs: 1_000,
    });
    let runs = 0;
    const job = defineJob<string>({ name: "cancelled", run: () => void runs++ });
    const { id } = await engine.enqueue(job, "payload");
    const dying = await store.backend(1).consumer(["cancelled"]);
    expect(await dying.fetch(1, AbortSignal.abort())).toHaveLength(1);
    expect(await engine.cancel(id)).toBe(true);
    await engine.work({ jobs: [job] });
    await expect.poll(() => outcomes).toEqual(["stalled", "cancelled"]);
    expect(runs).toBe(0);
    await engine.close();
    await store.close();
  });

  it("creates queues from several processes at a time", async () => {
    const schema = fresh();
    const engines = await Promise.all(
      [1, 2, 3].map(() => pgBossEngine({ runner, connectionString, schema, maxConnections: 3 })),
    );
    const jobs = Array.from({ length: 8 }, (_, index) => defineJob({ name: `queue_${index}`, run() {} }));
    await Promise.all(engines.flatMap((engine) => jobs.map((job) => engine.enqueue(job, undefined))));
    expect((await engines[0]?.stats())?.waiting).toBe(24);
    for (const engine of engines) await engine.close();
  });
});
