import { DurableEngine, defineJob, memoryEngine } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { it } from "vitest";
import { ListBackend } from "./support/list-backend.ts";
const runner = new ObservedJobRunner();
const pause = (ms: number) => new Promise((r) => setTimeout(r, ms));
it("repro", async () => {
  const out: unknown[] = [];
  { // same millisecond
    const e = memoryEngine({ runner });
    const j = defineJob<number>({ name: "j", maxAttempts: 1, run(n) { throw new Error(`${n}`); } });
    await e.enqueueMany(j, [1, 2, 3, 4]);
    await e.work({ jobs: [j], concurrency: 4 });
    await pause(50);
    out.push(["letters", (await e.deadLetters()).map((l) => [l.error, l.failedAt.getTime()])]);
    await e.close();
  }
  { const e = memoryEngine({ runner });
    const j = defineJob({ name: "j", run() {} });
    out.push(["db", await e.enqueue(j, undefined, { db: {} } as never).then((x) => x, (x) => String(x)), e.capabilities.transactions]);
    await e.close();
  }
  { const e = new DurableEngine(new ListBackend(new Map()), { runner });
    let ran = 0;
    const store = new Map(); const e1 = new DurableEngine(new ListBackend(store), { runner }); const e2 = new DurableEngine(new ListBackend(store), { runner });
    const j = defineJob({ name: "j", run() { ran++; } });
    const working = e1.work({ jobs: [j] });
    await e1.close();
    const w = await working.then((x) => x, (x) => String(x));
    await e2.enqueue(j, undefined);
    await pause(200);
    out.push(["ran after close", ran, typeof w]);
    if (typeof w !== "string") await w.stop();
    await e2.close(); await e.close();
  }
  { const store = new Map();
    class Any extends ListBackend { override due(_n: readonly string[], at?: number) { return super.due([...store.keys()], at); } }
    const errors: unknown[] = [];
    const seen: unknown[] = [];
    const onU = (r: unknown) => seen.push(r);
    const listeners = process.listeners("unhandledRejection"); process.removeAllListeners("unhandledRejection"); process.on("unhandledRejection", onU);
    const e = new DurableEngine(new Any(store), { runner, onError: (x) => errors.push(x) });
    await e.enqueue(defineJob({ name: "b", run() {} }), undefined);
    await e.work({ jobs: [defineJob({ name: "a", run() {} })] });
    await pause(100);
    process.off("unhandledRejection", onU); for (const l of listeners) process.on("unhandledRejection", l);
    out.push(["unknown", errors.map(String), seen.map(String)]);
    await e.close();
  }
  console.log(JSON.stringify(out));
});
