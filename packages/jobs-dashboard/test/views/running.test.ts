import { asyncJob } from "@nidus/jobs-core";
import { defineJob, memoryEngine } from "@nidus/jobs-durable";
import { currentJobObserver, ObservedJobRunner, reportProgress } from "@nidus/jobs-observe";
import { describe, expect, test, vi } from "vitest";
import type { RunningView } from "../../src/wire.ts";
import type { StoredJobView } from "../../src/wire-stored.ts";
import { fedPage, viewOf } from "../support/page-client.ts";

describe("the running jobs", () => {
  test("show the progress that a run of this process reports", async () => {
    const { page } = fedPage();
    const runner = new ObservedJobRunner([currentJobObserver(), page.jobObserver()]);
    let end = () => {};
    const run = runner.runAsync(
      asyncJob("export", () => {
        reportProgress(0.5, "half of it");
        return new Promise<void>((resolve) => {
          end = resolve;
        });
      }),
    );
    const { runs } = await viewOf<RunningView>(page, "running");
    expect(runs).toMatchObject([{ jobName: "export", progress: { fraction: 0.5, note: "half of it" } }]);
    end();
    await run;
    expect((await viewOf<RunningView>(page, "running")).runs).toEqual([]);
  });

  test.each([
    [
      "a revoked proxy",
      () => {
        const { proxy, revoke } = Proxy.revocable({}, {});
        revoke();
        return proxy;
      },
    ],
    [
      "a proxy that throws",
      () =>
        new Proxy(
          {},
          {
            getOwnPropertyDescriptor() {
              throw new Error("no");
            },
          },
        ),
    ],
  ])("hide the attributes if redact returns %s", async (_what, attributes) => {
    const { page, runner } = fedPage({
      authorize: () => "read",
      redact: () => ({ attributes: attributes() }),
    });
    void runner.context({ user: "u1" }).runAsync(asyncJob("export", () => new Promise(() => {})));
    const { runs } = await viewOf<RunningView>(page, "running");
    expect(runs).toMatchObject([{ jobName: "export", attributes: { user: null } }]);
  });

  test("show the progress of a stored job, and keep it with the job", async () => {
    const { page, runner } = fedPage();
    const engine = memoryEngine({ runner });
    page.watch(engine);
    let end = () => {};
    const exporting = defineJob({
      name: "export",
      timeoutMs: 90_000,
      run(_payload, { progress }) {
        progress(0.25, "a quarter");
        return new Promise<void>((resolve) => {
          end = resolve;
        });
      },
    });
    const { id } = await engine.enqueue(exporting);
    const worker = await engine.work({ jobs: [exporting] });
    await vi.waitFor(
      async () => {
        const { runs } = await viewOf<RunningView>(page, "running");
        const progress = { fraction: 0.25, note: "a quarter" };
        expect(runs).toMatchObject([{ timeoutMs: 90_000, progress }]);
        const { job } = await viewOf<StoredJobView>(page, `stored?engine=memory&id=${id}`);
        expect(job?.progress).toEqual({ fraction: 0.25, note: "a quarter" });
      },
      { timeout: 60_000 },
    );
    end();
    await worker.stop();
    await engine.close();
  });
});
