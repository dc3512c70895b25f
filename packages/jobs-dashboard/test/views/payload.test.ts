import { defineJob, memoryEngine } from "@nidus/jobs-durable";
import { expect, test } from "vitest";
import type { PayloadView } from "../../src/wire-stored.ts";
import { fedPage, viewOf } from "../support/page-client.ts";

const textOf = async (payload: string): Promise<PayloadView> => {
  const { page, runner } = fedPage({ authorize: () => "read", redact: (job) => ({ payload: job.payload }) });
  const engine = memoryEngine({ runner });
  page.watch(engine);
  const { id } = await engine.enqueue(defineJob<string>({ name: "import", run() {} }), payload);
  const view = await viewOf<PayloadView>(page, `payload?engine=memory&id=${id}`);
  await engine.close();
  return view;
};

test("a payload of up to 64 kB is shown as a whole", async () => {
  const payload = "€".repeat(21_844); // with its quotes, 65,534 bytes
  expect(await textOf(payload)).toEqual({ text: JSON.stringify(payload), isCut: false });
});

test("a larger payload is cut at 64 kB, between two characters", async () => {
  const { text, isCut } = await textOf("😀".repeat(20_000));
  expect(isCut).toBe(true);
  expect(Buffer.byteLength(text ?? "")).toBe(65_533);
  expect(text).toMatch(/^"(😀)+$/u);
});
