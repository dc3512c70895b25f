import { defineJob } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import pg from "pg";
import { sharedPostgres } from "test-servers";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { PgBossEngine } from "../../src/index.ts";
import { importOn } from "../support/on-pg-boss.ts";
import { startBoss, versions } from "../support/start-boss.ts";

const runner = new ObservedJobRunner();
const postgres = await sharedPostgres();
const connectionString = postgres?.url ?? "";
afterAll(() => postgres?.stop());

const fresh = (): string => `settings_${crypto.randomUUID().replaceAll("-", "")}`;

/** An engine that finds this major installed. */
async function open(major: 10 | 12, options: object): Promise<PgBossEngine> {
  const { pgBossEngine } = await importOn(major);
  return pgBossEngine({ runner, onError: () => {}, ...options } as never);
}

function errorOf(work: Promise<unknown>): Promise<Error> {
  return work.then(
    () => expect.fail("it opened"),
    (thrown: Error) => thrown,
  );
}

/** Parsers of `pg` as applications change them, by the numbers of types. */
const changed: Readonly<Record<string, readonly [type: number, parse: (text: string) => unknown]>> = {
  "timestamps as text": [1184, (text) => text],
  "timestamps as objects of a library": [1184, (text) => ({ toISO: () => text })],
  "integers as bigints": [23, (text) => BigInt(text)],
  "bigints as bigints": [20, (text) => BigInt(text)],
  "booleans as text": [16, (text) => text],
  "doubles as text": [701, (text) => text],
  "JSON as text": [3802, (text) => text],
};

/** Changes a parser until the test ends. */
function changeParser([type, parse]: readonly [number, (text: string) => unknown]): void {
  const before = pg.types.getTypeParser(type);
  pg.types.setTypeParser(type, parse);
  onTestFinished(() => pg.types.setTypeParser(type, before));
}

describe.skipIf(postgres === undefined).each(versions)("on pg-boss %i", (version) => {
  it.each(Object.keys(changed))("an engine works if the application reads %s", async (name) => {
    changeParser(changed[name] as (typeof changed)[string]);
    const engine = await open(version, { connectionString, schema: fresh() });
    onTestFinished(() => engine.close());
    const job = defineJob<number>({ name: "typed", run: (value) => value });
    // No run of the schedule comes due during the test.
    await engine.schedule(job, { everyMs: 60_000 }, 1, { startAt: new Date(Date.now() + 3_600_000) });
    await engine.work({ jobs: [job] });
    const { id } = await engine.enqueue(job, 2);
    expect(await engine.result(id)).toBe(2);
    expect((await engine.job(id))?.enqueuedAt.getTime()).toBeCloseTo(Date.now(), -6);
    expect((await engine.schedules())[0]?.nextRunAt).toBeInstanceOf(Date);
    expect(await engine.stats()).toMatchObject({ succeeded: 1, scheduled: 1 });
  });

  it.each(["timestamps as text", "integers as bigints", "booleans as text", "JSON as text"])(
    "an engine refuses a PgBoss that reads %s",
    async (name) => {
      const schema = fresh();
      const boss = await startBoss(version, connectionString, schema);
      onTestFinished(() => boss.stop({ graceful: false }));
      changeParser(changed[name] as (typeof changed)[string]);
      const error = await errorOf(open(version, { boss, schema }));
      expect(error).toMatchObject({ code: "NIDUS_POSTGRESQL_SETTINGS" });
      expect(error.message).toContain("`types.setTypeParser`");
    },
  );

  describe.each([
    ["DateStyle", "German", "DateStyle%3DISO", /to be "ISO", got "German, DMY"/],
    [
      "default_transaction_isolation",
      "serializable",
      "default_transaction_isolation%3Dread%5C%20committed",
      /to be "read committed", got "serializable"/,
    ],
  ])("with %s set to %s", (setting, value, option, message) => {
    const database = fresh();
    const url = (): string => Object.assign(new URL(connectionString), { pathname: `/${database}` }).href;
    let admin: pg.Client;

    beforeAll(async () => {
      admin = new pg.Client({ connectionString });
      await admin.connect();
      await admin.query(`CREATE DATABASE ${database}`);
      await admin.query(`ALTER DATABASE ${database} SET ${setting} = '${value}'`);
    });
    afterAll(async () => {
      await admin.query(`DROP DATABASE ${database} WITH (FORCE)`);
      await admin.end();
    });

    it("an engine refuses the server before it makes tables, and its advice works", async () => {
      const error = await errorOf(open(version, { connectionString: url() }));
      expect(error).toMatchObject({ code: "NIDUS_POSTGRESQL_SETTINGS" });
      expect(error.message).toMatch(message);
      const advised = /options=[^"]+/.exec(error.message)?.[0] ?? "";
      expect(advised).toContain(option);
      const engine = await open(version, { connectionString: `${url()}?${advised}` });
      onTestFinished(() => engine.close());
      const job = defineJob<number>({ name: "advised", run: (given) => given });
      await engine.work({ jobs: [job] });
      expect(await engine.result((await engine.enqueue(job, 3)).id)).toBe(3);
    });
  });
});
