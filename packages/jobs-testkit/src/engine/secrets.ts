import assert from "node:assert/strict";
import { inspect } from "node:util";
import { defineJob, type JobEngine } from "@nidus/jobs-durable";
import type { Behaviour } from "../contract/test-plan.ts";
import type { Kit } from "./kit.ts";

const secret = "ada@example.org token 7f3a";

export const secrets: Behaviour<Kit> = (declare) => {
  declare("are in no error of a refused call", async (kit) => {
    const { engine } = await kit.open();
    const job = defineJob<unknown>({ name: kit.name("secret"), run() {} });
    const payload = { to: secret };
    const refused: readonly (readonly [what: string, call: (on: JobEngine) => Promise<unknown>])[] = [
      ["a payload", (on) => on.enqueue(job, { ...payload, at: new Date() })],
      ["a payload that is no JSON at all", (on) => on.enqueue(job, Symbol(secret))],
      ["one of many payloads", (on) => on.enqueueMany(job, [payload, { ...payload, when: 1n }])],
      ["an option", (on) => on.enqueue(job, payload, { runAt: "now" as never })],
      ["an unknown option", (on) => on.enqueue(job, payload, { runat: new Date() } as never)],
      ["a cron expression", (on) => on.schedule(job, "no cron", payload)],
      ["what is no database", (on) => on.enqueue(job, payload, { db: {} } as never)],
    ];
    for (const [what, call] of refused) await assertDiscreet(what, call(engine));
    await engine.close();
    await assertDiscreet("a closed engine", engine.enqueue(job, payload));
    await assertDiscreet("a closed engine", engine.enqueueMany(job, [payload]));
  });
};

async function assertDiscreet(what: string, call: Promise<unknown>): Promise<void> {
  const error = await call.then(
    () => assert.fail(`${what} was not refused`),
    (thrown: unknown) => thrown,
  );
  const shown: string[] = [];
  for (let each: unknown = error; each !== undefined && shown.length < 10; each = causeOf(each)) {
    shown.push(inspect(each, { depth: 10, showHidden: true }), String(each), jsonOf(each));
  }
  assert.ok(!shown.join("\n").includes(secret), `the error about ${what} shows the payload`);
}

function causeOf(error: unknown): unknown {
  return (error as { cause?: unknown } | null)?.cause;
}

function jsonOf(value: unknown): string {
  return JSON.stringify(value, Object.getOwnPropertyNames(Object(value))) ?? "";
}
