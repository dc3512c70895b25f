import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const folderOfRules = fileURLToPath(new URL("../../../../packages/jobs-prometheus/rules", import.meta.url));

/** Seconds that a rule compares with, and what they are here. A worker asks its store every few seconds. */
const seconds: Readonly<Record<string, number>> = { "3600": 60, "600": 10, "120": 15, "86400": 20 };

/** The example promises that a digest is sent within 60 seconds. Here the rules allow it 5. */
const objectivesShortenedBy = 12;

/** Writes the rules with seconds for minutes and minutes for hours, so that a test can wait for them. */
export async function writeQuickRules(folder: string): Promise<string[]> {
  const names = ["nidus-recording.yml", "nidus-alerts.yml", "nidus-error-budget.yml"];
  return Promise.all(
    names.map(async (name) => {
      const text = await readFile(join(folderOfRules, name), "utf8");
      const quick = text
        .replace(
          /\b(\d+)(m|h|d)\b/g,
          (_, count, unit) => `${unit === "d" ? count * 24 : count}${unit === "m" ? "s" : "m"}`,
        )
        .replace(/> (3600|600|120|86400)\b/g, (_, each) => `> ${seconds[each]}`)
        .replaceAll(
          "max without (instance, pod) (nidus_job_objective_duration_seconds)",
          `max without (instance, pod) (nidus_job_objective_duration_seconds / ${objectivesShortenedBy})`,
        );
      const path = join(folder, name);
      await writeFile(path, quick);
      return path;
    }),
  );
}
