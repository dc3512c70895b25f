import assert from "node:assert/strict";

/** A thrown value, which may be anything, even `undefined`. */
export interface Thrown {
  readonly value: unknown;
}

/**
 * Returns the value that a call throws or rejects with.
 *
 * @throws (rejects with) AssertionError if the call does neither.
 */
export async function thrownBy(call: () => unknown): Promise<Thrown> {
  try {
    await call();
  } catch (value) {
    return { value };
  }
  assert.fail("it was expected to throw");
}
