import type { JobResultStatus, OpenedEngineContext } from "@nidus/jobs-observe";

const barCharacters = 24;

/** How often to ask an engine for its backlog at most, in milliseconds: each time is a query. */
const askEveryMs = 500;

/** Counts the jobs that have run, that run and that wait. */
export class Progress {
  readonly #waitingInQueues: () => number;
  readonly #engines = new Set<OpenedEngineContext>();
  #waitingInEngines = 0;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #running = 0;
  #startedAtMs = 0;
  readonly #ended = { success: 0, failure: 0, cancelled: 0 };

  constructor(waitingInQueues: () => number) {
    this.#waitingInQueues = waitingInQueues;
  }

  open(engine: OpenedEngineContext): void {
    this.#engines.add(engine);
  }

  /** Counts a start. A delivered job no longer waits in its engine; the engine itself is asked only now and then. */
  start(isDelivered: boolean): void {
    if (this.#total + this.#running === 0) this.#startedAtMs = performance.now();
    this.#running++;
    if (isDelivered && this.#waitingInEngines > 0) this.#waitingInEngines--;
  }

  finish(status: JobResultStatus): void {
    this.#running--;
    this.#ended[status]++;
  }

  /** Whether any known job runs or waits. */
  get isUnderWay(): boolean {
    return this.#left > 0;
  }

  get #left(): number {
    return this.#running + this.#waitingInEngines + this.#waitingInOwnQueues;
  }

  get #waitingInOwnQueues(): number {
    try {
      // The application's function is untrusted: an invalid count means none.
      const waiting = Math.floor(Number(this.#waitingInQueues()));
      return waiting > 0 && waiting < Infinity ? waiting : 0;
    } catch {
      return 0;
    }
  }

  /** Returns a text such as "█████░░░ 12 of 40, 3 running, 20/s, 1 failed", or an empty text if no job runs or waits. */
  text(): string {
    this.#askEngines();
    const left = this.#left;
    if (left === 0) return "";
    const { failure } = this.#ended;
    const counts = [
      `${this.#running} running`,
      `${this.#rate()}/s`,
      ...(failure > 0 ? [`${failure} failed`] : []),
    ];
    return `${this.#barOf(left)}, ${counts.join(", ")}`;
  }

  /** Returns how many runs ended per second since the first start. */
  #rate(): number {
    const seconds = Math.max(1, (performance.now() - this.#startedAtMs) / 1_000);
    return Math.round(this.#total / seconds);
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

  /** Returns a text such as "40 runs: 38 succeeded, 2 failed", or an empty text if there were no runs. */
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
        // The engine reports the error through its own `onError`.
      }
    }
    this.#waitingInEngines = waiting;
  }
}
