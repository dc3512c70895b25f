import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { EngineUnavailableError } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import pg from "pg";
import { sharedPostgres } from "test-servers";
import { afterAll, describe, expect, it } from "vitest";
import { type PgBossEngineOptions, pgBossEngine } from "../../src/index.ts";
import { startAnswering, startRefusing } from "../support/answering-server.ts";

const runner = new ObservedJobRunner();
const postgres = await sharedPostgres();
const connectionString = postgres?.url ?? "";
afterAll(() => postgres?.stop());

const id = (): string => crypto.randomUUID().replaceAll("-", "").slice(0, 20);

/** Returns the error with which an engine does not open. Checks that it never holds the password. */
async function errorOf(options: object): Promise<Error & { readonly code?: unknown }> {
  const opening = pgBossEngine({ runner, onError: () => {}, ...options } as unknown as PgBossEngineOptions);
  const error = await opening.then(
    () => expect.fail("it opened"),
    (thrown: Error) => thrown,
  );
  expect(inspect(error, { depth: null, showHidden: true })).not.toContain("sesame");
  return error;
}

describe("the error about a server that does not connect", () => {
  it.each([
    ["57P03", "the database system is starting up"],
    ["57P03", "the database system is not yet accepting connections"],
    ["57P01", "terminating connection due to administrator command"],
    ["57P02", "terminating connection because of crash of another server process"],
    ["53300", "sorry, too many clients already"],
    ["08006", "connection failure"],
  ])("%s counts as out of reach: %s", async (code, message) => {
    await using server = await startRefusing(code, message);
    const error = await errorOf({ connectionString: `postgres://u:sesame@127.0.0.1:${server.port}/jobs` });
    expect(EngineUnavailableError.isInstance(error)).toBe(true);
    expect(error.message).toBe(`PostgreSQL at 127.0.0.1:${server.port}/jobs is unreachable (${message})`);
  });

  it.each([
    ["3D000", 'database "jobs" does not exist', ": $"],
    ["28P01", 'password authentication failed for user "u"', " refuses the user or the password ($)"],
    ["28000", 'no pg_hba.conf entry for host "127.0.0.1"', " refuses the user or the password ($)"],
    ["42501", 'permission denied for database "jobs"', ": $"],
    ["57014", "canceling statement due to statement timeout", ": $"],
    ["XX000", `${"long words, whole. ".repeat(20)}`, ": $"],
  ])("%s keeps its own words and its code: %s", async (code, message, expected) => {
    await using server = await startRefusing(code, message);
    const error = await errorOf({ connectionString: `postgres://u:sesame@127.0.0.1:${server.port}/jobs` });
    expect(EngineUnavailableError.isInstance(error)).toBe(false);
    expect(error.message).toBe(
      `PostgreSQL at 127.0.0.1:${server.port}/jobs${expected.replace("$", message)}`,
    );
    expect(error.code).toBe(code);
  });

  it.each(["ends the connection", "says nothing"])("a server that %s is unreachable", async (what) => {
    await using server = await startAnswering((socket) => what === "says nothing" || socket.destroy());
    const error = await errorOf({ connectionString: `postgres://u:sesame@127.0.0.1:${server.port}/jobs` });
    expect(EngineUnavailableError.isInstance(error)).toBe(true);
  });

  it("shows no message about a connection string that may have its password anywhere", async () => {
    await using server = await startRefusing("3D000", 'database "sesame@127.0.0.1:1/jobs" does not exist');
    for (const string of [
      `postgres://127.0.0.1:${server.port}/sesame@127.0.0.1:1/jobs`,
      `postgres://u:p@127.0.0.1:${server.port}/jobs#sesame@127.0.0.1`,
      `postgres://u@127.0.0.1:${server.port}/jobs?x=open@sesame`,
    ]) {
      const error = await errorOf({ connectionString: string });
      expect(error.message).toContain("PostgreSQL at the given connection string: 3D000");
    }
    expect((await errorOf({ connectionString: "host=127.0.0.1 password=sesame port=1" })).message).toContain(
      "percent-encode",
    );
  });

  it.each(["p#sesame@127.0.0.1:1/jobs", "sesame@127.0.0.1:port/jobs", "sesame/x@127.0.0.1:1/jobs"])(
    "refuses a connection string that no URL can be: postgres://u:%s",
    async (rest) => {
      const error = await errorOf({ connectionString: `postgres://u:${rest}` });
      expect(error).toBeInstanceOf(TypeError);
      expect(error.message).toMatch(/`connectionString` to be a PostgreSQL URL.*percent-encode/);
    },
  );

  it("says that a socket's file does not exist", async () => {
    const folder = await mkdtemp(join(tmpdir(), "nidus-socket-"));
    const error = await errorOf({ connectionString: `postgres://u:sesame@/jobs?host=${folder}` });
    expect(EngineUnavailableError.isInstance(error)).toBe(true);
  });
});

describe.skipIf(postgres === undefined)("the error about an unusable database", () => {
  /** Does something as the superuser, and resolves to the connection string of a role without rights. */
  async function asRole(...statements: string[]): Promise<string> {
    const role = `role_${id()}`;
    const client = new pg.Client({ connectionString });
    await client.connect();
    await client.query(`CREATE ROLE ${role} LOGIN PASSWORD 'sesame'`);
    for (const statement of statements) await client.query(statement.replaceAll("$role", role));
    await client.end();
    return Object.assign(new URL(connectionString), { username: role, password: "sesame" }).href;
  }

  it("a missing database", async () => {
    const url = Object.assign(new URL(connectionString), { pathname: "/nowhere" }).href;
    const error = await errorOf({ connectionString: url });
    expect(error.message).toMatch(/: database "nowhere" does not exist$/);
    expect(error).toMatchObject({ code: "3D000" });
  });

  it("no right to make the schema", async () => {
    const error = await errorOf({ connectionString: await asRole(), schema: `schema_${id()}` });
    expect(error.message).toMatch(/: permission denied for database /);
    expect(error.code).toBe("42501");
  });

  it("a schema that belongs to another user", async () => {
    const schema = `schema_${id()}`;
    const url = await asRole(`CREATE SCHEMA ${schema}`, `CREATE TABLE ${schema}.version (version int)`);
    const error = await errorOf({ connectionString: url, schema });
    expect(error.message).toContain(`permission denied for schema ${schema}`);
    expect(error.code).toBe("42501");
  });
});

describe("options of an engine", () => {
  const place = { connectionString: "postgres://u:sesame@127.0.0.1:1/jobs" };

  it.each([
    [{ ...place, maxConnection: 3 }, /unknown option "maxConnection".*`maxConnections`/],
    [{ ...place, host: "sesame" }, /unknown option "host"/],
    [{ ...place, ssl: { key: "sesame" } }, /unknown option "ssl"/],
    [{ ...place, password: "sesame" }, /unknown option "password"/],
    [{ ...place, dataDir: "sesame" }, /one of .*, got `dataDir` and `connectionString`/],
    [{ dataDir: "postgres://u:sesame@127.0.0.1/jobs" }, /`dataDir` to be a folder, got a URL/],
    [{ dataDir: "jobs", maxConnections: 3 }, /`maxConnections` needs `connectionString`/],
    [{ dataDir: "jobs", upkeep: false }, /`upkeep` needs `connectionString`/],
    [{ ...place, upkeep: "no" }, /`upkeep` to be a boolean, got "no"/],
    [{ ...place, maxConnections: 0 }, /`maxConnections` to be a whole number from 1/],
    [{ ...place, maxConnections: 1.5 }, /`maxConnections`/],
    [{ ...place, maxConnections: "3" }, /`maxConnections`/],
    [{ ...place, schema: null }, /`schema`.*got null/],
    [{ ...place, schema: place.connectionString }, /`schema`.*got string/],
    [{ ...place, schema: "pg_jobs" }, /`schema`/],
    [{ ...place, schema: "Jobs" }, /`schema`/],
    [{ ...place, schema: "j".repeat(51) }, /`schema`/],
    [{ ...place, leaseMs: 86_400_001 }, /`leaseMs` to be a whole number from 1000 to 86400000/],
    [{ ...place, pollIntervalMs: 2 ** 31 }, /`pollIntervalMs`/],
    [{ ...place, retainSucceededMs: Number.MAX_SAFE_INTEGER }, /`retainSucceededMs`/],
    [{ ...place, retainDeadLettersMs: 0 }, /`retainDeadLettersMs`/],
  ])("are refused before anything is opened (%#)", async (options, message) => {
    expect((await errorOf(options)).message).toMatch(message);
    expect((await errorOf(options)).name).toMatch(/^(TypeError|RangeError)$/);
  });
});
