import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { engineContract } from "@nidus/jobs-testkit/contracts";
import { journalEngine } from "../src/index.ts";

const folder = mkdtempSync(join(tmpdir(), "journal-"));
after(() => rmSync(folder, { recursive: true }));

// The tests wait more than they work, so they wait at the same time.
describe("journalEngine", { concurrency: 16 }, () => {
  engineContract({
    test,
    createEngine: ({ runner, onError }) =>
      journalEngine({ runner, onError, file: join(folder, "jobs.jsonl") }),
  });
});
