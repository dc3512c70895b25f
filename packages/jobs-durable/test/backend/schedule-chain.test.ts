import { describe, expect, it } from "vitest";
import {
  type FoundSchedule,
  isOfSchedule,
  type NewJob,
  ScheduleChain,
  type ScheduleRecord,
  type ScheduleStore,
  scheduleRecordFrom,
} from "../../src/backend.ts";
import { newJob } from "../support/new-job.ts";

const everySecond = { everyMs: 1_000, timeZone: "UTC" };

/** Jobs and records, on a clock that a test sets. */
class Store implements ScheduleStore {
  nowMs = 500;
  readonly jobs = new Map<string, NewJob>();
  readonly started = new Set<string>();
  record: ScheduleRecord | undefined;
  /** Called before a record is stored: what another process does meanwhile. */
  meanwhile: () => void | Promise<void> = () => {};

  async now(): Promise<number> {
    return this.nowMs;
  }

  async records(): Promise<readonly FoundSchedule[]> {
    const found = await this.find();
    return found ? [found] : [];
  }

  async find(): Promise<FoundSchedule | undefined> {
    const { record } = this;
    if (record === undefined) return undefined;
    const startAtMs = this.jobs.get(record.nextId)?.runAt?.getTime();
    return { record, startAtMs: this.isWaiting(record.nextId) ? startAtMs : undefined };
  }

  async findStarted(): Promise<readonly ScheduleRecord[]> {
    return this.record && !this.isWaiting(this.record.nextId) ? [this.record] : [];
  }

  isWaiting(id: string): boolean {
    return this.jobs.has(id) && !this.started.has(id);
  }

  async put(record: ScheduleRecord, replacedId: string | undefined): Promise<boolean> {
    const { meanwhile } = this;
    this.meanwhile = () => {};
    await meanwhile();
    if (this.record?.nextId !== replacedId) return false;
    this.record = record;
    return true;
  }

  async remove({ nextId }: ScheduleRecord): Promise<boolean> {
    if (this.record?.nextId !== nextId) return false;
    this.record = undefined;
    return true;
  }

  async insert(job: NewJob): Promise<void> {
    if (!this.jobs.has(job.id)) this.jobs.set(job.id, job);
  }

  async removeWaiting(_name: string, id: string): Promise<void> {
    if (this.isWaiting(id)) this.jobs.delete(id);
  }

  /** Starts the next job, as a worker does when it has leased it. */
  start(): void {
    this.started.add(this.record?.nextId ?? "");
  }

  get waitingAtMs(): (number | undefined)[] {
    return [...this.jobs.values()]
      .filter(({ id }) => this.isWaiting(id))
      .map(({ runAt }) => runAt?.getTime())
      .sort();
  }
}

function chainOf(): { readonly store: Store; readonly chain: ScheduleChain } {
  const store = new Store();
  return { store, chain: new ScheduleChain(store) };
}

const job = newJob("template", { envelopeText: '{"payload":{"b":1,"c":2}}' });
const reordered = { ...job, envelopeText: '{"payload":{"c":2,"b":1}}' };
const other = { ...job, envelopeText: '{"payload":2}' };

describe("a chain of scheduled jobs", () => {
  it("stores one job ahead, and the next one when it has started", async () => {
    const { store, chain } = chainOf();
    await chain.schedule(job, everySecond);
    expect(store.waitingAtMs).toEqual([1_000]);
    await chain.goOn(["a"]);
    expect(store.waitingAtMs).toEqual([1_000]);
    store.nowMs = 1_100;
    store.start();
    await Promise.all([chain.goOn(["a"]), chain.goOn(["a", "a"])]);
    expect(store.waitingAtMs).toEqual([2_000]);
    expect([...store.jobs.values()].every(({ envelopeText }) => isOfSchedule(envelopeText))).toBe(true);
  });

  it("skips what was missed", async () => {
    const { store, chain } = chainOf();
    await chain.schedule(job, everySecond);
    store.nowMs = 9_500;
    await chain.schedule(reordered, everySecond);
    expect(store.waitingAtMs).toEqual([1_000]);
    store.start();
    await chain.goOn(["a"]);
    expect(store.waitingAtMs).toEqual([10_000]);
  });

  it("does not store a moment twice, whatever the clock of the store says", async () => {
    const { store, chain } = chainOf();
    await chain.schedule(job, everySecond);
    store.nowMs = 400;
    store.start();
    await chain.goOn(["a"]);
    expect(store.waitingAtMs).toEqual([2_000]);
  });

  it("stores one job if several processes schedule at once", async () => {
    const { store, chain } = chainOf();
    await Promise.all(Array.from({ length: 20 }, () => chain.schedule(job, everySecond)));
    expect(store.waitingAtMs).toEqual([1_000]);
    await Promise.all([chain.schedule(job, everySecond), chain.schedule(other, everySecond)]);
    expect(store.waitingAtMs).toEqual([1_000]);
    expect(store.jobs.has(store.record?.nextId ?? "")).toBe(true);
  });

  it("leaves nothing behind if another process ends the schedule at the same moment", async () => {
    const { store, chain } = chainOf();
    await chain.schedule(job, everySecond);
    store.start();
    store.meanwhile = async () => void (await chain.unschedule("a", undefined));
    await chain.goOn(["a"]);
    expect([store.waitingAtMs, store.record]).toEqual([[], undefined]);
  });

  it("goes on after another process stored the next job and died", async () => {
    const { store, chain } = chainOf();
    await chain.schedule(job, everySecond);
    store.start();
    store.meanwhile = () => {
      throw new Error("the process died");
    };
    await expect(chain.goOn(["a"])).rejects.toThrow("died");
    await chain.goOn(["a"]);
    expect(store.waitingAtMs).toEqual([2_000]);
    expect(store.record?.nextRunAtMs).toBe(2_000);
  });

  it("goes on behind a run that was removed or cancelled, also if the schedule is stored again", async () => {
    for (const goOn of ["goOn", "schedule"] as const) {
      const { store, chain } = chainOf();
      await chain.schedule(job, everySecond);
      store.start();
      await (goOn === "goOn" ? chain.goOn(["a"]) : chain.schedule(job, everySecond));
      expect(store.waitingAtMs).toEqual([2_000]);
    }
  });

  it("does not stand still if its next moment comes back to a run that was cancelled", async () => {
    const { store, chain } = chainOf();
    await chain.schedule(job, everySecond);
    store.start();
    await chain.goOn(["a"]);
    await chain.schedule(job, { everyMs: 5_000, timeZone: "UTC" });
    await chain.schedule(job, everySecond);
    expect(store.waitingAtMs).toEqual([2_000]);
  });

  it("stores the next job behind all runs that were cancelled before, if it begins again", async () => {
    const { store, chain } = chainOf();
    await chain.schedule(job, everySecond);
    for (const _run of [1, 2, 3]) {
      store.start();
      await chain.goOn(["a"]);
    }
    await chain.unschedule("a", undefined);
    await chain.schedule(job, everySecond);
    expect(store.waitingAtMs).toEqual([4_000]);
    expect(store.record?.nextRunAtMs).toBe(4_000);
  });

  it("asks a store that keeps no job of it a bounded number of times", async () => {
    const { store, chain } = chainOf();
    store.insert = async () => {};
    await chain.schedule(job, everySecond);
    expect(store.waitingAtMs).toEqual([]);
  });

  it("ends with the last moment, and does not begin again", async () => {
    const { store, chain } = chainOf();
    const rule = { ...everySecond, endAtMs: 1_000 };
    await chain.schedule(job, rule);
    store.nowMs = 1_500;
    await chain.schedule(job, rule);
    expect(store.waitingAtMs).toEqual([1_000]);
    store.start();
    await chain.goOn(["a"]);
    expect([store.waitingAtMs, store.record]).toEqual([[], undefined]);
    await chain.schedule(job, rule);
    expect([store.waitingAtMs, store.record]).toEqual([[], undefined]);
  });

  it("keeps when its rule was made, and begins anew with another rule", async () => {
    const { store, chain } = chainOf();
    await chain.schedule(job, everySecond);
    store.nowMs = 700;
    await chain.schedule(other, everySecond);
    expect((await chain.schedules(undefined))[0]?.madeAt.getTime()).toBe(500);
    await chain.schedule(other, { ...everySecond, startAtMs: 5_000 });
    expect(await chain.schedules(undefined)).toEqual([
      expect.objectContaining({ madeAt: new Date(700), nextRunAt: new Date(5_000) }),
    ]);
    expect(store.waitingAtMs).toEqual([5_000]);
  });
});

describe("a record from a store", () => {
  it("is read as it was stored, and left out if another program wrote something else", async () => {
    const { store, chain } = chainOf();
    await chain.schedule(job, { cron: "0 3 * * *", timeZone: "Europe/Vienna", key: "k" });
    const stored = JSON.parse(JSON.stringify(store.record)) as Record<string, unknown>;
    expect(scheduleRecordFrom(stored)).toEqual(stored);
    const broken = [
      ...[null, 5, "x", {}],
      ...["jobName", "rule", "madeAtMs", "job", "fingerprint", "nextId", "nextRunAtMs"].flatMap((member) => [
        { ...stored, [member]: undefined },
        { ...stored, [member]: { x: 1 } },
      ]),
      ...["no object", "{", "[]", undefined].map((envelopeText) => ({
        ...stored,
        job: { ...job, envelopeText },
      })),
      { ...stored, nextId: "no UUID" },
      { ...stored, job: { ...job, name: "another" } },
      { ...stored, job: { ...job, maxAttempts: "5" } },
      { ...stored, job: { ...job, priority: Number.NaN } },
    ];
    for (const each of broken) expect(scheduleRecordFrom(each)).toBeUndefined();
  });
});

describe("a record that cannot be read", () => {
  it("rejects a schedule in its place, and is not tried for ever", async () => {
    const { store, chain } = chainOf();
    let puts = 0;
    store.put = async () => ++puts < 0;
    await expect(chain.schedule(job, everySecond)).rejects.toThrow(/schedule of "a" was not stored/);
    expect(puts).toBeLessThan(1_000);
    expect(store.waitingAtMs).toEqual([]);
  });
});
