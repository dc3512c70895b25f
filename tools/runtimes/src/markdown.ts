import type { Row } from "./judgement.ts";
import type { KnownLimit } from "./known-limits.ts";
import type { Runtime } from "./runtimes.ts";

const states = { ok: "ok", limit: "no", failed: "**failed**" } as const;

/** Writes the table of runtimes and checks, with the reasons for failures. */
export function markdownOf(
  runtimes: readonly Runtime[],
  rows: readonly Row[],
  limits: readonly KnownLimit[],
): string {
  const titles = new Map(runtimes.map((runtime) => [runtime.name, titleOf(runtime)]));
  const reasons = limits.map((limit) => [
    limit.check,
    limit.runtimes.map((name) => titles.get(name) ?? name).join(", "),
    limit.reason,
  ]);
  return [
    "Written by `pnpm runtimes`.",
    table(
      ["check", ...titles.values()],
      rows.map(({ check, cells }) => [check, ...cells.map(({ state }) => states[state])]),
    ),
    table(["what does not work", "where", "why"], reasons),
  ]
    .join("\n\n")
    .concat("\n");
}

/** Names the runtime with its version. */
export function titleOf({ product, version }: Runtime): string {
  return `${product} ${version}`;
}

/** Aligns the table, so that the formatter changes nothing. */
function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map((cells) => cells[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[], filler: string): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0, filler)).join(" | ")} |`;
  const rule = headings.map(() => "");
  return [line(headings, " "), line(rule, "-"), ...rows.map((cells) => line(cells, " "))].join("\n");
}
