import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { idFromKey, newJobId } from "../../src/backend/job-id.ts";

const text = fc.string({ minLength: 1, unit: "binary" });

describe("idFromKey", () => {
  it("is a UUID of version 8, whatever name and key are", () => {
    fc.assert(
      fc.property(text, text, (name, key) => {
        expect(idFromKey(name, key)).toMatch(
          /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
        );
      }),
    );
  });

  it("is the same for the same name and key, and another for any other", () => {
    fc.assert(
      fc.property(text, text, text, text, (name, key, otherName, otherKey) => {
        const isSame = name === otherName && key === otherKey;
        expect(idFromKey(name, key) === idFromKey(otherName, otherKey)).toBe(isSame);
        expect(idFromKey(name, key)).toBe(idFromKey(name, key));
      }),
    );
  });

  it("does not mistake where the name ends and the key begins", () => {
    expect(idFromKey("ab", "c")).not.toBe(idFromKey("a", "bc"));
    expect(idFromKey('a","b', "c")).not.toBe(idFromKey("a", 'b","c'));
  });

  it("stays the same from release to release, since stores hold it", () => {
    expect(idFromKey("send_mail", "order-1")).toBe("78016177-b156-89a0-a7d1-b8cbda482ce9");
  });

  it("begins with the position in a batch, so that a batch sorts in its order", () => {
    const ids = [0, 1, 9, 10, 499, 65_536].map((position) => idFromKey("send_mail", "import", position));
    expect(ids.toSorted()).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe("newJobId", () => {
  it("sorts behind all that were made before, however many come in one millisecond", () => {
    const ids = Array.from({ length: 20_000 }, newJobId);
    expect(ids.toSorted()).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids.slice(0, 10)) {
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    }
  });
});
