import { type Asked, isReadingMet, type Measured, type Reading, type Spread } from "./comparison.ts";
import type { Results } from "./results.ts";

/** Writes the whole table, with the machine of its figures. */
export function markdownOf({ date, node, machine, command, comparisons, readings }: Results): string {
  return [
    `Measured ${date} with Node ${node} on ${machine}, by \`${command}\`.`,
    table(
      ["comparison", "ours", "peer", "ratio (quarters)", "asked", "met"],
      comparisons.map((row) => [
        titled(row),
        `${time(row.ours.median)} ${row.ours.label}`,
        `${time(row.peer.median)} ${row.peer.label}`,
        `${row.ratio.median.toFixed(2)} (${quarters(row.ratio)})`,
        asked(row.asked),
        verdict(row.isMet),
      ]),
    ),
    table(
      ["reading", "value", "asked", "met"],
      readings.map((row) => [
        titled(row),
        `${Number(row.value.toPrecision(4))} ${row.unit}`,
        askedOfReading(row),
        verdict(isReadingMet(row)),
      ]),
    ),
    "",
  ].join("\n\n");
}

/** Lists ratios that moved: their middle half no longer overlaps that of the kept figures. */
export function changesOf(kept: Results, today: Results): string {
  const before = new Map(kept.comparisons.map((row) => [row.id, row]));
  const rows = today.comparisons.map((row) => {
    const then = before.get(row.id);
    if (then === undefined) return [row.title, "", row.ratio.median.toFixed(2), "new"];
    const isApart = row.ratio.p25 > then.ratio.p75 || row.ratio.p75 < then.ratio.p25;
    const change = (row.ratio.median / then.ratio.median - 1) * 100;
    const moved = `moved by ${change > 0 ? "+" : ""}${change.toFixed(0)} %`;
    return [
      row.title,
      then.ratio.median.toFixed(2),
      row.ratio.median.toFixed(2),
      isApart ? moved : "within the noise",
    ];
  });
  const values = new Map(kept.readings.map(({ id, value }) => [id, value]));
  const readings = today.readings.map(({ id, title, value, unit }) => {
    const then = values.get(id);
    return [title, then === undefined ? "" : then.toPrecision(4), value.toPrecision(4), unit];
  });
  const heading = `Kept: ${kept.date}, Node ${kept.node}, ${kept.machine}.`;
  return [
    heading,
    table(["comparison", "kept", "today", ""], rows),
    table(["reading", "kept", "today", "unit"], readings),
  ].join("\n\n");
}

function titled({ title, note }: Measured | Reading): string {
  return note === undefined ? title : `${title} (${note})`;
}

function quarters({ p25, p75 }: Spread): string {
  return `${p25.toFixed(2)} to ${p75.toFixed(2)}`;
}

function time(nanoseconds: number): string {
  if (nanoseconds < 10_000) return `${nanoseconds.toFixed(nanoseconds < 100 ? 1 : 0)} ns`;
  return `${(nanoseconds / 1e6).toFixed(2)} ms`;
}

function asked(asked: Asked): string {
  if (asked === undefined) return "";
  return "timesFaster" in asked ? `>= ${asked.timesFaster}x faster` : `<= ${asked.atMost}x`;
}

function verdict(isMet: boolean | undefined): string {
  return isMet === undefined ? "" : isMet ? "yes" : "**no**";
}

function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  return [headings, headings.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function askedOfReading({ asked, unit }: Reading): string {
  if (asked === undefined) return "";
  return "atMost" in asked ? `<= ${asked.atMost} ${unit}` : `>= ${asked.atLeast} ${unit}`;
}
