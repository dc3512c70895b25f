import { setTimeout as pause } from "node:timers/promises";
import type { Connection } from "../connection/connection.ts";
import { NotificationListener } from "../connection/notification-listener.ts";
import type { SqlDatabase } from "../database/pg-boss-like.ts";
import { type Row, runSql } from "../database/run-sql.ts";
import type { PollIntervals } from "../options.ts";
import { JobNotifier } from "../store/job-notifier.ts";
import { later, type Notifications, notifications } from "../store/notifications.ts";
import type { Notifies } from "../store/queue-statements.ts";
import { type PollWait, PollWakeup } from "./poll-wakeup.ts";

/** How long a watcher of ends waits until the server tells of them. */
const listensWithinMs = 1_000;

/** Tells workers of jobs, in this process and over PostgreSQL in others, and callers of the ends that they await. */
export class JobSignals {
  readonly #db: SqlDatabase;
  readonly #notifications: Notifications;
  readonly #wakeup: PollWakeup;
  readonly #listener: NotificationListener | undefined;
  /** Undefined on an embedded database, which one process has for itself. */
  #notifier: JobNotifier | undefined;
  readonly #isShared: boolean;

  constructor(
    db: SqlDatabase,
    { schema, createClient, hasTransactions }: Connection,
    polls: PollIntervals,
    onError: (error: unknown) => void,
  ) {
    this.#db = db;
    this.#notifications = notifications(schema);
    this.#wakeup = new PollWakeup(polls);
    this.#isShared = hasTransactions;
    this.begin();
    if (createClient === undefined) return;
    const notify = (channel: string, payload: string): Promise<Row[]> =>
      runSql(db, "SELECT pg_notify($1::text, $2::text)", [channel, payload]);
    this.#listener = new NotificationListener({ createClient, notify, onError });
  }

  /** Makes what sends notifications part of the work that calls this. */
  begin(): void {
    const { notifyJobs } = this.#notifications;
    if (this.#isShared)
      this.#notifier = new JobNotifier((payloads) => runSql(this.#db, notifyJobs, [payloads]));
  }

  /** Decides how the statement that stores a job tells other processes. In the caller's transaction, its commit tells them. */
  beforeInsert(runAt: Date | undefined, db: SqlDatabase | undefined): Notifies {
    const notifier = this.#notifier;
    const inMs = msUntil(runAt);
    if (notifier === undefined || !this.#wakeup.isBeforeNextPoll(inMs)) return undefined;
    const isInStatement = db === undefined ? notifier.takeQuiet() : notifier.takeInTransaction();
    if (!isInStatement) return undefined;
    return inMs > 0 ? "later" : "now";
  }

  /** Tells of a job that was stored. `notifies` is what `beforeInsert` returned. */
  afterInsert(queue: string, runAt: Date | undefined, db: SqlDatabase | undefined, notifies: Notifies): void {
    const inMs = msUntil(runAt);
    this.#wakeup.wakeIn(queue, inMs);
    if (notifies !== undefined || !this.#wakeup.isBeforeNextPoll(inMs)) return;
    const payload = `${queue}${inMs > 0 ? later : ""}`;
    if (db === undefined) this.#notifier?.stored(payload);
    else this.#notifier?.storedInTransaction(payload);
  }

  /** Tells the workers of this process of jobs in a queue that are due in `inMs` milliseconds. */
  wakeIn(queue: string, inMs: number): void {
    this.#wakeup.wakeIn(queue, inMs);
  }

  /** Makes the wait of a worker for jobs in these queues, and listens for them until it leaves. */
  join(queues: readonly string[]): PollWait {
    const leave = this.#listener?.subscribe({
      channel: this.#notifications.jobsChannel,
      onMessage: (payload) => wait.hear(payload),
      onListening: () => wait.beginListening(),
      onLost: () => wait.endListening(),
    });
    const wait: PollWait = this.#wakeup.join(queues, { leave, check: () => this.#listener?.check() });
    return wait;
  }

  /** Calls `onEnd` with the id of each job in a queue that ends. Undefined if the engine does not listen. */
  get watchEnds():
    | ((queue: string, onEnd: (jobId: string) => void) => Promise<() => Promise<void>>)
    | undefined {
    const listener = this.#listener;
    if (listener === undefined) return undefined;
    const { endsChannel, awaitEnds, awaitNoEnds } = this.#notifications;
    return async (queue, onEnd) => {
      let onAnnounced = (): void => {};
      const announced = new Promise<void>((resolve) => {
        onAnnounced = resolve;
      });
      const end = listener.subscribe({
        channel: endsChannel,
        announcement: { begin: awaitEnds, end: awaitNoEnds, values: [queue] },
        onMessage(payload) {
          const [id = "", ofQueue] = payload.split(" ");
          if (ofQueue === queue) onEnd(id);
        },
        onListening: onAnnounced,
      });
      // Without a connection, the engine asks once a second until there is one.
      const ended = new AbortController();
      await Promise.race([
        announced,
        pause(listensWithinMs, undefined, { signal: ended.signal }).catch(() => {}),
      ]);
      ended.abort();
      return end;
    };
  }

  /** Sends the notifications that wait, and ends the connection. Never rejects. */
  async close(): Promise<void> {
    await Promise.all([this.#notifier?.close(), this.#listener?.close()]);
  }
}

function msUntil(runAt: Date | undefined): number {
  return runAt === undefined ? 0 : runAt.getTime() - Date.now();
}
