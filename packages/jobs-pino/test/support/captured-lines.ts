import { type Logger, type LoggerOptions, pino as pino10 } from "pino";
import { pino as pino9 } from "pino-9";
import { type Mock, vi } from "vitest";

type Pino = typeof pino10;

/** Both majors, 9 as the oldest of the supported range. The types of 9 are those of 10, as far as the tests use them. */
export const majors: readonly [major: number, pino: Pino][] = [
  [9, pino9 as unknown as Pino],
  [10, pino10],
];

/** A written line, parsed. */
export type Line = Readonly<Record<string, unknown>>;

interface CapturedLines {
  readonly logger: Logger<string>;
  /** The destination's own method, for tests to replace. */
  readonly write: Mock<(line: string) => void>;
  readonly written: readonly string[];
  lines(): Line[];
}

/** Makes a real logger, and returns its lines. All levels are enabled unless the options say otherwise. */
export function captureLines(pino: Pino, options: LoggerOptions<string> = {}): CapturedLines {
  const written: string[] = [];
  const write = vi.fn((line: string): void => void written.push(line));
  const logger = pino({ level: "trace", base: null, timestamp: false, ...options }, { write });
  return { logger, write, written, lines: () => written.map((line) => JSON.parse(line)) };
}
