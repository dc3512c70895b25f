import { describe, expect, it } from "vitest";
import { requireKnownKeys } from "../src/index.ts";

describe("requireKnownKeys", () => {
  it("passes options with known keys only, whatever their values", () => {
    for (const options of [{}, { runAt: undefined }, { runAt: 1, key: null }]) {
      expect(() => requireKnownKeys("the options", options, ["runAt", "key"])).not.toThrow();
    }
  });

  it("names the unknown key, and lists the known ones", () => {
    const call = () => requireKnownKeys("the options of `enqueue`", { runat: 1 }, ["runAt", "key"]);
    expect(call).toThrow(TypeError);
    expect(call).toThrow('unknown option "runat" in the options of `enqueue`: expected `runAt`, `key`');
  });
});
