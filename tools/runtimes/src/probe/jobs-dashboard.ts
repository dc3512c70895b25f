import { deepEqual, equal, match } from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { job } from "@nidus/jobs-core";
import { type JobDashboard, jobDashboard } from "@nidus/jobs-dashboard";
import { defineJob, memoryEngine } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import type { Checks } from "./check.ts";
import { withServer } from "./loopback.ts";

export const checks: Checks = {
  async "the page and its parts come over node:http, with their policy"() {
    await withServer(jobDashboard().handler(), async (url) => {
      const page = await fetch(`${url}/`);
      match(page.headers.get("content-security-policy") ?? "", /default-src 'none'/);
      const parts = [...(await page.text()).matchAll(/(?:src|href)="(\.?\/?[\w./-]+\.(?:js|css))"/g)];
      equal(parts.length >= 2, true, "the page has a script and a style sheet");
      for (const [, part = ""] of parts) {
        const got = await fetch(new URL(part, `${url}/`));
        deepEqual([part, got.status, (await got.text()).length > 1_000], [part, 200, true]);
      }
    });
  },

  async "it shows what ran, as JSON and as a stream"() {
    const page = jobDashboard();
    new ObservedJobRunner(page.jobObserver({ serviceName: "shop" })).run(job("reindex", () => {}));
    await withServer(page.handler(), async (url) => {
      match(await (await fetch(`${url}/api/overview`)).text(), /"reindex"/);
      const stream = await fetch(`${url}/api/stream?view=overview`);
      match(stream.headers.get("content-type") ?? "", /^text\/event-stream/);
      match(await textUntil(stream, /"reindex"/), /^id: /m);
    });
    page.shutdown();
  },

  async "it answers a fetch-style route, and cancels a stored job there"() {
    const page = jobDashboard({ authorize: () => "operate" });
    const runner = new ObservedJobRunner(page.jobObserver({ serviceName: "shop" }));
    const engine = memoryEngine({ runner });
    page.watch(engine);
    const mail = defineJob<{ to: string }>({ name: "mail", run: () => undefined });
    const { id } = await engine.enqueue(mail, { to: "ann" });
    const answer = await act(page, { type: "cancel", engine: engine.name, ids: [id] });
    deepEqual([answer.status, (await engine.job(id))?.state], [200, "cancelled"], await answer.text());
    page.shutdown();
    await engine.close();
  },
};

/** Sends an action as a browser does. */
function act(page: JobDashboard, body: object): Promise<Response> {
  const headers = {
    "Content-Type": "application/json",
    "X-Nidus-Dashboard": "1",
    Origin: "http://localhost",
    Host: "localhost",
  };
  return page.fetch(
    new Request("http://localhost/jobs/api/actions", { method: "POST", headers, body: JSON.stringify(body) }),
  );
}

/** Reads a stream until its text matches, and leaves it. */
async function textUntil(answer: Response, pattern: RegExp): Promise<string> {
  const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
  const decoder = new TextDecoder();
  for (let text = ""; ; await pause(0)) {
    const { done, value } = await reader.read();
    text += decoder.decode(value, { stream: true });
    if (!done && !pattern.test(text)) continue;
    await reader.cancel();
    return text;
  }
}
