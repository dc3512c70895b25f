import { type DiagLogFunction, DiagLogLevel, diag } from "@opentelemetry/api";
import { onTestFinished, vi } from "vitest";
import { textOf } from "./recorded-spans.ts";

export interface CapturedOutput {
  /** The arguments of OpenTelemetry's own logger, at every level, with all that can be read from them. */
  readonly diagnostics: readonly string[];
  /** The output to the terminal, and the process warnings. */
  readonly printed: readonly string[];
}

/** Captures all logs, output and warnings until the test has finished. */
export function captureOutput(): CapturedOutput {
  const diagnostics: string[] = [];
  const printed: string[] = [];
  const log: DiagLogFunction = (...given) => void diagnostics.push(given.map(textOf).join(" "));
  diag.setLogger(
    { error: log, warn: log, info: log, debug: log, verbose: log },
    { logLevel: DiagLogLevel.ALL, suppressOverrideMessage: true },
  );
  const print = (...given: unknown[]): boolean => printed.push(given.map(textOf).join(" ")) > 0;
  const spies = [
    vi.spyOn(process.stderr, "write").mockImplementation(print),
    vi.spyOn(process.stdout, "write").mockImplementation(print),
    vi.spyOn(process, "emitWarning").mockImplementation(print),
    ...(["error", "warn", "log", "info", "debug"] as const).map((method) =>
      vi.spyOn(console, method).mockImplementation(print),
    ),
  ];
  onTestFinished(() => {
    for (const spy of spies) spy.mockRestore();
    diag.disable();
  });
  return { diagnostics, printed };
}
