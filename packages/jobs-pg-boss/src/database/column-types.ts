import pg from "pg";

type Parser = (text: string) => unknown;

/** Parsers by the numbers that PostgreSQL gives to types, for the types that the engine and pg-boss read. */
const parsers: Readonly<Record<number, Parser>> = {
  // boolean
  16: (text) => text === "t",
  // bigint
  20: (text) => text,
  // smallint, integer
  21: (text) => Number(text),
  23: (text) => Number(text),
  // json, jsonb
  114: (text) => JSON.parse(text),
  3802: (text) => JSON.parse(text),
  // real, double precision
  700: (text) => Number(text),
  701: (text) => Number(text),
  // timestamp with time zone
  1184: timestampFrom,
};

/**
 * The `types` of the engine's connections. They read columns as `pg` does by default, also if the application has changed the parsers
 * of `pg` for the whole process with `types.setTypeParser`.
 */
export const columnTypes: pg.CustomTypesConfig = {
  getTypeParser(type: number, format?: "text" | "binary"): Parser {
    const own = format === "binary" ? undefined : parsers[type];
    return own ?? (pg.types.getTypeParser(type, format as "text") as Parser);
  },
};

const timestamp = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)([+-]\d\d)(?::(\d\d))?$/;

/** Reads a moment of the years 1 to 9999. Others stay as they are, but for `infinity`, which `pg` makes a number. */
export function timestampFrom(text: string): unknown {
  const [, date, time, hours, minutes = "00"] = timestamp.exec(text) ?? [];
  if (date !== undefined) return new Date(`${date}T${time}${hours}:${minutes}`);
  if (text === "infinity") return Number.POSITIVE_INFINITY;
  return text === "-infinity" ? Number.NEGATIVE_INFINITY : text;
}
