import { randomUUID } from "node:crypto";
import net from "node:net";
import pg from "pg";
import { sharedPostgres } from "test-servers";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { NotificationListener } from "../../src/connection/notification-listener.ts";

const postgres = await sharedPostgres();
const connectionString = postgres?.url ?? "";

afterAll(() => postgres?.stop());

/** The queries that a client has on their way at once, at most. */
interface Load {
  now: number;
  most: number;
}

/** Counts the queries of a client. */
function count(client: pg.Client, load: Load): void {
  const query = client.query.bind(client) as (text: string, values?: unknown[]) => Promise<unknown>;
  const counting = async (text: string, values?: unknown[]): Promise<unknown> => {
    load.most = Math.max(load.most, ++load.now);
    try {
      return await query(text, values);
    } finally {
      load.now--;
    }
  };
  Object.assign(client, { query: counting });
}

describe.skipIf(postgres === undefined)("the connection that listens", () => {
  let other: pg.Client;
  beforeAll(async () => {
    other = new pg.Client({ connectionString });
    await other.connect();
  });
  afterAll(() => other?.end());

  function listen({ onClient }: { onClient?: (client: pg.Client) => void } = {}): NotificationListener {
    const listener = new NotificationListener({
      createClient() {
        const socket = new net.Socket();
        const client = new pg.Client({ connectionString, stream: () => socket });
        onClient?.(client);
        return { client, socket };
      },
      notify: (channel, payload) => other.query("SELECT pg_notify($1::text, $2::text)", [channel, payload]),
      onError: () => {},
    });
    onTestFinished(() => listener.close());
    return listener;
  }

  /** Subscribes, with an advisory lock as the announcement. */
  function subscribe(listener: NotificationListener, channel: string, lock: number) {
    const heard: string[] = [];
    let resolve = (): void => {};
    const listening = new Promise<void>((resolved) => {
      resolve = resolved;
    });
    const leave = listener.subscribe({
      channel,
      announcement: {
        begin: "SELECT pg_advisory_lock_shared($1::bigint)",
        end: "SELECT pg_advisory_unlock_shared($1::bigint)",
        values: [lock],
      },
      onMessage: (payload) => void heard.push(payload),
      onListening: () => resolve(),
    });
    return { heard, listening, leave };
  }

  /** Resolves once the connection listens and has nothing to do. */
  async function settled(listening: Promise<void>): Promise<void> {
    await listening;
    await other.query("SELECT 1");
  }

  async function isLocked(lock: number): Promise<boolean> {
    const text = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = $1";
    return (await other.query(text, [lock])).rows.length > 0;
  }

  it("has one query on its way at a time, however many subscriptions come and go", async () => {
    const load: Load = { now: 0, most: 0 };
    const listener = listen({ onClient: (client) => count(client, load) });
    const stays = subscribe(listener, "stays", 1);
    await settled(stays.listening);
    const passing = Array.from({ length: 5 }, (_, index) =>
      subscribe(listener, `passing_${index}`, 10 + index),
    );
    await Promise.all(passing.map(({ listening }) => listening));
    await Promise.all(passing.map(({ leave }) => leave()));
    expect(load.most).toBe(1);
  });

  it("collects nothing as it is lost and opened again", async () => {
    const warnings: string[] = [];
    const hear = ({ name }: Error): void => void warnings.push(name);
    process.on("warning", hear);
    onTestFinished(() => void process.off("warning", hear));
    const clients: pg.Client[] = [];
    const listener = listen({ onClient: (client) => void clients.push(client) });
    let times = 0;
    listener.subscribe({ channel: "often_lost", onMessage() {}, onListening: () => void times++ });
    // Node warns of the eleventh listener of one signal.
    for (let lost = 1; lost <= 12; lost++) {
      await expect.poll(() => times).toBe(lost);
      const { processID } = clients.at(-1) as unknown as { readonly processID: number };
      await other.query("SELECT pg_terminate_backend($1)", [processID]);
    }
    await expect.poll(() => times).toBe(13);
    expect(warnings).toEqual([]);
  });

  it("hears a channel whose last subscription leaves while the next one comes", async () => {
    const listener = listen();
    await settled(subscribe(listener, "kept_open", 1).listening);
    const first = subscribe(listener, "handed_over", 2);
    await first.listening;
    const left = first.leave();
    const second = subscribe(listener, "handed_over", 3);
    await Promise.all([left, second.listening]);
    const payload = randomUUID();
    await other.query("SELECT pg_notify('handed_over', $1)", [payload]);
    await expect.poll(() => second.heard).toEqual([payload]);
  });

  it("keeps no announcement of a subscription that leaves before it listens", async () => {
    const listener = listen();
    const opening = subscribe(listener, "left_while_opening", 101);
    const stays = subscribe(listener, "stays_after", 102);
    await opening.leave();
    await settled(stays.listening);
    const brief = subscribe(listener, "left_at_once", 103);
    await brief.leave();
    await subscribe(listener, "last", 104).listening;
    expect(await Promise.all([101, 102, 103, 104].map(isLocked))).toEqual([false, true, false, true]);
  });
});
