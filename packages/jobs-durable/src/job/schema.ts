import type { StandardSchemaV1 } from "@standard-schema/spec";

/** The answer of a schema: the value it gives out, or the problem with the value it got. */
export type Parsed<Output> = { readonly value: Output } | { readonly problem: string };

/** Validates at once if the schema can. Libraries decide by themselves whether they answer with a promise. */
export function parse<Output>(
  schema: StandardSchemaV1<unknown, Output>,
  value: unknown,
): Parsed<Output> | Promise<Parsed<Output>> {
  const result = schema["~standard"].validate(value);
  // By what it can do: a promise may be another realm's.
  return "then" in result ? Promise.resolve(result).then(parsedFrom) : parsedFrom(result);
}

function parsedFrom<Output>(result: StandardSchemaV1.Result<Output>): Parsed<Output> {
  return result.issues === undefined
    ? { value: result.value }
    : { problem: result.issues.map(textOf).join("; ") };
}

function textOf({ path = [], message }: StandardSchemaV1.Issue): string {
  const keys = path.map((segment) => String(typeof segment === "object" ? segment.key : segment));
  return keys.length === 0 ? message : `${keys.join(".")}: ${message}`;
}
