import { createHash, randomUUID } from "node:crypto";
import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { DigestPayload } from "./digest-payload.ts";

/** An unfinished run of all digests: the facts that the next process needs to continue it. */
export interface UnfinishedRun {
  /** Begins the idempotency keys of its jobs. Enqueuing them again stores only the missing ones. */
  readonly runId: string;
  /** A hash of all its digests. Another commit changes them, and so begins another run. */
  readonly digestsHash: string;
}

/** Records in a folder which run is under way. The record exists from before the first enqueue until no job is left. */
export class RunFile {
  readonly #path: string;

  constructor(folder: string) {
    this.#path = join(folder, "run.json");
  }

  /** Returns the run under way, if there is one. An unreadable file counts as none. */
  async read(): Promise<UnfinishedRun | undefined> {
    try {
      const noted = JSON.parse(await readFile(this.#path, "utf8")) as Partial<UnfinishedRun> | null;
      const { runId, digestsHash } = noted ?? {};
      return typeof runId === "string" && typeof digestsHash === "string"
        ? { runId, digestsHash }
        : undefined;
    } catch (error) {
      if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === "ENOENT")
        return undefined;
      throw error;
    }
  }

  /**
   * Records a new run in place of the previous one. Resolves to the new run, or to the run of another process that was
   * faster.
   */
  async begin(digestsHash: string, previous: UnfinishedRun | undefined): Promise<UnfinishedRun> {
    const run = { runId: randomUUID(), digestsHash };
    const draft = `${this.#path}.${run.runId}`;
    await writeFile(draft, `${JSON.stringify(run)}\n`, { flag: "wx", mode: 0o600 });
    try {
      if (previous !== undefined) await this.finish(previous);
      // Unlike a rename, a link never replaces an existing file.
      await link(draft, this.#path);
      return run;
    } catch (error) {
      const other = (error as NodeJS.ErrnoException).code === "EEXIST" ? await this.read() : undefined;
      if (other?.digestsHash === digestsHash) return other;
      // The file does not describe a run that could be continued.
      await rename(draft, this.#path);
      return run;
    } finally {
      await rm(draft, { force: true });
    }
  }

  /** Removes the record of a run, unless another run has replaced it. */
  async finish({ runId }: UnfinishedRun): Promise<void> {
    if ((await this.read())?.runId === runId) await rm(this.#path, { force: true });
  }
}

/** Returns a hash of the digests and their order. */
export function hashOf(payloads: readonly DigestPayload[]): string {
  const hash = createHash("sha256");
  for (const payload of payloads) hash.update(`${JSON.stringify(payload)}\n`);
  return hash.digest("hex");
}
