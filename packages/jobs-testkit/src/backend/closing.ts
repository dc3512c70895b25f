import assert from "node:assert/strict";
import { eventually } from "../contract/eventually.ts";
import { countConnections } from "../contract/tcp-handles.ts";
import type { Behaviour } from "../contract/test-plan.ts";
import { withinLimit } from "../contract/time-limit.ts";
import type { BackendKit } from "./backend-kit.ts";

const closeMs = 10_000;
const closedMs = 5_000;

export const closing: Behaviour<BackendKit> = (declare) => {
  declare("ends every connection that the backend has opened", async (kit) => {
    using connections = countConnections();
    const left: number[] = [];
    // Three times: a connection of the caller's, which the first may have opened, may stay.
    for (let time = 0; time < 3; time++) {
      await connections.within(() => openAndClose(kit));
      const most = left[0] ?? 0;
      await eventually(() => assert.ok(connections.open <= most), closedMs).catch(() => {});
      left.push(connections.open);
    }
    const [first, , last] = left;
    assert.ok(first === last, `connections that were open after each of three \`close\`: ${left.join(", ")}`);
  });

  declare("keeps what was stored, if the backend is persistent", async (kit) => {
    const backend = await kit.create();
    await backend.start?.();
    const name = kit.name("kept");
    const job = kit.job(name);
    await backend.insert([job], {});
    await withinLimit(backend.close(), closeMs, "`close`");
    if (!backend.capabilities.persistence) return;
    const consumer = await kit.consumer(await kit.open(), name);
    assert.equal((await consumer.next()).id, job.id);
  });
};

/** One life of a backend, with all that opens connections. */
async function openAndClose(kit: BackendKit): Promise<void> {
  const backend = await kit.create();
  await backend.start?.();
  const name = kit.name("closing");
  await backend.insert([kit.job(name)], {});
  const consumer = await backend.consumer([name]);
  await consumer.fetch(1, AbortSignal.timeout(200));
  await backend.counts();
  await withinLimit(consumer.close(), closeMs, "`close` of a consumer");
  await withinLimit(backend.close(), closeMs, "`close`");
}
