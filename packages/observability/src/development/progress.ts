import type { JobResultStatus, OpenedEngineContext } from "@nidus/jobs-observe";

const barCharacters = 24;

/** How often an engine is asked for its backlog, at the most: it is a query. */
const askEveryMs = 500;

/** How many jobs have run, run and wait. */
export class Progress {
  readonly #waitingInQueues: () => number;
  readonly #engines = new Set<OpenedEngineContext>();
  #waitingInEngines = 0;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #running = 0;
  readonly #ended = { success: 0, failure: 0, cancelled: 0 };

  constructor(waitingInQueues: () => number) {
    this.#waitingInQueues = waitingInQueues;
  }

  open(engine: OpenedEngineContext): void {
    this.#engines.add(engine);
  }

  /** What an engine has delivered waits there no longer: it is asked again only now and then. */
  start(isDelivered: boolean): void {
    this.#running++;
    if (isDelivered && this.#waitingInEngines > 0) this.#waitingInEngines--;
  }

  finish(status: JobResultStatus): void {
    this.#running--;
    this.#ended[status]++;
  }

  /** Whether anything runs or waits, as far as is known. */
  get isUnderWay(): boolean {
    return this.#left > 0;
  }

  get #left(): number {
    return this.#running + this.#waitingInEngines + this.#waitingInOwnQueues;
  }

  get #waitingInOwnQueues(): number {
    try {
      // It is the application's: what is no count is none.
      const waiting = Math.floor(Number(this.#waitingInQueues()));
      return waiting > 0 && waiting < Infinity ? waiting : 0;
    } catch {
      return 0;
    }
  }

  /** Such as "█████░░░ 12 of 40, 3 running, 1 failed". Empty while there is nothing to do. */
  text(): string {
    this.#askEngines();
    const left = this.#left;
    if (left === 0) return "";
    const { failure } = this.#ended;
    const counts = [`${this.#running} running`, ...(failure > 0 ? [`${failure} failed`] : [])];
    return `${this.#barOf(left)}, ${counts.join(", ")}`;
  }

  #barOf(left: number): string {
    const done = this.#total;
    const filled = Math.floor((done / (done + left)) * barCharacters);
    return `${"█".repeat(filled)}${"░".repeat(barCharacters - filled)} ${done} of ${done + left}`;
  }

  get #total(): number {
    const { success, failure, cancelled } = this.#ended;
    return success + failure + cancelled;
  }

  /** Such as "40 runs: 38 succeeded, 2 failed". Empty where there were none. */
  summary(): string {
    const { success, failure, cancelled } = this.#ended;
    if (this.#total === 0) return "";
    const parts = [
      `${success} succeeded`,
      `${failure} failed`,
      ...(cancelled ? [`${cancelled} cancelled`] : []),
    ];
    return `${this.#total} runs: ${parts.join(", ")}`;
  }

  async #askEngines(): Promise<void> {
    if (this.#engines.size === 0 || performance.now() - this.#askedAtMs < askEveryMs) return;
    this.#askedAtMs = performance.now();
    let waiting = 0;
    for (const engine of this.#engines) {
      try {
        const backlog = await engine.backlog();
        if (backlog === undefined) this.#engines.delete(engine);
        for (const { waiting: jobs } of backlog ?? []) waiting += jobs;
      } catch {
        // The engine's own `onError` has heard of it.
      }
    }
    this.#waitingInEngines = waiting;
  }
}
