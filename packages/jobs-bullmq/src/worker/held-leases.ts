import { cancelRequestsAmong, type RedisClient, renewLeases } from "../bullmq-internals/index.ts";
import type { Queues } from "../store/queues.ts";
import type { BullmqLeasedJob } from "./leased-job.ts";

/** The jobs of one name that a question is about: at least one. */
type JobsOfName = readonly [BullmqLeasedJob, ...BullmqLeasedJob[]];

/** Renews the leases that a worker holds, and asks for cancel requests of their jobs: one command for each queue. */
export class HeldLeases {
  readonly #queues: Queues;
  readonly #leaseMs: number;
  readonly #onError: (error: unknown) => void;

  constructor(queues: Queues, leaseMs: number, onError: (error: unknown) => void) {
    this.#queues = queues;
    this.#leaseMs = leaseMs;
    this.#onError = onError;
  }

  /** Resolves to the ids of the jobs whose lease is lost. */
  renew(jobs: readonly BullmqLeasedJob[]): Promise<readonly string[]> {
    // A job that goes back needs no lease.
    const held = jobs.filter(({ isGoingBack }) => !isGoingBack);
    return this.#askEach(held, (client, own) => {
      const leases = own.map(({ lease }) => lease);
      return renewLeases(client, own[0].worker.keyPrefix, this.#leaseMs, leases);
    });
  }

  /** Resolves to the ids of the jobs that have a cancel request. */
  async cancelRequests(jobs: readonly BullmqLeasedJob[]): Promise<readonly string[]> {
    const requested = await this.#askEach(jobs, (client, own) => {
      const ids = own.map(({ id }) => id);
      return cancelRequestsAmong(client, this.#queues.cancelRequestsOf(own[0].name), ids);
    });
    for (const job of jobs) job.isRequested ||= requested.includes(job.id);
    return requested;
  }

  /** Asks once for each queue. Rejects only if all queues fail, so that unusable keys of one queue do not stop the others. */
  async #askEach(
    jobs: readonly BullmqLeasedJob[],
    ask: (client: RedisClient, own: JobsOfName) => Promise<readonly string[]>,
  ): Promise<readonly string[]> {
    const client = await this.#queues.client;
    const names = [...new Set(jobs.map(({ name }) => name))];
    const settled = await Promise.allSettled(
      names.map((each) => ask(client, jobs.filter(({ name }) => name === each) as unknown as JobsOfName)),
    );
    const failures = settled.filter((each) => each.status === "rejected").map(({ reason }) => reason);
    if (failures.length > 0 && failures.length === settled.length) throw failures[0];
    for (const failure of failures) this.#onError(failure);
    return settled.flatMap((each) => (each.status === "fulfilled" ? each.value : []));
  }
}
