import { amended } from "./amended-error.ts";

const maxShown = 5;

/** Collects what an engine or backend tells its `onError` during one test. */
export class ReportedErrors {
  readonly #counts = new Map<string, number>();

  readonly onError = (error: unknown): void => {
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    this.#counts.set(text, (this.#counts.get(text) ?? 0) + 1);
  };

  /** Adds what was reported to the message of a failed test. */
  explain(error: unknown): unknown {
    const texts = [...this.#counts].map(([text, count]) => (count > 1 ? `${text} (${count} times)` : text));
    if (texts.length === 0) return error;
    const more = texts.length > maxShown ? [`… and ${texts.length - maxShown} more`] : [];
    const lines = [...texts.slice(0, maxShown), ...more].map((text) => `\n- ${text}`).join("");
    return amended(error, `\nMeanwhile \`onError\` heard:${lines}`);
  }
}
