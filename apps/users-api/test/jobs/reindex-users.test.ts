import { readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Commit } from "../../src/git-history.ts";
import { reindexUsers } from "../../src/jobs/reindex-users.ts";
import { commitOf } from "../support/digests.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const { signal } = new AbortController();

async function indexOf(commits: readonly Commit[]): Promise<{ count: number; users: unknown }> {
  const folder = await temporaryFolder();
  const count = await reindexUsers(commits, folder).run(signal);
  return { count, users: JSON.parse(await readFile(join(folder, "users.json"), "utf8")) };
}

test("users are the authors, by address in lower case, with the name used last and the number of their commits", async () => {
  const { count, users } = await indexOf([
    commitOf({ authorEmail: "grace@example.com", authorName: "Grace Hopper" }),
    commitOf({ authorEmail: "ADA@example.com", authorName: "Ada King" }),
    commitOf({ authorEmail: "ada@example.com", authorName: "Ada" }),
    commitOf({ authorEmail: "Ada@Example.com", authorName: "Ada" }),
  ]);
  expect(count).toBe(2);
  expect(users).toEqual([
    { email: "ada@example.com", name: "Ada King", commits: 3 },
    { email: "grace@example.com", name: "Grace Hopper", commits: 1 },
  ]);
});

test("users are sorted by commits, and then in the order of the history", async () => {
  const emails = ["a@example.com", "b@example.com", "c@example.com", "c@example.com"];
  const { users } = await indexOf(emails.map((authorEmail) => commitOf({ authorEmail })));
  expect(users).toMatchObject([
    { email: "c@example.com" },
    { email: "a@example.com" },
    { email: "b@example.com" },
  ]);
});

test("an unusable or empty address is a user, too", async () => {
  const emails = ["", "__proto__", "root@localhost"];
  const { count, users } = await indexOf(emails.map((authorEmail) => commitOf({ authorEmail })));
  expect(count).toBe(3);
  expect(users).toMatchObject(emails.map((email) => ({ email, commits: 1 })));
});

test("no commits make an empty index", async () => {
  expect(await indexOf([])).toEqual({ count: 0, users: [] });
});

test("only its owner can read it, and a link in its place is not followed", async () => {
  const [folder, theirs] = [await temporaryFolder(), join(await temporaryFolder(), "theirs")];
  await writeFile(theirs, "theirs");
  await symlink(theirs, join(folder, "users.json"));
  await reindexUsers([commitOf()], folder).run(signal);
  expect(await readFile(theirs, "utf8")).toBe("theirs");
  expect((await stat(join(folder, "users.json"))).mode & 0o777).toBe(0o600);
  expect(await readdir(folder)).toEqual(["users.json"]);
});

test("running again replaces the index", async () => {
  const folder = await temporaryFolder();
  await reindexUsers([commitOf(), commitOf({ authorEmail: "grace@example.com" })], folder).run(signal);
  expect(await reindexUsers([commitOf()], folder).run(signal)).toBe(1);
  expect(JSON.parse(await readFile(join(folder, "users.json"), "utf8"))).toHaveLength(1);
});

test("a folder that is missing makes the job fail", async () => {
  const folder = join(await temporaryFolder(), "missing");
  await expect(reindexUsers([commitOf()], folder).run(signal)).rejects.toThrow(/ENOENT/);
});
