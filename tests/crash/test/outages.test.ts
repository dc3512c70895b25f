import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { EngineTask } from "../src/task.ts";
import { Child } from "./support/child.ts";
import { eventually } from "./support/eventually.ts";
import { postgresToKill, redisToKill } from "./support/servers.ts";

const idleNames = ["one", "two", "three", "four", "five"];
const answerWithinMs = 2_000;
/** Without the option, clients wait for ever. With it, even a busy machine does not take so long. */
const boundMs = 30_000;
const common = { space: "outage", leaseMs: 30_000, answerWithinMs };

const kinds = [
  { name: "BullMQ", kind: "bullmq", start: redisToKill, scheme: "redis", path: "" },
  { name: "pg-boss", kind: "pg-boss", start: postgresToKill, scheme: "postgres", path: "/postgres" },
] as const;

const windowMs = 4_000;

/** Measures the share of one core that a child uses over some time. */
async function loadOf(child: Child): Promise<number> {
  const before = await child.answer("cpu", "cpu");
  const beganMs = performance.now();
  await pause(windowMs);
  const after = await child.answer("cpu", "cpu");
  return (after.userAndSystemMs - before.userAndSystemMs) / (performance.now() - beganMs);
}

/** Requires that a child becomes idle. It may work for a moment first, such as after its start. */
async function requireLoadBelow(limit: number, child: Child, title: string): Promise<void> {
  let load = 0;
  await eventually(
    async () => {
      load = await loadOf(child);
      return load < limit;
    },
    () => `${title}: ${percent(load)}`,
  );
  console.log(`${title}: ${percent(load)}`);
}

const percent = (load: number): string => `${(load * 100).toFixed(2)} % of a core`;

describe("a server that does not answer", () => {
  for (const { name, kind, start, scheme, path } of kinds) {
    it.concurrent(`is named in the error at the start, in bounded time and without its password, on ${name}`, async ({
      onTestFinished,
    }) => {
      // No program listens on port 1.
      const place = `${scheme}://nidus:open-sesame@127.0.0.1:1${path}`;
      const child = new Child({ role: "stand-by", engine: { ...common, kind, place } }, onTestFinished);
      const refused = await child.says("refused");
      await child.ended;
      child.requireSound();
      expect(refused.name).toBe("EngineUnavailableError");
      expect(refused.message).toContain("127.0.0.1:1");
      expect(refused.tookMs).toBeLessThan(boundMs);
      expect(JSON.stringify(child.reports) + child.stderr).not.toContain("open-sesame");
    });

    it.concurrent(`leaves workers idle and calls bounded, and both recover when it is back, on ${name}`, async ({
      onTestFinished,
      skip,
    }) => {
      const server = await start();
      if (server === undefined) return skip();
      onTestFinished(() => server.stop());
      const engine: EngineTask = { ...common, kind, place: server.url };
      const child = new Child({ role: "stand-by", engine, idleNames }, onTestFinished);
      await child.says("ready");
      await child.answer("enqueue", "enqueued");

      await requireLoadBelow(0.02, child, `${name}, ${idleNames.length} idle job names`);

      await server.kill();
      await requireLoadBelow(0.2, child, `${name}, its server away`);

      const refused = await child.answer("enqueue", "refused");
      expect(refused.name).toBe("EngineUnavailableError");
      expect(refused.message).toContain(`127.0.0.1:${server.port}`);
      expect(refused.tookMs).toBeLessThan(boundMs);

      await server.start();
      const since = child.reports.length;
      await eventually(
        async () => {
          child.ask("enqueue");
          await pause(500);
          return child.reports.slice(since).some(({ type }) => type === "enqueued");
        },
        () => `${name} does not find its server again`,
      );
      await child.stop();
    });
  }
});
