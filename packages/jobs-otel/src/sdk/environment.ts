import { diag } from "@opentelemetry/api";

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads `OTEL_SDK_DISABLED`: "true" in any case disables, as the OpenTelemetry specification says. */
export function isSdkDisabled(environment: Environment): boolean {
  return textOf(environment, "OTEL_SDK_DISABLED")?.toLowerCase() === "true";
}

/** Reads `OTEL_TRACES_EXPORTER`. Returns whether its list contains "none". */
export function isExportDisabled(environment: Environment): boolean {
  const names = textOf(environment, "OTEL_TRACES_EXPORTER")?.split(",") ?? ["otlp"];
  const exporters = names.map((name) => name.trim());
  if (exporters.includes("none")) return true;
  const others = exporters.filter((name) => name !== "otlp");
  if (others.length > 0) {
    diag.warn(`OTEL_TRACES_EXPORTER: this pipeline sends spans by OTLP only, not by ${others}`);
  }
  return false;
}

/** Reads the variables of the OTLP protocol. The diagnostics logger is told about any but http/protobuf. */
export function checkProtocol(environment: Environment): void {
  const names = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"];
  const name = names.find((each) => textOf(environment, each) !== undefined);
  const protocol = name && textOf(environment, name);
  if (protocol === undefined || protocol === "http/protobuf") return;
  diag.warn(`${name}: this pipeline sends spans by http/protobuf only, not by ${protocol}`);
}

/**
 * Reads a whole number from a variable. Returns undefined if the variable is not set or invalid; the diagnostics logger
 * is told about an invalid one.
 */
export function wholeNumberOf(environment: Environment, name: string, least: number): number | undefined {
  const text = textOf(environment, name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least && value <= maxWholeNumber) return value;
  diag.warn(`${name} is ignored: expected a whole number from ${least} to ${maxWholeNumber}`);
  return undefined;
}

/** The longest time that a timer of Node accepts, in milliseconds. */
export const maxWholeNumber: number = 2 ** 31 - 1;

/** Reads a variable. An empty variable counts as unset. */
export function textOf(environment: Environment, name: string): string | undefined {
  return environment[name]?.trim() || undefined;
}
