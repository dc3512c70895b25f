import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { readHistory } from "../src/git-history.ts";
import { digestSchema, digestsOf } from "../src/jobs/digest.ts";
import {
  commitTo,
  commitWithAuthorLine,
  createRepository,
  git,
  gitEnvironment,
} from "./support/git-repository.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";

beforeEach(() => {
  for (const [name, value] of Object.entries(gitEnvironment)) vi.stubEnv(name, value);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

const subjectsIn = async (folder: string) => (await readHistory(folder)).map(({ subject }) => subject);

test("commits of several authors are read newest first, with hash, author, time and subject", async () => {
  const folder = await createRepository([
    { name: "Ada Lovelace", email: "ada@example.com", date: "2024-01-01T10:00:00+02:00", message: "first" },
    {
      name: "Grace Hopper",
      email: "Grace@Example.com",
      date: "2024-01-09T23:30:00-05:00",
      message: "second",
    },
  ]);
  const hashes = (await git(folder, ["rev-list", "HEAD"])).trim().split("\n");
  expect(await readHistory(folder)).toEqual([
    {
      hash: hashes[0],
      authorName: "Grace Hopper",
      authorEmail: "Grace@Example.com",
      authoredAt: "2024-01-10T04:30:00.000Z",
      subject: "second",
    },
    {
      hash: hashes[1],
      authorName: "Ada Lovelace",
      authorEmail: "ada@example.com",
      authoredAt: "2024-01-01T08:00:00.000Z",
      subject: "first",
    },
  ]);
});

test("the author is read, not the committer", async () => {
  const folder = await createRepository([{ name: "Ada", email: "ada@example.com" }]);
  const [commit] = await readHistory(folder);
  expect(commit).toMatchObject({ authorName: "Ada", authorEmail: "ada@example.com" });
});

test("names beyond ASCII are read unchanged", async () => {
  const names = ["Zoë Ångström", "高橋 優", "Олена Шевченко", "עדה", "Jo 👩‍💻 Smith", 'O\'Brien "Bob" Jr'];
  const folder = await createRepository(names.map((name) => ({ name, message: `by ${name}` })));
  const commits = await readHistory(folder);
  expect(commits.map(({ authorName }) => authorName)).toEqual(names.toReversed());
  expect(commits.map(({ subject }) => subject)).toEqual(names.map((name) => `by ${name}`).toReversed());
});

test("an address may be empty or no address at all", async () => {
  const folder = await createRepository([
    { email: "" },
    { email: "root@localhost" },
    { email: "not an address" },
  ]);
  expect((await readHistory(folder)).map(({ authorEmail }) => authorEmail)).toEqual([
    "not an address",
    "root@localhost",
    "",
  ]);
});

test("a subject is one line without the body, with any characters", async () => {
  const subjects = [
    `he said "don't", then \`left\``,
    "100%x00 %H %n \\0 \\n",
    "\u0001\u001e\u001f control, \ttab",
    "--format=oneline -z",
    "",
  ];
  const folder = await createRepository(
    subjects.map((subject) => ({ message: `${subject}\n\nbody\n\nmore body\n` })),
  );
  expect(await subjectsIn(folder)).toEqual(subjects.map((subject) => subject || "body").toReversed());
});

test("a subject over several lines is joined", async () => {
  const folder = await createRepository([{ message: "one\ntwo\nthree\n\nbody" }, { message: "" }]);
  expect(await subjectsIn(folder)).toEqual(["", "one two three"]);
});

test("the .mailmap decides on names and addresses", async () => {
  const folder = await createRepository([
    { name: "ada", email: "ada@old.example.com" },
    { name: "Ada L.", email: "ada@example.com" },
  ]);
  await writeFile(
    join(folder, ".mailmap"),
    "Ada Lovelace <ada@example.com> <ada@old.example.com>\nAda Lovelace <ada@example.com>\n",
  );
  const authors = (await readHistory(folder)).map(({ authorName, authorEmail }) => [authorName, authorEmail]);
  expect(authors).toEqual([
    ["Ada Lovelace", "ada@example.com"],
    ["Ada Lovelace", "ada@example.com"],
  ]);
});

test("a repository without commits has an empty history", async () => {
  expect(await readHistory(await createRepository([]))).toEqual([]);
});

test("a branch without commits has an empty history, even if others have commits", async () => {
  const folder = await createRepository([{ message: "elsewhere" }]);
  await git(folder, ["checkout", "--quiet", "--orphan", "fresh"]);
  expect(await readHistory(folder)).toEqual([]);
});

test("a shallow clone has the history that it has", async () => {
  const origin = await createRepository([{ message: "one" }, { message: "two" }, { message: "three" }]);
  const parent = await temporaryFolder();
  await git(parent, ["clone", "--quiet", "--depth", "1", pathToFileURL(origin).href, "clone"]);
  expect(await subjectsIn(join(parent, "clone"))).toEqual(["three"]);
});

test("a folder within a repository has the whole repository's history", async () => {
  const folder = await createRepository([{ message: "one" }, { message: "two" }]);
  const inner = join(folder, "a folder", "inner");
  await mkdir(inner, { recursive: true });
  expect(await subjectsIn(inner)).toEqual(["two", "one"]);
});

test("a bare repository is read too", async () => {
  const origin = await createRepository([{ message: "one" }]);
  const parent = await temporaryFolder();
  await git(parent, ["clone", "--quiet", "--bare", origin, "bare.git"]);
  expect(await subjectsIn(join(parent, "bare.git"))).toEqual(["one"]);
});

test("a detached HEAD has its history", async () => {
  const folder = await createRepository([{ message: "one" }, { message: "two" }]);
  await git(folder, ["checkout", "--quiet", "--detach", "HEAD~1"]);
  await git(folder, ["branch", "--quiet", "-D", "main"]);
  expect(await subjectsIn(folder)).toEqual(["one"]);
});

test("merged branches are part of the history", async () => {
  const folder = await createRepository([{ message: "one" }]);
  await git(folder, ["checkout", "--quiet", "-b", "side"]);
  await commitTo(folder, { message: "on the side", date: "2024-01-02T12:00:00Z" });
  await git(folder, ["checkout", "--quiet", "main"]);
  await git(folder, ["merge", "--quiet", "--no-ff", "-m", "merge", "side"], {
    env: { GIT_AUTHOR_NAME: "Ada", GIT_AUTHOR_EMAIL: "ada@example.com" },
  });
  expect(await subjectsIn(folder)).toEqual(["merge", "on the side", "one"]);
});

test("a file named HEAD does not hide the history", async () => {
  const folder = await createRepository([{ message: "one" }]);
  await writeFile(join(folder, "HEAD"), "a file\n");
  expect(await subjectsIn(folder)).toEqual(["one"]);
});

test.each([
  ["i18n.logOutputEncoding", "ISO-8859-1"],
  ["log.showSignature", "true"],
  ["log.date", "relative"],
  ["color.ui", "always"],
])("the repository's own setting %s=%s does not change what is read", async (name, value) => {
  const folder = await createRepository([]);
  const signature = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----";
  await commitWithAuthorLine(folder, "Zoë <zoe@example.com> 1704110400 +0000", "Ångström", signature);
  await git(folder, ["config", name, value]);
  expect(await readHistory(folder)).toMatchObject([{ authorName: "Zoë", subject: "Ångström" }]);
});

test("the named repository is read, even within a git hook whose GIT_DIR names another", async () => {
  const folder = await createRepository([{ message: "named" }]);
  const other = await createRepository([{ message: "other" }]);
  vi.stubEnv("GIT_DIR", join(other, ".git"));
  expect(await subjectsIn(folder)).toEqual(["named"]);
});

test.each([
  ["a time zone that is none", "Ada <ada@example.com> 1304980434 +51800"],
  ["no time", "Ada <ada@example.com>"],
  ["a year beyond 9999", "Ada <ada@example.com> 253402300800 +0000"],
  ["a time beyond all dates", "Ada <ada@example.com> 99999999999999999 +0000"],
])("every commit has a time that a digest takes, even if its author line has %s", async (_, line) => {
  const folder = await createRepository([]);
  await commitWithAuthorLine(folder, line);
  const digests = digestsOf(await readHistory(folder));
  expect(digests).toMatchObject([{ day: expect.stringMatching(/^\d{4}-\d\d-\d\d$/), commits: [{}] }]);
  expect(digestSchema.parse(digests[0])).toEqual(digests[0]);
});

test("very long texts are cut, but never in the middle of a character", async () => {
  const subjects = ["x".repeat(1_000), "x".repeat(1_001), `${"x".repeat(998)}😀😀`];
  const folder = await createRepository(subjects.map((message) => ({ message })));
  const cut = `${"x".repeat(998)}…`;
  expect(await subjectsIn(folder)).toEqual([cut, `${"x".repeat(999)}…`, "x".repeat(1_000)]);
});
