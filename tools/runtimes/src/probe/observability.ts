import { deepEqual, equal } from "node:assert/strict";
import { type Job, job } from "@nidus/jobs-core";
import { type Observability, production } from "@nidus/observability";
import type { Checks } from "./check.ts";
import { withServer } from "./loopback.ts";

export const checks: Checks = {
  async "metricsHandler answers on node:http"() {
    const observability = production("users-api").prometheus();
    observability.jobRunner().run(job("naïve – ☃", () => {}));
    await withServer(observability.metricsHandler(), async (url) => {
      const got = await fetch(url);
      equal(got.headers.get("content-type"), observability.contentType);
      equal(await got.text(), await observability.metrics());
      const head = await fetch(url, { method: "HEAD" });
      deepEqual([head.status, await head.text()], [200, ""]);
      equal(head.headers.get("content-length"), got.headers.get("content-length"));
      const post = await fetch(url, { method: "POST" });
      deepEqual([post.status, post.headers.get("allow")], [405, "GET, HEAD"]);
      await post.text();
    });
  },

  async "await using shuts down, compiled for Node 20"() {
    const seen: string[] = [];
    {
      await using held = withShutdown(seen);
      held.jobRunner().run(reindex);
    }
    deepEqual(seen, ["success", "shutdown"]);
  },

  async "await using shuts down, as it is written"() {
    const seen: string[] = [];
    // As text, because the compiler would rewrite it for older engines.
    const AsyncFunction = (async () => {}).constructor as new (
      ...text: string[]
    ) => (value: Observability, job: Job) => Promise<void>;
    const text = "await using held = value; held.jobRunner().run(job);";
    await new AsyncFunction("value", "job", text)(withShutdown(seen), reindex);
    deepEqual(seen, ["success", "shutdown"]);
  },
};

const reindex = job("reindex", () => {});

function withShutdown(seen: string[]): Observability {
  return production("users-api").with({
    name: "recorder",
    jobObserver: () => ({ onJobFinished: (_context, status) => void seen.push(status) }),
    shutdown: async () => void seen.push("shutdown"),
  });
}
