import assert from "node:assert/strict";
import type { Behaviour } from "../contract/test-plan.ts";
import { type BackendKit, countsOf } from "./backend-kit.ts";

export const capabilities: Behaviour<BackendKit> = (declare) => {
  declare("`persistence`: another backend on the store sees the jobs", async (kit) => {
    const backend = await kit.open();
    if (!backend.capabilities.persistence) return;
    const name = kit.name("persistent");
    await backend.insert([kit.job(name)], {});
    const other = await kit.open();
    assert.equal((await countsOf(other, name)).waiting, 1);
  });

  declare("`nullCharacters`: payloads with null characters and half surrogate pairs", async (kit) => {
    const backend = await kit.open();
    if (!backend.capabilities.nullCharacters) return;
    const name = kit.name("null");
    const payload = { text: "a\u0000b", half: "\ud83d" };
    await backend.insert([kit.job(name, { envelopeText: JSON.stringify({ payload }) })], {});
    const consumer = await kit.consumer(backend, name);
    assert.deepEqual((await consumer.next()).envelope.payload, payload);
  });
};
