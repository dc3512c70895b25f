import { invalidArgument, requireKnownKeys } from "@nidus/jobs-core/adapter";

/** The options of a library that its engine passes on. */
export interface LibraryOptions {
  /** The option of `enqueue` that has them. */
  readonly option: string;
  readonly known: readonly string[];
  /** Says of each option that Nidus decides on what to use instead. */
  readonly owned: Readonly<Record<string, string>>;
}

/**
 * Checks the names in an option that passes options on to the library that an engine wraps.
 *
 * @throws TypeError for a value that is no object, or has an option that is unknown or that Nidus decides on.
 */
export function requireLibraryOptions(
  options: unknown,
  { option, known, owned }: LibraryOptions,
): asserts options is object {
  if (typeof options !== "object" || options === null)
    throw invalidArgument(`\`${option}\``, "an object", options);
  const refused = Object.keys(options).find((key) => Object.hasOwn(owned, key));
  if (refused !== undefined)
    throw new TypeError(`\`${option}.${refused}\` is not yours to set: use ${owned[refused]}`);
  requireKnownKeys(`\`${option}\``, options, known);
}
