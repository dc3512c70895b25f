import type { JobBackend } from "@nidus/jobs-durable/backend";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { backendContract } from "@nidus/jobs-testkit/contracts";
import { sharedRedis } from "test-servers";
import { afterAll, describe, it, vi } from "vitest";
import { breakingLink } from "./support/breaking-link.ts";
import { bullmqVersions, importOn } from "./support/on-bullmq.ts";

const redis = await sharedRedis();

afterAll(() => redis?.stop());

for (const version of bullmqVersions) {
  describe
    .skipIf(redis === undefined)
    .concurrent(`the backend of bullmqEngine on BullMQ ${version}`, async () => {
      vi.doMock("@nidus/jobs-durable/backend", async (original: () => Promise<object>) => ({
        ...(await original()),
        createEngine: (backend: JobBackend) => ({ start: async () => backend }),
      }));
      const { bullmqEngine } = await importOn(version);
      const url = new URL(redis?.url ?? "redis://localhost");
      const queue = `backend-contract-${version}-${crypto.randomUUID()}`;
      const runner = new ObservedJobRunner();
      const open = async (options: object, connection: object): Promise<JobBackend> =>
        (await bullmqEngine({ runner, ...options, connection, queue })) as unknown as JobBackend;

      backendContract({
        test: it.concurrent,
        createBackend: (options) => open(options, { url: url.href }),
        createWithRetention: (options) => open(options, { url: url.href }),
        async createOutage(options) {
          const link = await breakingLink(Number(url.port));
          const backend = await open(options, { host: "127.0.0.1", port: link.port });
          return { backend, begin: () => link.close() };
        },
      });
    });
}
