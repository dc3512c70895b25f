import { describe, expect, it } from "vitest";
import type { SqlDatabase } from "../../src/database/pg-boss-like.ts";
import { preparedDatabase } from "../../src/database/prepared-database.ts";

interface Call {
  readonly name: string | undefined;
  readonly text: string;
  readonly values: unknown;
}

/** Makes a database that notes what it is asked, and refuses prepared statements from the call of that number on. */
function notingDatabase(code: string, refusesFrom: number): { calls: Call[]; db: SqlDatabase } {
  const calls: Call[] = [];
  const db: SqlDatabase = {
    async executeSql(query: string | { name: string; text: string }, values) {
      const { name, text } = typeof query === "string" ? { name: undefined, text: query } : query;
      calls.push({ name, text, values });
      if (name !== undefined && calls.length > refusesFrom)
        throw Object.assign(new Error("refused"), { code });
      return { rows: [{ text }] };
    },
  };
  return { calls, db };
}

describe("a database that prepares statements", () => {
  it("gives each text a name of its own, in every process", async () => {
    const { calls, db } = notingDatabase("26000", Number.POSITIVE_INFINITY);
    for (const process of [preparedDatabase(db), preparedDatabase(db)]) {
      for (const text of ["SELECT 1", "SELECT 2", "SELECT 1"]) await process.executeSql(text, [text]);
    }
    const names = calls.map(({ name }) => name);
    expect(names.slice(0, 3)).toEqual(names.slice(3));
    expect(names[0]).toBe(names[2]);
    expect(names[0]).not.toBe(names[1]);
    // PostgreSQL cuts longer names off.
    expect(names.every((name) => name !== undefined && name.length < 64)).toBe(true);
  });

  it.each(["26000", "42P05"])(
    "runs statements unprepared after an error %s, which it does not tell",
    async (code) => {
      const { calls, db } = notingDatabase(code, 1);
      const prepared = preparedDatabase(db);
      for (const text of ["first", "second", "third"]) {
        expect(await prepared.executeSql(text, [1])).toEqual({ rows: [{ text }] });
      }
      expect(calls.map(({ name, text }) => [name !== undefined, text])).toEqual([
        [true, "first"],
        [true, "second"],
        [false, "second"],
        [false, "third"],
      ]);
      expect(calls.every(({ values }) => Array.isArray(values) && values[0] === 1)).toBe(true);
    },
  );

  it("tells other errors, and goes on to prepare", async () => {
    const { calls, db } = notingDatabase("23505", 0);
    const prepared = preparedDatabase(db);
    await expect(prepared.executeSql("first")).rejects.toMatchObject({ code: "23505" });
    await expect(prepared.executeSql("first")).rejects.toMatchObject({ code: "23505" });
    expect(calls.map(({ name }) => name !== undefined)).toEqual([true, true]);
  });
});
