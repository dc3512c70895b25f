import { bullmqEngine } from "@nidus/jobs-bullmq";
import { defineJob, type JobEngine } from "@nidus/jobs-durable";
import { pgBossEngine } from "@nidus/jobs-pg-boss";
import { production } from "@nidus/observability";
import { Queue } from "bullmq";
import PgBoss from "pg-boss";

/** A payload of a usual size: about 120 bytes of JSON. */
export interface Mail {
  readonly to: string;
  readonly template: string;
  readonly user: { readonly id: number; readonly locale: string };
  readonly isUrgent: boolean;
}

/** Stores jobs: one, or many in one call. */
export interface Producer {
  one(mail: Mail): Promise<unknown>;
  many(mails: readonly Mail[]): Promise<unknown>;
  close(): Promise<void>;
}

export type Store = "redis" | "postgres";
export type SideName = "ours" | "bare";

export function mailsFrom(first: number, count: number): Mail[] {
  return Array.from({ length: count }, (_, index) => ({
    to: `customer-${first + index}@example.com`,
    template: "order-confirmation",
    user: { id: first + index, locale: "en-GB" },
    isUrgent: index % 2 === 0,
  }));
}

/** Opens a producer of one side: the engine with a runner that feeds Prometheus, or the bare library. */
export function openProducer(store: Store, side: SideName, url: string): Promise<Producer> {
  if (store === "redis") return side === "ours" ? ourBullmq(url) : bareBullmq(url);
  return side === "ours" ? ourPgBoss(url) : barePgBoss(url);
}

function producerOf(engine: JobEngine): Producer {
  const job = defineJob<Mail>({ name: "mail", run: () => {} });
  return {
    one: (mail) => engine.enqueue(job, mail),
    many: (mails) => engine.enqueueMany(job, mails),
    close: () => engine.close(),
  };
}

async function ourBullmq(url: string): Promise<Producer> {
  const runner = production("bench").prometheus().jobRunner();
  return producerOf(await bullmqEngine({ runner, connection: { url } }));
}

async function ourPgBoss(url: string): Promise<Producer> {
  const runner = production("bench").prometheus().jobRunner();
  return producerOf(await pgBossEngine({ runner, connectionString: url }));
}

/** The options that the engine on BullMQ stores with a job. */
const bullmqOptions = {
  attempts: 5,
  backoff: { type: "exponential", delay: 250 },
  removeOnComplete: { age: 24 * 60 * 60 },
  removeOnFail: { age: 14 * 24 * 60 * 60 },
  stackTraceLimit: 0,
};

async function bareBullmq(url: string): Promise<Producer> {
  const queue = new Queue("bare", { connection: { url } });
  await queue.waitUntilReady();
  return {
    one: (mail) => queue.add("mail", mail, bullmqOptions),
    many: (mails) => queue.addBulk(mails.map((data) => ({ name: "mail", data, opts: bullmqOptions }))),
    close: () => queue.close(),
  };
}

/** The options that the engine on pg-boss stores with a job, beside pg-boss's defaults. */
const pgBossOptions = { retryLimit: 5, expireInSeconds: 30 };

async function barePgBoss(url: string): Promise<Producer> {
  const boss = new PgBoss({ connectionString: url, schema: "bare" });
  await boss.start();
  await boss.createQueue("mail");
  return {
    one: (mail) => boss.send("mail", mail, pgBossOptions),
    many: (mails) => boss.insert(mails.map((data) => ({ name: "mail", data, ...pgBossOptions }))),
    close: () => boss.stop({ graceful: false }),
  };
}
