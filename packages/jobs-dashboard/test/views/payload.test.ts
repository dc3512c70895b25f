import { defineJob, memoryEngine } from "@nidus/jobs-durable";
import { expect, test } from "vitest";
import type { JobDashboardOptions } from "../../src/index.ts";
import type { PayloadView } from "../../src/wire-stored.ts";
import { fedPage, viewOf } from "../support/page-client.ts";

const textOf = async (
  payload: string,
  redact: JobDashboardOptions["redact"] = (job) => ({ payload: job.payload }),
): Promise<PayloadView> => {
  const { page, runner } = fedPage({ authorize: () => "read", redact });
  const engine = memoryEngine({ runner });
  page.watch(engine);
  const { id } = await engine.enqueue(defineJob<string>({ name: "import", run() {} }), payload);
  const view = await viewOf<PayloadView>(page, `payload?engine=memory&id=${id}`);
  await engine.close();
  return view;
};

test("a payload of up to 64 kB is shown as a whole", async () => {
  const payload = "€".repeat(21_844); // with its quotes, 65,534 bytes
  expect(await textOf(payload)).toEqual({ text: JSON.stringify(payload), isCut: false, error: null });
});

test("a larger payload is cut at 64 kB, between two characters", async () => {
  const { text, isCut } = await textOf("😀".repeat(20_000));
  expect(isCut).toBe(true);
  expect(Buffer.byteLength(text ?? "")).toBe(65_533);
  expect(text).toMatch(/^"(😀)+$/u);
});

test.each<[string, JobDashboardOptions["redact"]]>([
  ["with a BigInt", () => ({ payload: { id: 1n } })],
  [
    "with a cycle",
    () => {
      const payload: Record<string, unknown> = {};
      payload.self = payload;
      return { payload };
    },
  ],
  [
    "that cannot be read",
    () => ({
      get payload() {
        throw new Error("no");
      },
    }),
  ],
])("a redacted payload %s is hidden, as if redact had thrown", async (_what, redact) => {
  expect(await textOf("a", redact)).toEqual({ text: null, isCut: false, error: null });
});

test("without an id there is no payload", async () => {
  const { page, runner } = fedPage({ authorize: () => "read", redact: ({ payload }) => ({ payload }) });
  await using engine = memoryEngine({ runner });
  page.watch(engine);
  expect(await viewOf<PayloadView>(page, "payload?engine=memory")).toEqual({
    text: null,
    isCut: false,
    error: null,
  });
});

test("an engine that is away says so, as in the other views", async () => {
  const { page, runner } = fedPage({ authorize: () => "read", redact: ({ payload }) => ({ payload }) });
  await using engine = memoryEngine({ runner });
  const job = async () => {
    throw new Error("Redis is unreachable");
  };
  page.watch(Object.assign(Object.create(engine), { job }));
  const view = await viewOf<PayloadView>(page, "payload?engine=memory&id=1");
  expect(view).toEqual({ text: null, isCut: false, error: "Redis is unreachable" });
});
