import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { envelopeWriter } from "../../src/backend/envelope.ts";
import { envelopeFrom, envelopeHeadFrom } from "../../src/backend.ts";

describe("envelopeFrom", () => {
  it("makes a well-formed envelope of anything at all", () => {
    const almost = fc.record(
      {
        payload: fc.anything(),
        carrier: fc.oneof(fc.anything(), fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.anything()))),
        correlationId: fc.oneof(fc.anything(), fc.string()),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(fc.anything(), almost), (stored) => {
        const { payload: _, carrier, correlationId, ...rest } = envelopeFrom(stored);
        expect(rest).toEqual({});
        expect(["undefined", "string"]).toContain(typeof correlationId);
        expect(Object.values(carrier ?? {}).every((value) => typeof value === "string")).toBe(true);
      }),
    );
  });

  it("gives back what was stored as one", () => {
    const envelope = {
      payload: { to: "a" },
      carrier: { traceparent: "00-1-2-01" },
      correlationId: "order-1",
    };
    expect(envelopeFrom(envelope)).toStrictEqual(envelope);
    expect(envelopeFrom({ payload: null })).toStrictEqual({ payload: null });
  });

  it("reads JSON text as well, as stores that keep text have it", () => {
    expect(envelopeFrom('{"payload":{"to":"a"},"correlationId":"order-1"}')).toStrictEqual({
      payload: { to: "a" },
      correlationId: "order-1",
    });
    expect(envelopeFrom("{")).toStrictEqual({});
    expect(envelopeFrom('"text"')).toStrictEqual({});
  });

  it("gives back what was written, whatever the texts are", () => {
    const texts = fc.option(fc.string({ unit: "binary" }), { nil: undefined });
    fc.assert(
      fc.property(
        fc.jsonValue(),
        fc.dictionary(fc.string(), fc.string()),
        texts,
        (payload, carrier, correlationId) => {
          const text = envelopeWriter(carrier, { correlationId })(JSON.stringify(payload));
          expect(envelopeFrom(text)).toEqual(envelopeFrom(JSON.parse(text)));
          expect(envelopeFrom(text).payload).toEqual(JSON.parse(JSON.stringify(payload)));
          expect(envelopeFrom(text).correlationId).toBe(correlationId);
        },
      ),
    );
    expect(envelopeWriter({})(undefined)).toBe("{}");
  });

  it("leaves out what has not the right shape", () => {
    expect(envelopeFrom({ carrier: { a: 1, b: "2" }, correlationId: 7, other: true })).toStrictEqual({
      carrier: { b: "2" },
    });
    expect(envelopeFrom("text")).toStrictEqual({});
    expect(envelopeFrom(undefined)).toStrictEqual({});
  });
});

describe("envelopeHeadFrom", () => {
  it("reads all but the payload from the beginning of what was written", () => {
    const texts = fc.option(fc.string({ unit: "binary" }), { nil: undefined });
    fc.assert(
      fc.property(
        fc.jsonValue(),
        fc.dictionary(fc.oneof(fc.string(), fc.constant("payload")), fc.string()),
        texts,
        fc.nat({ max: 20 }),
        (payload, carrier, correlationId, more) => {
          const written = envelopeWriter(carrier, { correlationId })(JSON.stringify(payload));
          const end = written.lastIndexOf(`"payload":${JSON.stringify(payload)}}`) + '"payload":'.length;
          const { payload: _, ...rest } = envelopeFrom(written);
          expect(envelopeHeadFrom(written.slice(0, end + more))).toStrictEqual(rest);
        },
      ),
    );
  });

  it("reads nothing from a beginning without the payload's", () => {
    for (const text of [
      "",
      "{",
      '{"correlationId":"a',
      '{"correlationId":"a"',
      '"payload":1',
      "[[",
      '{"a":{"payload":',
    ]) {
      expect(envelopeHeadFrom(text)).toStrictEqual({});
    }
  });
});
