import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Registers a function that runs when a test has ended. */
export type OnFinished = (cleanUp: () => Promise<void>) => void;

/** Creates an empty folder. The end of the test removes it. */
export async function temporaryFolder(onFinished: OnFinished): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "nidus-crash-"));
  onFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}
