import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openOutbox } from "../src/outbox.ts";
import { UserError } from "../src/user-error.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";

async function refusalOf(folder: string, smtpUrl?: string): Promise<string> {
  const error: unknown = await openOutbox(folder, smtpUrl).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof UserError)) throw new Error("it was not refused with a UserError", { cause: error });
  expect(error.message).not.toMatch(/[\r\n]/);
  return error.message;
}

test("a file in place of the folder or a parent is refused in one line that names the folder", async () => {
  const file = join(await temporaryFolder(), "file");
  await writeFile(file, "");
  expect(await refusalOf(file)).toBe(`cannot write to ${file} (EEXIST)`);
  expect(await refusalOf(join(file, "below"))).toBe(`cannot write to ${join(file, "below")} (ENOTDIR)`);
});

test.runIf(process.platform === "linux")(
  "a place that accepts no folders is refused in one line that names it",
  async () => {
    expect(await refusalOf("/proc/users-api-test")).toMatch(
      /^cannot write to \/proc\/users-api-test \(E[A-Z]+\)$/,
    );
  },
);

// Root can write everywhere.
test.skipIf(process.getuid?.() === 0)("a folder without permission to write is refused", async () => {
  const folder = join(await temporaryFolder(), "closed");
  await mkdir(folder);
  await chmod(folder, 0o500);
  expect(await refusalOf(folder)).toBe(`cannot write to ${folder} (EACCES)`);
});

test.each(["nonsense", "http://127.0.0.1:25", "127.0.0.1:25", ""])(
  "the SMTP_URL %j is refused",
  async (url) => {
    expect(await refusalOf(await temporaryFolder(), url)).toMatch(
      /^SMTP_URL is expected to be a URL such as smtp:/,
    );
  },
);

test("a refused SMTP_URL does not show in the message: it may hold a password", async () => {
  expect(await refusalOf(await temporaryFolder(), "http://user:secret@example.com")).not.toContain("secret");
});
