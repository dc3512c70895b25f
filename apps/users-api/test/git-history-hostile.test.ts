import { access, chmod, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { readHistory } from "../src/git-history.ts";
import { commitWithAuthorLine, createRepository, git, gitEnvironment } from "./support/git-repository.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";

beforeEach(() => {
  for (const [name, value] of Object.entries(gitEnvironment)) vi.stubEnv(name, value);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

/** A program that leaves a file behind when it runs. */
class Trap {
  readonly program: string;
  readonly #left: string;

  constructor(folder: string) {
    this.program = join(folder, "program");
    this.#left = join(folder, "left");
  }

  async set(): Promise<this> {
    await writeFile(this.program, `#!/bin/sh\ntouch '${this.#left}'\nexit 1\n`);
    await chmod(this.program, 0o755);
    return this;
  }

  /** Tells whether it has run since the last call. */
  async isSprung(): Promise<boolean> {
    const isSprung = await access(this.#left).then(
      () => true,
      () => false,
    );
    await rm(this.#left, { force: true });
    return isSprung;
  }
}

const newTrap = async (): Promise<Trap> => new Trap(await temporaryFolder()).set();

const signature = ["gpgsig -----BEGIN PGP SIGNATURE-----", " ", " none", " -----END PGP SIGNATURE-----"];

async function configure(repository: string, settings: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, value] of Object.entries(settings)) await git(repository, ["config", name, value]);
}

/** The settings of git that name programs, each with this one. */
function everyProgram(program: string): Record<string, string> {
  const names = ["core.fsmonitor", "core.pager", "core.sshCommand", "core.askPass", "core.editor"];
  names.push(
    "core.alternateRefsCommand",
    "core.gitProxy",
    "credential.helper",
    "pager.log",
    "pager.rev-parse",
    "pager.rev-list",
  );
  names.push("gpg.program", "gpg.openpgp.program", "gpg.ssh.program", "gpg.x509.program", "diff.external");
  names.push("diff.trap.command", "diff.trap.textconv", "filter.trap.clean", "filter.trap.smudge");
  return Object.fromEntries(names.map((name) => [name, program]));
}

test("no program of a repository's configuration is run, not even of an included file", async () => {
  const [repository, trap] = [await createRepository([{ message: "first" }]), await newTrap()];
  await commitWithAuthorLine(
    repository,
    "Ada <ada@example.com> 1704110400 +0000",
    "signed",
    signature.join("\n"),
  );
  await writeFile(join(repository, ".git", "info", "attributes"), "* diff=trap filter=trap\n");
  for (const hook of ["reference-transaction", "post-index-change", "fsmonitor-watchman"]) {
    await writeFile(join(repository, ".git", "hooks", hook), `#!/bin/sh\n'${trap.program}'\n`, {
      mode: 0o755,
    });
  }
  await configure(repository, { "include.path": "more", "alias.log": `!${trap.program}` });
  await configure(repository, {
    "alias.rev-parse": `!${trap.program}`,
    "alias.rev-list": `!${trap.program}`,
  });
  const more = {
    ...everyProgram(trap.program),
    "log.showSignature": "true",
    "log.diffMerges": "first-parent",
  };
  for (const [name, value] of Object.entries(more)) {
    await git(repository, ["config", "--file", join(repository, ".git", "more"), name, value]);
  }

  await git(repository, ["log", "-1"]).catch(() => {});
  expect(await trap.isSprung(), "git itself heeds it").toBe(true);
  expect((await readHistory(repository)).map(({ subject }) => subject)).toEqual(["signed"]);
  expect(await trap.isSprung()).toBe(false);
});

test.each<[what: string, remote: (program: string) => Record<string, string>]>([
  ["an address that is a program", (program) => ({ "remote.origin.url": `ext::${program}` })],
  [
    "a program that packs what a folder has",
    (program) => ({ "remote.origin.url": "/", "remote.origin.uploadpack": program }),
  ],
  [
    "a program in place of ssh",
    (program) => ({ "remote.origin.url": "ssh://127.0.0.1/a", "core.sshCommand": program }),
  ],
])("objects that a partial clone lacks are not fetched by %s", async (_what, remote) => {
  const [repository, trap] = [
    await createRepository([{ message: "first" }, { message: "second" }]),
    await newTrap(),
  ];
  const first = (await git(repository, ["rev-parse", "HEAD~1"])).trim();
  await rm(join(repository, ".git", "objects", first.slice(0, 2), first.slice(2)), { force: true });
  await configure(repository, {
    "core.repositoryFormatVersion": "1",
    "extensions.partialClone": "origin",
    "remote.origin.promisor": "true",
    "protocol.allow": "always",
    ...remote(trap.program),
  });

  await git(repository, ["log"]).catch(() => {});
  expect(await trap.isSprung(), "git itself fetches it").toBe(true);
  await expect(readHistory(repository)).rejects.toThrow(repository);
  expect(await trap.isSprung()).toBe(false);
});

test("commits are the original ones, not their replacements", async () => {
  const repository = await createRepository([{ message: "first" }, { message: "second" }]);
  await git(repository, ["replace", "HEAD", "HEAD~1"]);
  expect(await git(repository, ["log", "--format=%s"])).toBe("first\n");
  expect((await readHistory(repository)).map(({ subject }) => subject)).toEqual(["second", "first"]);
});
