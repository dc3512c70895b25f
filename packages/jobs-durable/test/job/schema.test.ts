import type { StandardSchemaV1 } from "@standard-schema/spec";
import { describe, expect, it } from "vitest";
import { parse } from "../../src/job/schema.ts";

/** A schema whose answer the test gives. */
function answering(
  result: StandardSchemaV1.Result<unknown> | Promise<StandardSchemaV1.Result<unknown>>,
): StandardSchemaV1 {
  return { "~standard": { version: 1, vendor: "test", validate: () => result } };
}

describe("parse", () => {
  it("answers at once if the schema does, and with a promise if it does", async () => {
    expect(parse(answering({ value: 1 }), "x")).toEqual({ value: 1 });
    const later = parse(answering(Promise.resolve({ value: 2 })), "x");
    expect(later).toBeInstanceOf(Promise);
    expect(await later).toEqual({ value: 2 });
  });

  it("takes an undefined value for a value", () => {
    expect(parse(answering({ value: undefined }), "x")).toEqual({ value: undefined });
  });

  it("joins the issues, each behind its path", () => {
    const symbol = Symbol("tag");
    const issues = [
      { message: "no object" },
      { message: "no address", path: ["to", 0, { key: "mail" }] },
      { message: "odd", path: [symbol] },
      { message: "empty path", path: [] },
    ];
    expect(parse(answering({ issues }), "x")).toEqual({
      problem: "no object; to.0.mail: no address; Symbol(tag): odd; empty path",
    });
  });

  it("waits for promises that are not this realm's own", async () => {
    const foreign = {
      // biome-ignore lint/suspicious/noThenProperty: it is what such a promise is to us
      then: (resolve: (result: unknown) => void) => resolve({ issues: [{ message: "no" }] }),
    };
    expect(await parse(answering(foreign as Promise<StandardSchemaV1.Result<unknown>>), "x")).toEqual({
      problem: "no",
    });
  });
});
