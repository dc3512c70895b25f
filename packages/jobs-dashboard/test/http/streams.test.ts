import { afterEach, expect, test, vi } from "vitest";
import { Streams } from "../../src/http/streams.ts";
import type { WatchedEngine } from "../../src/index.ts";
import { PageModel } from "../../src/views/page-model.ts";
import type { StoredJobView } from "../../src/wire-stored.ts";
import { eventOf } from "../support/served.ts";

const counts = { scheduled: 0, waiting: 0, running: 0, succeeded: 0, deadLettered: 0, cancelled: 0 };

/** An engine of another kind, whose members may be replaced. */
const engineWith = (members: Partial<WatchedEngine>): WatchedEngine => ({
  name: "other",
  stats: async () => ({ ...counts, oldestWaitingAt: undefined, byName: {} }),
  deadLetters: async () => [],
  cancel: async () => false,
  redrive: async () => false,
  ...members,
});

function streamsOf(engine: WatchedEngine) {
  const model = new PageModel({});
  model.watch(engine);
  const streams = new Streams(model);
  const open = (view: string) => streams.open(view, new Request("http://localhost/"));
  return { streams, open };
}

const silent = () => new Promise<never>(() => {});

afterEach(() => void vi.restoreAllMocks());

test("a view that takes long holds up no other view, no sign of life, and no end of a stream", async () => {
  const { streams, open } = streamsOf(engineWith({ job: silent }));
  const slow = open("stored?engine=other&id=1").text();
  for (let viewer = 0; viewer < 2; viewer++) await eventOf(open("overview"));
  const now = performance.now.bind(performance);
  const clock = vi.spyOn(performance, "now").mockImplementation(() => now() + 11_000);
  streams.refresh();
  await expect.poll(() => clock.mock.calls.length).toBeGreaterThan(1);
  clock.mockImplementation(() => now() + 301_000);
  streams.refresh();
  expect(await slow).toBe("retry: 1000\n\nevent: alive\ndata:\n\n");
  streams.end();
});

test("a stored job is read once for all its viewers, and they are told when its engine is silent", async () => {
  let reads = 0;
  const job = () => {
    reads++;
    return silent();
  };
  const { streams, open } = streamsOf(engineWith({ job }));
  const events = await Promise.all(
    Array.from({ length: 3 }, () => eventOf(open("stored?engine=other&id=1"))),
  );
  for (const { data } of events) {
    expect(JSON.parse(data) as StoredJobView).toMatchObject({ job: null, error: "no answer yet" });
  }
  expect(reads).toBe(1);
  streams.end();
});

test("every viewer is told that a view could not be made", async () => {
  const { streams, open } = streamsOf(
    engineWith({ jobs: async () => ({ jobs: [null as never], cursor: undefined }) }),
  );
  for (let viewer = 0; viewer < 2; viewer++) {
    let text = "";
    for await (const chunk of open("jobs?engine=other").body ?? []) {
      text += Buffer.from(chunk).toString();
      if (text.includes("event: failed\n")) break;
    }
    expect(text).toContain('data: {"error":"the page could not make this view"}');
  }
  streams.end();
});
