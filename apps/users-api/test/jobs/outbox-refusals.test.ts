import { expect, test } from "vitest";
import { Outbox } from "../../src/jobs/outbox.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

async function refusalOf(folder: string, smtpUrl: string): Promise<string> {
  try {
    new Outbox(folder, smtpUrl);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    expect(error.message).not.toMatch(/[\r\n]/);
    return error.message;
  }
  throw new Error("it was not refused");
}

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
