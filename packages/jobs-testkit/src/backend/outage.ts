import assert from "node:assert/strict";
import { defineJob, EngineUnavailableError, type JobEngine } from "@nidus/jobs-durable";
import { createEngine } from "@nidus/jobs-durable/backend";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import type { Behaviour } from "../contract/test-plan.ts";
import { withinLimit } from "../contract/time-limit.ts";
import type { BackendKit } from "./backend-kit.ts";

const answerWithinMs = 2_000;

/** With connecting and letting go. */
const answerMs = 30_000;

export const outage: Behaviour<BackendKit> = (declare) => {
  declare("is an EngineUnavailableError if the server is away from the start", async (kit) => {
    const { createOutage } = kit.fixtures;
    if (createOutage === undefined) return;
    const { backend, begin } = await createOutage({ onError: kit.onError });
    await begin();
    const engine = createEngine(backend, {
      runner: new ObservedJobRunner(),
      onError: kit.onError,
      answerWithinMs,
    });
    const job = defineJob({ name: kit.name("away"), run() {} });
    const opened = engine.start().then(() => engine.enqueue(job, undefined));
    await assertUnavailable("`start` or `insert`", opened, kit);
    await withinLimit(engine.close().catch(kit.onError), answerMs, "`close` while the server is away");
  });

  declare("is an EngineUnavailableError at every call if the server goes away later", async (kit) => {
    const { createOutage } = kit.fixtures;
    if (createOutage === undefined) return;
    const { backend, begin } = await createOutage({ onError: kit.onError });
    const engine = createEngine(backend, {
      runner: new ObservedJobRunner(),
      onError: kit.onError,
      answerWithinMs,
    });
    await engine.start();
    const job = defineJob({ name: kit.name("gone"), run() {} });
    const { id } = await engine.enqueue(job, undefined);
    await begin();
    const calls: Readonly<Record<string, (on: JobEngine) => Promise<unknown>>> = {
      insert: (on) => on.enqueue(job, undefined),
      cancel: (on) => on.cancel(id),
      counts: (on) => on.stats(),
      deadLetters: (on) => on.deadLetters(),
      redrive: (on) => on.redrive(id),
    };
    // It may wait for the server: the engine waits no longer than it has to.
    let hasAnswered = false;
    backend.ping().then(
      () => {
        hasAnswered = true;
      },
      () => {},
    );
    await Promise.all(
      Object.entries(calls).map(([name, call]) => assertUnavailable(`\`${name}\``, call(engine), kit)),
    );
    assert.equal(hasAnswered, false, "`ping` resolved although the server is away");
    await withinLimit(engine.close().catch(kit.onError), answerMs, "`close` while the server is away");
  });
};

async function assertUnavailable(
  what: string,
  call: Promise<unknown>,
  { fixtures }: BackendKit,
): Promise<void> {
  const outcome = call.then(
    () => assert.fail(`${what} resolved although the server is away`),
    (error: unknown) => error,
  );
  const error = await withinLimit(outcome, answerMs, `${what} while the server is away`);
  const text = `${String(error)} ${String((error as Error).cause)}`;
  assert.ok(
    EngineUnavailableError.isInstance(error),
    `${what}: an error of an outage that \`isUnreachable\` does not know: ${text}`,
  );
  for (const secret of fixtures.secrets) assert.ok(!text.includes(secret), `${what}: its error has a secret`);
}
