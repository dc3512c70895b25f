import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { startPostgres, startRedis } from "test-servers";
import type { Reading } from "../comparison.ts";
import type { Stored } from "../enqueue-at-once.ts";
import { spreadOf } from "../harness.ts";
import { mailsFrom, openProducer, type Producer, type SideName, type Store } from "./producers.ts";

const rounds = 12;
const warmUpRounds = 2;

/** Processes of each side that store many jobs at once. */
const processes = 3;
const manyJobs = 200_000;

/** A way to enqueue, and how many jobs a round of it has. */
interface Way {
  readonly id: string;
  readonly title: string;
  readonly jobs: number;
  enqueue(producer: Producer, jobs: number): Promise<void>;
}

const ways: readonly Way[] = [
  { id: "one", title: "one by one", jobs: 1_000, enqueue: (producer, jobs) => atATime(1, producer, jobs) },
  { id: "50", title: "50 at a time", jobs: 5_000, enqueue: (producer, jobs) => atATime(50, producer, jobs) },
  {
    id: "batches",
    title: "in batches of 1,000",
    jobs: 10_000,
    async enqueue(producer, jobs) {
      for (let first = 0; first < jobs; first += 1_000) await producer.many(mailsFrom(first, 1_000));
    },
  },
];

async function atATime(concurrency: number, producer: Producer, jobs: number): Promise<void> {
  const mails = mailsFrom(0, jobs);
  const loops = Array.from({ length: concurrency }, async () => {
    for (let mail = mails.pop(); mail !== undefined; mail = mails.pop()) await producer.one(mail);
  });
  await Promise.all(loops);
}

/** What a round takes: the time on the clock, and that of this process's processor. */
interface Taken {
  readonly ms: number;
  readonly cpuMs: number;
}

async function taken(work: () => Promise<void>): Promise<Taken> {
  const [startMs, cpu] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { ms: performance.now() - startMs, cpuMs: (user + system) / 1_000 };
}

/** Enqueues on both sides in turn, on one server. The sides take turns to go first. */
async function readWay(store: Store, way: Way, ours: Producer, bare: Producer): Promise<Reading> {
  const measured = { ours: [] as Taken[], bare: [] as Taken[] };
  for (let round = 0; round < rounds; round++) {
    const order: [SideName, Producer][] = [
      ["ours", ours],
      ["bare", bare],
    ];
    for (const [side, producer] of round % 2 === 0 ? order : order.reverse()) {
      const each = await taken(() => way.enqueue(producer, way.jobs));
      if (round >= warmUpRounds) measured[side].push(each);
    }
  }
  const ratios = measured.bare.map(({ ms }, round) => ms / (measured.ours[round] as Taken).ms);
  const cpu = (side: readonly Taken[]): string =>
    `${((1_000 * spreadOf(side.map(({ cpuMs }) => cpuMs)).median) / way.jobs).toFixed(0)} µs`;
  return {
    id: `enqueue-${store}-${way.id}`,
    title: `throughput of enqueues on ${serverNames[store]}, ${way.title} / the bare library`,
    unit: "x",
    value: spreadOf(ratios).median,
    asked: { atLeast: 0.9 },
    note: `processor time of the enqueuing process for a job: ${cpu(measured.ours)}, bare ${cpu(measured.bare)}`,
  };
}

const serverNames: Readonly<Record<Store, string>> = {
  redis: "Redis with BullMQ",
  postgres: "PostgreSQL with pg-boss",
};

/** Stores all jobs at once, in a process of its own, since memory is read of the whole process. */
function storeApart(store: Store, side: SideName, url: string): Stored {
  const program = fileURLToPath(new URL("../enqueue-at-once.js", import.meta.url));
  const args = ["--expose-gc", program, store, side, url, String(manyJobs)];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" })) as Stored;
}

function readAtOnce(store: Store, url: string): Reading[] {
  const ours: Stored[] = [];
  const bare: Stored[] = [];
  for (let round = 0; round < processes; round++) {
    ours.push(storeApart(store, "ours", url));
    bare.push(storeApart(store, "bare", url));
  }
  const ratioOf = (numerators: readonly number[], denominators: readonly number[]): number =>
    spreadOf(numerators.map((each, index) => each / (denominators[index] as number))).median;
  const times = (side: readonly Stored[]): number[] => side.map(({ ms }) => ms);
  const memory = (side: readonly Stored[]): number[] => side.map(({ grownBytes }) => grownBytes);
  const megabytes = (side: readonly Stored[]): string =>
    `${(spreadOf(memory(side)).median / 1e6).toFixed(0)} MB`;
  const count = manyJobs.toLocaleString("en");
  return [
    {
      id: `enqueue-${store}-at-once`,
      title: `throughput of enqueues on ${serverNames[store]}, ${count} at once / the bare library`,
      unit: "x",
      value: ratioOf(times(bare), times(ours)),
      asked: { atLeast: 0.9 },
    },
    {
      id: `enqueue-${store}-at-once-memory`,
      title: `growth of the process while it enqueues ${count} at once on ${serverNames[store]} / the bare library`,
      unit: "x",
      value: ratioOf(memory(ours), memory(bare)),
      asked: store === "redis" ? { atMost: 0.5 } : undefined,
      note: `${megabytes(ours)}, bare ${megabytes(bare)}`,
    },
  ];
}

async function readStore(store: Store, url: string): Promise<Reading[]> {
  const ours = await openProducer(store, "ours", url);
  const bare = await openProducer(store, "bare", url);
  const readings: Reading[] = [];
  try {
    for (const way of ways) readings.push(await readWay(store, way, ours, bare));
  } finally {
    await ours.close();
    await bare.close();
  }
  return [...readings, ...readAtOnce(store, url)];
}

export async function enqueueReadings(): Promise<Reading[]> {
  const redis = await startRedis();
  const readings: Reading[] = [];
  try {
    readings.push(...(await readStore("redis", `redis://127.0.0.1:${redis.port}`)));
  } finally {
    await redis.stop();
  }
  const postgres = await startPostgres();
  try {
    readings.push(...(await readStore("postgres", postgres.url)));
  } finally {
    await postgres.stop();
  }
  return readings;
}
