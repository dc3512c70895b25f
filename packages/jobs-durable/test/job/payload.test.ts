import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PayloadError } from "../../src/index.ts";
import { maxPayloadBytes, payloadText, requireJsonb } from "../../src/job/payload.ts";
import { computingMs } from "../support/computing.ts";

/** Any JSON value, without the sign of zero: JSON writes -0 as 0. */
const json = fc.jsonValue({ maxDepth: 6 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown);

function nested(levels: number): unknown {
  let value: unknown = "bottom";
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? [value] : { value };
  return value;
}

function refusalOf(payload: unknown): PayloadError {
  try {
    payloadText(payload);
  } catch (error) {
    expect(error).toBeInstanceOf(PayloadError);
    return error as PayloadError;
  }
  throw new Error("the payload was accepted");
}

describe("payloadText", () => {
  it("is text that parses back to an equal value, for all of JSON", () => {
    fc.assert(
      fc.property(json, (payload) => {
        expect(JSON.parse(payloadText(payload) as string)).toStrictEqual(payload);
      }),
    );
  });

  it("has no text for no payload, and the text null for null", () => {
    expect(payloadText(undefined)).toBeUndefined();
    expect(payloadText(null)).toBe("null");
  });

  it("takes an undefined property for an absent one", () => {
    expect(payloadText({ to: "a", cc: undefined })).toBe('{"to":"a"}');
  });

  it("keeps keys that are called like parts of Object", () => {
    const text = '{"__proto__":{"x":1},"constructor":2,"toString":3}';
    expect(payloadText(JSON.parse(text))).toBe(text);
  });

  it("takes objects without a prototype, and comes back with ordinary ones", () => {
    expect(payloadText(Object.assign(Object.create(null), { a: 1 }))).toBe('{"a":1}');
  });

  it("takes one object in several places", () => {
    const address = { city: "Wien" };
    expect(payloadText([address, { address }, address])).toBe(
      '[{"city":"Wien"},{"address":{"city":"Wien"}},{"city":"Wien"}]',
    );
  });

  class Money {
    readonly cents = 1;
  }

  it.each([
    ["a function", { to: [{ send() {} }] }, "payload.to[0].send", "a function"],
    ["a symbol", [Symbol("x")], "payload[0]", "a symbol"],
    ["a BigInt", { a: { b: 10n } }, "payload.a.b", "a bigint"],
    ["NaN", { n: Number.NaN }, "payload.n", "the number NaN"],
    ["Infinity", { n: [1, -Infinity] }, "payload.n[1]", "the number -Infinity"],
    ["a Date", { at: new Date(0) }, "payload.at", "an instance of Date"],
    ["a Map", new Map(), "payload", "an instance of Map"],
    ["a Buffer", { file: Buffer.from("x") }, "payload.file", "an instance of Buffer"],
    ["an instance of a class", { price: new Money() }, "payload.price", "an instance of Money"],
    ["a boxed string", { s: Object("x") }, "payload.s", "an instance of String"],
    ["undefined in an array", { list: [1, undefined] }, "payload.list[1]", "undefined"],
    ["a hole in an array", { list: Array(2) }, "payload.list[0]", "undefined"],
    ["a method toJSON", { a: 1, toJSON: () => 2 }, "payload.toJSON", "a function"],
    ["a promise", { a: Promise.resolve() }, "payload.a", "an instance of Promise"],
    ["a key that is no identifier", { "a b": { "": () => {} } }, 'payload["a b"][""]', "a function"],
    ["a key that is a symbol", { a: { [Symbol("x")]: 1 } }, "payload.a", "a key that is a symbol"],
  ])("refuses %s with its path", (_, payload, path, what) => {
    const { message, code } = refusalOf(payload);
    expect(message).toContain(`expected \`${path}\` to be JSON, got ${what}`);
    expect(code).toBe("NIDUS_PAYLOAD_REFUSED");
  });

  it("refuses cycles where they close", () => {
    const cyclic: Record<string, unknown> = { list: [] };
    (cyclic.list as unknown[]).push({ back: cyclic });
    expect(refusalOf(cyclic).message).toBe("expected `payload.list[0].back` to be JSON, got a cycle");
  });

  it("takes 500 levels and no more, and no stack overflows", () => {
    expect(payloadText(nested(500))).toContain("bottom");
    expect(refusalOf(nested(501)).message).toContain("at most 500 levels deep");
    expect(refusalOf(nested(100_000)).message).toContain("at most 500 levels deep");
  });

  it("takes 1 MiB of JSON in UTF-8 and not a byte more", () => {
    const quotes = 2;
    expect(Buffer.byteLength(payloadText("x".repeat(maxPayloadBytes - quotes)) as string)).toBe(1_048_576);
    expect(refusalOf("x".repeat(maxPayloadBytes - quotes + 1)).message).toContain(
      "at most 1048576 bytes of JSON, got 1048577",
    );
    const euros = "€".repeat(Math.floor((maxPayloadBytes - quotes) / 3));
    expect(Buffer.byteLength(payloadText(euros) as string)).toBeLessThanOrEqual(maxPayloadBytes);
    expect(refusalOf(`${euros}€`).message).toContain("at most 1048576 bytes");
  });

  it("refuses what only an escape makes too long", () => {
    expect(refusalOf("\u0001".repeat(maxPayloadBytes / 4)).message).toContain("at most 1048576 bytes");
  });

  it("refuses properties of an array that are not elements", () => {
    const found = Object.assign(["a"], { index: 0 });
    expect(refusalOf({ found }).message).toContain("payload.found");
  });

  it("refuses an array of a class of its own", () => {
    class Recipients extends Array<string> {}
    expect(refusalOf({ to: Recipients.from(["a"]) }).message).toContain("payload.to");
  });

  it("refuses a toJSON that is hidden from enumeration", () => {
    const hidden = Object.defineProperty({ a: 1 }, "toJSON", { value: () => "something else" });
    expect(refusalOf({ hidden }).message).toContain("payload.hidden");
  });

  it("stores what it has validated, also if a getter answers differently each time", () => {
    let reads = 0;
    const shifty = {
      get value() {
        return reads++ === 0 ? "text" : () => {};
      },
    };
    expect(payloadText(shifty)).toBe('{"value":"text"}');
  });

  it("refuses a getter that throws, with its path", () => {
    const payload = {
      get secret() {
        throw new Error("no");
      },
    };
    expect(refusalOf({ deep: payload }).message).toContain("payload.deep");
  });

  it("refuses a proxy whose traps throw", () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(refusalOf({ proxy }).message).toContain("payload.proxy");
  });

  it("refuses a class whose name cannot be read", () => {
    const hostile = Object.create({
      get constructor() {
        throw new Error("no");
      },
    });
    expect(refusalOf({ hostile }).message).toContain("payload.hostile");
  });

  it("gives up early on a small graph that would be endless text", () => {
    let reads = 0;
    let wide: unknown = {
      get leaf() {
        reads++;
        return 1;
      },
    };
    for (let level = 0; level < 21; level++) wide = [wide, wide];
    expect(refusalOf(wide).message).toContain("at most 1048576 bytes");
    expect(reads).toBeLessThanOrEqual(maxPayloadBytes);
  });
});

describe("requireJsonb", () => {
  const isBad = (text: string): boolean => text.includes("\u0000") || /\p{Surrogate}/u.test(text);

  function holds(value: unknown): boolean {
    if (typeof value === "string") return isBad(value);
    if (typeof value !== "object" || value === null) return false;
    return Object.entries(value).some(([key, member]) => isBad(key) || holds(member));
  }

  function isRefused(payload: unknown): boolean {
    try {
      requireJsonb(payloadText(payload) as string);
      return false;
    } catch (error) {
      expect(error).toBeInstanceOf(PayloadError);
      return true;
    }
  }

  /** Strings in which everything meets that looks like an escape, or is one. */
  const tricky = fc
    .array(
      fc.constantFrom("\\", "\\\\", "u0000", "\u0000", "ud800", "\ud800", "\udc00", "😀", '"', "u", "0", "a"),
      { maxLength: 8 },
    )
    .map((parts) => parts.join(""));

  it("refuses exactly texts with a null character or half a surrogate pair", () => {
    fc.assert(
      fc.property(tricky, (text) => {
        expect(isRefused(text)).toBe(isBad(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it("refuses them wherever they stand, in keys too", () => {
    const payloads = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: "small" },
        tricky,
        fc.integer(),
        fc.array(tie("value"), { maxLength: 3 }),
        fc.dictionary(tricky, tie("value"), { maxKeys: 3 }),
      ),
    })).value;
    fc.assert(
      fc.property(payloads, (payload) => {
        expect(isRefused(payload)).toBe(holds(payload));
      }),
      { numRuns: 1_000 },
    );
  });

  it.each([
    ["an escaped backslash before u0000", "\\u0000", false],
    ["two escaped backslashes before u0000", "\\\\u0000", false],
    ["a backslash before the null character", "\\\u0000", true],
    ["a surrogate pair", "😀", false],
    ["half of one behind a backslash", "\\\ud83d", true],
  ])("tells %s apart", (_, payload, refused) => {
    expect(isRefused(payload)).toBe(refused);
  });

  it("takes linear time over a text of backslashes", () => {
    expect(computingMs(() => expect(isRefused("\\".repeat(500_000))).toBe(false))).toBeLessThan(2_000);
  });
});
