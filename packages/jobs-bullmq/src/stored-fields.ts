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
  const isScheduled = fields.includes("rjk");
  let data: StoredFacts["data"];
  let unreadable: string | undefined;
  let runAtMs: number | undefined;
  let hasBadCounts = false;
  for (let index = 0; index < fields.length; index += 2) {
    const [name, text] = [fields[index] as string, fields[index + 1] as string];
    switch (name) {
      case "ats":
      case "atm":
      case "stc":
        hasBadCounts ||= !/^\d{1,9}$/.test(text);
        break;
      case "nidusRunAt":
        runAtMs = Number(text);
        break;
      case "defa":
        // BullMQ would fail it where nobody hears of it.
        mended[index] = "nidusDefa";
        unreadable ??= text;
        break;
      case "nidusUnreadable":
        unreadable ??= text;
        break;
      case "data":
      case "opts":
      case "progress":
      case "parent": {
        if (text === "" || text === "0" || text === lastOptions) break;
        const value = parse(text);
        const isRead = value !== undefined && (name !== "opts" || isObject(value.value));
        if (isRead && name === "opts") lastOptions = text;
        if (isRead && (name !== "data" || isScheduled)) break;
        if (isRead) data = value;
        else unreadable ??= `its ${parsed[name]} are no ${value === undefined ? "JSON" : "object"}`;
        mended[index + 1] = harmless[name];
      }
    }
  }
  if (hasBadCounts) unreadable ??= "its counts of attempts are no numbers";
  return [mended, { data, unreadable, runAtMs, hasBadCounts }];
}

/** Options that could be read: those of the next job are mostly the same. */
let lastOptions = "";

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
