import assert from "node:assert/strict";

/** What somebody threw: anything at all, `undefined` included. */
export interface Thrown {
  readonly value: unknown;
}

/**
 * What a call throws or rejects with.
 *
 * @throws (rejects with) AssertionError if it does neither.
 */
export async function thrownBy(call: () => unknown): Promise<Thrown> {
  try {
    await call();
  } catch (value) {
    return { value };
  }
  assert.fail("it was expected to throw");
}
