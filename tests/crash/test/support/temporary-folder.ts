import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Called when a test is over, however it ended. */
export type OnFinished = (cleanUp: () => Promise<void>) => void;

/** A new empty folder that is removed when the test has finished. */
export async function temporaryFolder(onFinished: OnFinished): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "nidus-crash-"));
  onFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}
