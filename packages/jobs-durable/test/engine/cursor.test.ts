import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cursorFrom, positionFrom } from "../../src/engine/cursor.ts";

const listed = { jobName: "send_mail", state: undefined };
const texts = fc.array(fc.string({ unit: "grapheme", maxLength: 500 }), { minLength: 1, maxLength: 10 });

describe("a cursor", () => {
  it("leads back to the position of which it was made", () => {
    fc.assert(
      fc.property(texts, (position) => {
        const cursor = cursorFrom(position, listed);
        expect(cursor).toMatch(/^[\w-]+$/);
        expect(positionFrom(cursor, listed)).toEqual(position);
      }),
    );
  });

  it("has room for the longest name of a job, whatever its characters", () => {
    const jobName = "\u0001".repeat(512);
    const position = ["waiting", "9999-12-31T23:59:59.999Z", jobName, crypto.randomUUID()];
    expect(
      positionFrom(cursorFrom(position, { jobName, state: "waiting" }), { jobName, state: "waiting" }),
    ).toEqual(position);
  });

  it("is refused for other jobs", () => {
    const cursor = cursorFrom(["7"], listed);
    for (const others of [
      { jobName: undefined, state: undefined },
      { jobName: "send_digest", state: undefined },
      { jobName: "send_mail", state: "waiting" as const },
    ]) {
      expect(() => positionFrom(cursor, others)).toThrow(TypeError);
    }
  });

  it("is refused if anything but `cursorFrom` has made it", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(() => positionFrom(text, listed)).toThrow(TypeError);
      }),
    );
    const cursor = cursorFrom(["7"], listed);
    for (const text of [`${cursor}=`, `${cursor}\n`, ` ${cursor}`, "x".repeat(1e6)]) {
      expect(() => positionFrom(text, listed)).toThrow(TypeError);
    }
  });

  it.each<[string, unknown]>([
    ["no position", undefined],
    ["an empty position", []],
    ["a text that stores cannot take", ["\ud800"]],
    ["too many texts", Array(11).fill("")],
    ["a long text", ["x".repeat(513)]],
    ["a number", [7]],
    ["an object", { 0: "7" }],
  ])("is refused with %s", (_what, position) => {
    const text = Buffer.from(JSON.stringify(["send_mail", null, position])).toString("base64url");
    expect(() => positionFrom(text, listed)).toThrow(TypeError);
  });
});
