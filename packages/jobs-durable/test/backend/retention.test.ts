import { requireRetention } from "@nidus/jobs-durable/backend";
import { describe, expect, it } from "vitest";

const dayMs = 86_400_000;

describe("requireRetention", () => {
  it("fills in a day and fourteen days", () => {
    expect(requireRetention({})).toEqual({ retainSucceededMs: dayMs, retainDeadLettersMs: 14 * dayMs });
    expect(requireRetention({ retainSucceededMs: undefined, retainDeadLettersMs: 5 })).toEqual({
      retainSucceededMs: dayMs,
      retainDeadLettersMs: 5,
    });
  });

  it.each(["retainSucceededMs", "retainDeadLettersMs"])("names a wrong %s", (name) => {
    expect(() => requireRetention({ [name]: 0 })).toThrow(`\`${name}\` to be a whole number from 1, got 0`);
    expect(() => requireRetention({ [name]: 15 * dayMs }, 14 * dayMs)).toThrow(`\`${name}\``);
    expect(() => requireRetention({ [name]: "a day" })).toThrow(TypeError);
  });
});
