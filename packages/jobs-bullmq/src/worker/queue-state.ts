import type { Marker } from "../bullmq-internals/index.ts";

/** For how long a worker leaves unusable keys alone: at first, and at most. */
const backOffMs = { first: 100, most: 5_000 };

/** The most jobs that one look asks for at once. */
const maxAppetite = 64;

/** The state of the queue of one job name, as a worker knows it: whether a look may find a job, and how many looks are under way. */
export class QueueState {
  /** Whether the last look found no job, so that the next one may wait. */
  isDrained = false;
  /** When a job of a drained queue is due, in Unix milliseconds of Redis's clock. Undefined if none is known. */
  dueMs: number | undefined;
  /** The queue's marker, if the engine has taken it and has not looked for a job since. */
  marker: Marker | undefined;
  /** When it was the turn of this queue, counted over all queues of the worker. */
  turn = 0;
  #appetite = 1;
  #looking = 0;
  #leaving = 0;
  #backOffMs = 0;
  #backsOffUntilMs = 0;

  /** Whether a look may find a job. */
  get isReady(): boolean {
    return !this.isDrained && (this.#backsOffUntilMs === 0 || this.backOffLeftMs === 0);
  }

  /** How many more jobs this process may be about to hold. Below 0 if it is about to hold fewer. */
  get coming(): number {
    return this.#looking - this.#leaving;
  }

  /** How many looks may be under way. Grows while all looks find jobs, so that an idle worker fills its slots in a few round trips. */
  get isHungry(): boolean {
    return this.#looking < this.#appetite;
  }

  /** Milliseconds until the next look, after the queue's keys could not be used. 0 if the next look need not wait. */
  get backOffLeftMs(): number {
    return Math.max(0, this.#backsOffUntilMs - performance.now());
  }

  /** Waits for longer after each failure, until a look succeeds. */
  backOff(): void {
    this.rest(Math.min(backOffMs.most, Math.max(backOffMs.first, this.#backOffMs * 2)));
  }

  /** Leaves the queue alone for a time. */
  rest(ms: number = backOffMs.most): void {
    this.#backOffMs = ms;
    this.#backsOffUntilMs = performance.now() + ms;
  }

  beginLook(): void {
    this.#looking++;
  }

  /** A look was answered. `dueMs` is when the next job is due, if the answer said so. */
  looked(hasJob: boolean, dueMs: number | undefined): void {
    this.#backOffMs = 0;
    this.#backsOffUntilMs = 0;
    this.marker = undefined;
    this.isDrained = !hasJob;
    this.dueMs = dueMs;
    if (!hasJob) this.#appetite = 1;
    else if (this.#looking >= this.#appetite) this.#appetite = Math.min(maxAppetite, this.#appetite * 2);
  }

  endLook(): void {
    this.#looking--;
  }

  /** A job of this name is about to end, and another name may have its place. Call the returned function once it is recorded. */
  leave(): () => void {
    this.#leaving++;
    return () => this.#leaving--;
  }
}
