import { requireKnownKeys, requireWholeNumber } from "@nidus/jobs-core/adapter";
import { requireAttributes } from "../backend/attributes.ts";
import type { EnqueueOptions } from "../backend/enqueue-options.ts";
import { requireBackoff } from "../job/backoff.ts";
import { requirePriority } from "../job/priority.ts";
import { requireInRange } from "../job/whole-number.ts";
import { requireMoment, requireOptions, requireStorableText } from "./validation.ts";

/** Stores keep such times in whole seconds of 32 bits. */
const maxKeptMs = (2 ** 31 - 1) * 1000;

const knownOptions = [
  "runAt",
  "idempotencyKey",
  "uniqueKey",
  "uniqueForMs",
  "priority",
  "correlationId",
  "attributes",
  "maxAttempts",
  "backoff",
  "retainMs",
] as const satisfies readonly (keyof EnqueueOptions)[];

/** Checks the options of an enqueue, and returns a copy. @throws TypeError or RangeError */
export type EnqueueOptionsCheck = (options: EnqueueOptions) => EnqueueOptions;

/** Makes the check of an engine. `own` has the checks of the options that this engine alone has. */
export function enqueueOptionsCheck(
  own: Readonly<Record<string, (value: unknown) => void>> = {},
): EnqueueOptionsCheck {
  const ownOptions = Object.entries(own);
  const known = [...knownOptions, ...Object.keys(own)];
  return (options) => requireEnqueueOptions(options, known, ownOptions);
}

function requireEnqueueOptions(
  options: EnqueueOptions,
  known: readonly string[],
  ownOptions: readonly (readonly [name: string, requireValid: (value: unknown) => void])[],
): EnqueueOptions {
  requireOptions(options);
  requireKnownKeys("the options of an enqueue", options, known);
  const { runAt, correlationId, attributes, maxAttempts, priority, backoff, retainMs } = options;
  if (runAt !== undefined) requireMoment("`runAt`", runAt);
  requireKeys(options);
  if (correlationId !== undefined) requireStorableText("`correlationId`", correlationId);
  if (maxAttempts !== undefined) requireWholeNumber("`maxAttempts`", maxAttempts);
  if (priority !== undefined) requirePriority(priority);
  if (retainMs !== undefined) requireInRange("`retainMs`", retainMs, 0, maxKeptMs);
  for (const [name, requireValid] of ownOptions) {
    const value = (options as Record<string, unknown>)[name];
    if (value !== undefined) requireValid(value);
  }
  return {
    ...options,
    attributes: attributes === undefined ? undefined : requireAttributes(attributes),
    backoff: backoff === undefined ? undefined : requireBackoff(backoff),
  };
}

function requireKeys({ idempotencyKey, uniqueKey, uniqueForMs }: EnqueueOptions): void {
  if (idempotencyKey !== undefined) requireStorableText("`idempotencyKey`", idempotencyKey);
  if (uniqueKey !== undefined) requireStorableText("`uniqueKey`", uniqueKey);
  if (uniqueKey !== undefined && idempotencyKey !== undefined) {
    throw new TypeError("expected `uniqueKey` or `idempotencyKey`, got both");
  }
  if (uniqueForMs === undefined) return;
  if (uniqueKey === undefined) throw new TypeError("`uniqueForMs` needs `uniqueKey`");
  requireInRange("`uniqueForMs`", uniqueForMs, 1, maxKeptMs);
}
