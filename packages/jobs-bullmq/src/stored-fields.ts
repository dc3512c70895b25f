/** What a job's fields in Redis say beyond BullMQ's reading of them. */
export interface StoredFacts {
  /** Undefined if BullMQ has read them itself. */
  readonly data: { readonly value: unknown } | undefined;
  /** Why the job cannot run. */
  readonly unreadable: string | undefined;
  /** Unix milliseconds, by Redis's clock, from which a further attempt could start. */
  readonly runAtMs: number | undefined;
  /** Whether BullMQ's script could not count on: what it counts in is no number. */
  readonly hasBadCounts: boolean;
}

export const noFacts: StoredFacts = {
  data: undefined,
  unreadable: undefined,
  runAtMs: undefined,
  hasBadCounts: false,
};

const counts: ReadonlySet<string> = new Set(["ats", "atm", "stc"]);

/** Fields that BullMQ parses as JSON: one that is not JSON would end the whole fetch. */
const parsed = { data: "data", opts: "options", progress: "progress", parent: "parent" } as const;

/** Without these, BullMQ reads a job of somebody else's. */
const harmless = { data: "{}", opts: "{}", progress: "0", parent: "" } as const;

/**
 * Reads a job's fields, each name followed by its value, and returns them so that BullMQ can read them. Takes the data out, so that
 * they are parsed once, except for a schedule's job, whose data BullMQ copies to the next one.
 */
export function readFields(fields: readonly string[]): [mended: string[], facts: StoredFacts] {
  const mended = [...fields];
  const isScheduled = fields.some((name, index) => index % 2 === 0 && name === "rjk");
  let data: StoredFacts["data"];
  let unreadable: string | undefined;
  let runAtMs: number | undefined;
  let hasBadCounts = false;
  for (let index = 0; index < fields.length; index += 2) {
    const [name, text] = [fields[index] as string, fields[index + 1] as string];
    if (name === "defa" || name === "nidusUnreadable") {
      // BullMQ would fail it where nobody hears of it.
      unreadable ??= text;
      if (name === "defa") mended[index] = "nidusDefa";
    } else if (name === "nidusRunAt") runAtMs = Number(text);
    else if (counts.has(name)) hasBadCounts ||= !/^\d{1,9}$/.test(text);
    else if (Object.hasOwn(parsed, name) && text !== "") {
      const field = name as keyof typeof parsed;
      const value = parse(text);
      if (value === undefined || (field === "opts" && !isObject(value.value))) {
        unreadable ??= `its ${parsed[field]} ${value === undefined ? "are no JSON" : "are no object"}`;
        mended[index + 1] = harmless[field];
      } else if (field === "data" && !isScheduled) {
        data = value;
        mended[index + 1] = harmless.data;
      }
    }
  }
  if (hasBadCounts) unreadable ??= "its counts of attempts are no numbers";
  return [mended, { data, unreadable, runAtMs, hasBadCounts }];
}

function parse(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
