import { ObservedJobRunner } from "@nidus/jobs-observe";
import { sharedPostgres } from "test-servers";
import { afterAll, describe, expect, it } from "vitest";
import { pgBossEngine } from "../../src/index.ts";
import { startBoss, versions } from "../support/start-boss.ts";

const postgres = await sharedPostgres();
afterAll(() => postgres?.stop());

describe.skipIf(postgres === undefined).each(versions)("a pg-boss %i that has stopped", (version) => {
  it("counts as unreachable", async () => {
    const schema = `stopped_${version}`;
    const boss = await startBoss(version, postgres?.url ?? "", schema);
    const engine = await pgBossEngine({ runner: new ObservedJobRunner(), boss, schema });
    await boss.stop({ graceful: false });
    await expect(engine.stats()).rejects.toThrow(
      /^pg-boss at the database of your PgBoss is unreachable \(.*pg-boss has stopped/,
    );
    await engine.close();
  });
});
