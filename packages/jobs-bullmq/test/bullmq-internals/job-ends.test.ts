import { expect, it } from "vitest";
import { resultTextFrom, returnValueOf } from "../../src/bullmq-internals/index.ts";

it.each([
  "null",
  "0",
  '""',
  '{"nidusResult":null}',
  '{"nidusResult":{"nidusResult":null}}',
  '{"nidusResult":1,"other":2}',
  '{"other":{"nidusResult":null}}',
])("a result comes back as it was: %s", (text) => {
  expect(resultTextFrom(JSON.stringify(returnValueOf(text)))).toBe(text);
});

it("no result is none", () => {
  expect(resultTextFrom(JSON.stringify(returnValueOf(undefined)))).toBeUndefined();
});
