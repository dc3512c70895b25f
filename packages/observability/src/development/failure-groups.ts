/** How many failures of a kind get a line of their own. The rest are counted. */
const maxLines = 3;

/** How many kinds of failures are told apart: messages are untrusted. */
const maxKinds = 1_000;

/** How many kinds the summary lists. */
const maxListed = 10;

/** Groups failures of one job by their messages. Numbers and quoted texts in a message make no difference. */
export class FailureGroups {
  readonly #groups = new Map<string, { count: number; readonly sample: string }>();
  #others = 0;

  /** Counts a failure. Returns whether to write a line for it: the first three of a kind have one. */
  add(jobName: string, message: string): boolean {
    const sample = `${jobName}: ${message}`;
    const key = sample.replace(/"[^"]*"|'[^']*'|\d+/g, "…");
    const group = this.#groups.get(key);
    if (group !== undefined) return ++group.count <= maxLines;
    if (this.#groups.size === maxKinds) this.#others++;
    else this.#groups.set(key, { count: 1, sample });
    return true;
  }

  /** Returns a line such as "120 × send_digest: no address" for each kind that occurred more than once, the most frequent first. */
  lines(): string[] {
    const repeated = [...this.#groups.values()].filter(({ count }) => count > 1);
    const listed = repeated.sort((a, b) => b.count - a.count).slice(0, maxListed);
    const left = repeated.length - listed.length;
    return [
      ...listed.map(({ count, sample }) => `${count} × ${sample}`),
      ...(left + this.#others > 0 ? [`and ${left + this.#others} others`] : []),
    ];
  }
}
