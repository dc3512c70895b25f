import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { MemoryJob } from "../../src/memory/memory-job.ts";
import { MemoryTable } from "../../src/memory/memory-table.ts";
import { newJob } from "../support/new-job.ts";

interface ModelJob {
  readonly id: string;
  readonly name: string;
  runAtMs: number;
  /** When it was put in line: of jobs that may run from the same moment, the first in line is the first to run. */
  place: number;
  state: MemoryJob["state"];
  attempt: number;
  isCancelRequested: boolean;
  endedAt: number;
}

/** Does the same as the table in the plainest way: it keeps everything in one list, and forgets nothing. */
interface Model {
  readonly jobs: ModelJob[];
  /** Jobs that were taken and not settled, as the table gave them out. */
  readonly held: Map<string, MemoryJob>;
  /** When it was last the turn of each name. */
  readonly turns: Map<string, number>;
  clock: number;
}

const names = ["a", "b"];

function idsIn(model: Model, state: MemoryJob["state"]): string[] {
  return model.jobs.filter((job) => job.state === state).map(({ id }) => id);
}

class Add implements fc.Command<Model, MemoryTable> {
  readonly #name: string;
  readonly #key: number;
  readonly #inMs: number;
  constructor(name: string, key: number, inMs: number) {
    this.#name = name;
    this.#key = key;
    this.#inMs = inMs;
  }
  check = (): boolean => true;
  run(model: Model, table: MemoryTable): void {
    const id = `${this.#name}-${this.#key}`;
    const isNew = model.jobs.every((job) => job.id !== id);
    const runAtMs = Date.now() + this.#inMs;
    const { isDuplicate } = table.add(
      newJob(id, {
        name: this.#name,
        envelopeText: JSON.stringify({ payload: id }),
        runAt: new Date(runAtMs),
        maxAttempts: 3,
        hasIdempotencyKey: true,
      }),
    );
    expect(isDuplicate).toBe(!isNew);
    if (!isNew) return;
    model.jobs.push({
      id,
      name: this.#name,
      runAtMs,
      place: model.clock++,
      state: "pending",
      attempt: 0,
      isCancelRequested: false,
      endedAt: 0,
    });
  }
  toString = (): string => `add(${this.#name}-${this.#key}, in ${this.#inMs} ms)`;
}

class Take implements fc.Command<Model, MemoryTable> {
  readonly #names: readonly string[];
  readonly #limit: number;
  constructor(chosen: readonly string[], limit: number) {
    this.#names = chosen;
    this.#limit = limit;
  }
  check = (): boolean => true;
  run(model: Model, table: MemoryTable): void {
    const taken = table.take(new Set(this.#names), this.#limit);
    for (let number = 0; number < this.#limit; number++) {
      const [first] = model.jobs
        .filter(({ name, state, runAtMs }) => {
          return this.#names.includes(name) && state === "pending" && runAtMs <= Date.now();
        })
        .toSorted((a, b) => {
          const turns = (model.turns.get(a.name) ?? 0) - (model.turns.get(b.name) ?? 0);
          const order = this.#names.indexOf(a.name) - this.#names.indexOf(b.name);
          return turns || order || a.runAtMs - b.runAtMs || a.place - b.place;
        });
      const job = taken[number];
      expect(job?.id).toBe(first?.id);
      if (job === undefined || first === undefined) break;
      model.turns.set(job.name, model.clock++);
      first.state = "running";
      first.attempt++;
      expect(job).toMatchObject({ attempt: first.attempt, isCancelRequested: first.isCancelRequested });
      model.held.set(job.id, job);
    }
  }
  toString = (): string => `take(${this.#names.join("+")}, ${this.#limit})`;
}

class Settle implements fc.Command<Model, MemoryTable> {
  readonly #pick: number;
  readonly #type: "succeeded" | "retried" | "dead-lettered" | "cancelled" | "released";
  constructor(pick: number, type: "succeeded" | "retried" | "dead-lettered" | "cancelled" | "released") {
    this.#pick = pick;
    this.#type = type;
  }
  check = ({ held }: Model): boolean => held.size > 0;
  run(model: Model, table: MemoryTable): void {
    const [id, job] = [...model.held][this.#pick % model.held.size] as [string, MemoryJob];
    const known = model.jobs.find((each) => each.id === id) as ModelJob;
    const type = this.#type;
    const runAtMs = Date.now() + 50;
    const outcome =
      type === "retried"
        ? { type, delayMs: 50, error: "no" }
        : type === "dead-lettered"
          ? { type, error: `no, ${id}` }
          : { type };
    expect(table.settle(job, outcome)).toBe(true);
    expect(type === "released" || type === "retried" || !table.settle(job, outcome)).toBe(true);
    model.held.delete(id);
    if (type === "retried" || type === "released") {
      known.state = "pending";
      if (type === "released") known.attempt--;
      else Object.assign(known, { runAtMs, place: model.clock++ });
    } else {
      known.state = type;
      known.endedAt = model.clock++;
    }
  }
  toString = (): string => `settle(#${this.#pick}, ${this.#type})`;
}

class Cancel implements fc.Command<Model, MemoryTable> {
  readonly #id: string;
  constructor(id: string) {
    this.#id = id;
  }
  check = (): boolean => true;
  run(model: Model, table: MemoryTable): void {
    const known = model.jobs.find(({ id }) => id === this.#id);
    const isThere = known?.state === "pending" || known?.state === "running";
    expect(table.cancel(this.#id)).toBe(isThere);
    if (known?.state === "running") known.isCancelRequested = true;
    if (known?.state === "pending") {
      known.state = "cancelled";
      known.endedAt = model.clock++;
    }
  }
  toString = (): string => `cancel(${this.#id})`;
}

class Redrive implements fc.Command<Model, MemoryTable> {
  readonly #id: string;
  constructor(id: string) {
    this.#id = id;
  }
  check = (): boolean => true;
  run(model: Model, table: MemoryTable): void {
    const known = model.jobs.find(({ id }) => id === this.#id);
    expect(table.redrive(this.#id)).toBe(known?.state === "dead-lettered");
    if (known?.state !== "dead-lettered") return;
    Object.assign(known, {
      state: "pending",
      attempt: 0,
      runAtMs: Date.now(),
      place: model.clock++,
      isCancelRequested: false,
    });
  }
  toString = (): string => `redrive(${this.#id})`;
}

class Wait implements fc.Command<Model, MemoryTable> {
  readonly #ms: number;
  constructor(ms: number) {
    this.#ms = ms;
  }
  check = (): boolean => true;
  run(): void {
    vi.setSystemTime(Date.now() + this.#ms);
  }
  toString = (): string => `wait(${this.#ms} ms)`;
}

class Look implements fc.Command<Model, MemoryTable> {
  check = (): boolean => true;
  run(model: Model, table: MemoryTable): void {
    const counts = table.counts();
    for (const name of names) {
      const own = model.jobs.filter((job) => job.name === name);
      if (own.length === 0) {
        expect(counts.has(name)).toBe(false);
        continue;
      }
      const count = (state: MemoryJob["state"]): number => own.filter((job) => job.state === state).length;
      const waiting = own.filter(({ state, runAtMs }) => state === "pending" && runAtMs <= Date.now());
      expect(counts.get(name)).toEqual({
        scheduled: count("pending") - waiting.length,
        waiting: waiting.length,
        running: count("running"),
        succeeded: count("succeeded"),
        deadLettered: count("dead-lettered"),
        cancelled: count("cancelled"),
        oldestWaitingAt:
          waiting.length === 0 ? undefined : new Date(Math.min(...waiting.map(({ runAtMs }) => runAtMs))),
      });
    }
    const letters = model.jobs
      .filter(({ state }) => state === "dead-lettered")
      .toSorted((a, b) => b.endedAt - a.endedAt);
    expect(table.deadLetters(100).map(({ id, attempts, error }) => ({ id, attempts, error }))).toEqual(
      letters.map(({ id, attempt }) => ({ id, attempts: attempt, error: `no, ${id}` })),
    );
    expect([...model.held.keys()].toSorted()).toEqual(idsIn(model, "running").toSorted());
  }
  toString = (): string => "look()";
}

const name = fc.constantFrom(...names);
const key = fc.integer({ min: 0, max: 5 });
const id = fc.tuple(name, key).map(([of, number]) => `${of}-${number}`);
const commands = fc.commands(
  [
    fc
      .tuple(name, key, fc.constantFrom(0, 0, 0, -10, 20, 100))
      .map(([of, number, inMs]) => new Add(of, number, inMs)),
    fc
      .tuple(fc.subarray(names, { minLength: 1 }), fc.integer({ min: 1, max: 4 }))
      .map(([of, limit]) => new Take(of, limit)),
    fc
      .tuple(
        fc.nat({ max: 9 }),
        fc.constantFrom("succeeded", "retried", "dead-lettered", "cancelled", "released"),
      )
      .map(([pick, type]) => new Settle(pick, type)),
    id.map((of) => new Cancel(of)),
    id.map((of) => new Redrive(of)),
    fc.constantFrom(1, 30, 200).map((ms) => new Wait(ms)),
    fc.constant(new Look()),
  ],
  { maxCommands: 60, size: "max" },
);

describe("MemoryTable", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"] }));
  afterEach(() => void vi.useRealTimers());

  it("does as a plain list of jobs would, whatever is done to it", () => {
    fc.assert(
      fc.property(commands, (plan) => {
        fc.modelRun(
          () => ({
            model: { jobs: [], held: new Map(), turns: new Map(), clock: 1 } as Model,
            real: new MemoryTable(1e9, 1e9),
          }),
          plan,
        );
      }),
      { numRuns: 500 },
    );
  });
});
