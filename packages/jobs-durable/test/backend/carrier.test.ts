import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { headersFrom } from "../../src/backend/carrier.ts";
import { carrierFrom } from "../../src/backend.ts";

describe("headersFrom", () => {
  it("copies texts, and leaves out what is none or cannot be read", () => {
    const written = {
      traceparent: "00-1-2-01",
      count: 7,
      "null character": "a\u0000b",
      get broken(): string {
        throw new Error("no");
      },
    };
    expect(headersFrom(written)).toEqual({ traceparent: "00-1-2-01" });
  });

  it("leaves out the headers that exceed 16,384 characters in all", () => {
    const written = { a: "x".repeat(10_000), b: "x".repeat(10_000), c: "x".repeat(6_382), d: "" };
    expect(Object.keys(headersFrom(written))).toEqual(["a", "c"]);
    expect(Object.keys(headersFrom({ ...written, c: "x".repeat(6_383) }))).toEqual(["a", "d"]);
  });
});

describe("carrierFrom", () => {
  it("reads objects and their JSON text", () => {
    expect(carrierFrom({ a: "1" })).toEqual({ a: "1" });
    expect(carrierFrom('{"a":"1","b":2}')).toEqual({ a: "1" });
  });

  it("is undefined without a header", () => {
    for (const stored of [undefined, null, "", "{", "{}", "7", 7, {}, [], { a: 1 }]) {
      expect(carrierFrom(stored)).toBeUndefined();
    }
  });

  it("makes bounded texts of anything at all", () => {
    fc.assert(
      fc.property(fc.oneof(fc.anything(), fc.json()), (stored) => {
        const carrier = carrierFrom(stored) ?? { none: "" };
        expect(Object.values(carrier).every((value) => typeof value === "string")).toBe(true);
      }),
    );
  });
});
