import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { bullmqEngine } from "@nidus/jobs-bullmq";
import { defineJob, type JobEngine } from "@nidus/jobs-durable";
import type { ObservedJobRunner } from "@nidus/jobs-observe";
import { pgBossEngine } from "@nidus/jobs-pg-boss";
import { production } from "@nidus/observability";
import { describe, expect, it } from "vitest";
import { eventually } from "./support/eventually.ts";
import { postgresToKill, redisToKill } from "./support/servers.ts";

const kinds = [
  {
    name: "BullMQ",
    start: redisToKill,
    open: (runner: ObservedJobRunner, url: string): Promise<JobEngine> =>
      bullmqEngine({ runner, connection: { url }, onError() {} }),
  },
  {
    name: "pg-boss",
    start: postgresToKill,
    open: (runner: ObservedJobRunner, url: string): Promise<JobEngine> =>
      pgBossEngine({ runner, connectionString: url, onError() {} }),
  },
] as const;

describe("the health of a service whose server is killed", () => {
  for (const { name, start, open } of kinds) {
    it.concurrent(`is degraded and never stuck, and good again when the server is back, on ${name}`, async ({
      onTestFinished,
      skip,
    }) => {
      const server = await start();
      if (server === undefined) return skip();
      onTestFinished(() => server.stop());
      const observability = production("health").prometheus();
      const engine = await open(observability.jobRunner(), server.url);
      onTestFinished(() => engine.close().catch(() => {}));
      const worker = await engine.work({ jobs: [defineJob({ name: "mail", run() {} })] });
      const http = createServer(observability.healthHandler({ engines: [engine] })).listen(0, "127.0.0.1");
      onTestFinished(() => void http.close());
      await once(http, "listening");
      const { port } = http.address() as AddressInfo;
      const seen = new Set<string>();
      const ask = async (): Promise<string> => {
        const answer = await fetch(`http://127.0.0.1:${port}`);
        const { status } = (await answer.json()) as { status: string };
        seen.add(`${answer.status} ${status}`);
        return status;
      };

      await eventually(
        async () => (await ask()) === "ok",
        () => "not ok at the start",
      );
      await server.kill();
      await eventually(
        async () => (await ask()) === "degraded",
        () => "not degraded without a server",
      );
      await eventually(
        async () => {
          await ask();
          return worker.health().state === "server-unreachable";
        },
        () => `the worker is ${worker.health().state}`,
      );
      expect(await observability.metrics()).toMatch(/^nidus_engine_up\{.*\} 0$/m);
      await server.start();
      await eventually(
        async () => (await ask()) === "ok",
        () => "not ok with the server back",
      );
      expect([...seen].sort()).toEqual(["200 degraded", "200 ok"]);
    });
  }
});
