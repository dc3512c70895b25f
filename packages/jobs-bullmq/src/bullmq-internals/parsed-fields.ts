/** The fields of a job in Redis, in addition to what BullMQ parses. */
export interface ParsedFields {
  /** The data of the job. Undefined if BullMQ has parsed them. */
  readonly data: { readonly value: unknown } | undefined;
  /** Why the job cannot run. */
  readonly unreadable: string | undefined;
  /** When another attempt could start, in Unix milliseconds of Redis's clock. */
  readonly runAtMs: number | undefined;
  /** The headers of the last retry or snooze, as `carrierText` made them. */
  readonly carrier: string | undefined;
  /** JSON text of the errors of its attempts. */
  readonly errorsText: string | undefined;
  /** Whether the counts of attempts are no numbers, so that BullMQ's script could not add to them. */
  readonly hasBadCounts: boolean;
}

/** The fields of a job that nothing is known of. */
export const unparsed: ParsedFields = {
  data: undefined,
  unreadable: undefined,
  runAtMs: undefined,
  carrier: undefined,
  errorsText: undefined,
  hasBadCounts: false,
};

/** Fields that BullMQ parses as JSON. A field that is not JSON would end the whole fetch. */
const jsonFields = { data: "data", opts: "options", progress: "progress", parent: "parent" } as const;

/** Values that BullMQ can parse, in place of the values of another program. */
const emptyValues = { data: "{}", opts: "{}", progress: "0", parent: "" } as const;

/**
 * Parses a job's fields, given as names and values in turn, and changes them so that BullMQ can parse them. Takes the data out, so that they
 * are parsed once. Leaves the data of a schedule's job, since BullMQ copies them to the next one.
 */
export function parseFields(fields: string[]): ParsedFields {
  const isScheduled = fields.includes("rjk");
  let data: ParsedFields["data"];
  let unreadable: string | undefined;
  let runAtMs: number | undefined;
  let carrier: string | undefined;
  let errorsText: string | undefined;
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
      case "nidusCarrier":
        carrier = text;
        break;
      case "nidusErrors":
        errorsText = text;
        break;
      case "defa":
        // BullMQ would fail such a job without telling the engine.
        fields[index] = "nidusDefa";
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
        else unreadable ??= `its ${jsonFields[name]} are no ${value === undefined ? "JSON" : "object"}`;
        fields[index + 1] = emptyValues[name];
      }
    }
  }
  if (hasBadCounts) unreadable ??= "its counts of attempts are no numbers";
  return { data, unreadable, runAtMs, carrier, errorsText, hasBadCounts };
}

/** The last options that could be parsed. The next job mostly has the same. */
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
