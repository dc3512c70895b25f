import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import { useSteady } from "../steady.ts";

/** A column of a table. */
export interface Column<T> {
  readonly label: string;
  readonly cell: (row: T) => ComponentChildren;
  /** Numbers stand at the right. */
  readonly isNumber?: boolean;
  /** The source of the column, which stands above it. */
  readonly source?: string | undefined;
  /** The label on a narrow screen, if it differs. */
  readonly narrowLabel?: string;
  /** Extra class of the cells. */
  readonly kind?: string;
}

interface TableProps<T> {
  readonly caption: string;
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[];
  readonly keyOf: (row: T) => string;
  /** Names the list. Rows keep their place as long as it stays the same. */
  readonly scope: string;
  readonly noun: string;
}

/** A table whose rows keep their place while a viewer reads it. It becomes a list of cards on a narrow screen. */
export function Table<T>({ caption, columns, rows, keyOf, scope, noun }: TableProps<T>) {
  const list = useRef<HTMLDivElement>(null);
  const steady = useSteady(rows, keyOf, list, scope);
  const sources = sourcesOf(columns);
  return (
    <div class="list" ref={list}>
      <Newer added={steady.added} isStale={steady.isStale} noun={noun} onShow={steady.show} />
      <table role="table">
        <caption class="hidden">{caption}</caption>
        <thead role="rowgroup">
          {sources.length > 1 && (
            <tr role="row" class="sources">
              {sources.map(({ source, span }, index) => (
                <th
                  key={index}
                  role="columnheader"
                  scope="colgroup"
                  colSpan={span}
                  class={source === "" ? "" : "source"}
                >
                  {source}
                </th>
              ))}
            </tr>
          )}
          <tr role="row">
            {columns.map(({ label, narrowLabel = label, isNumber, kind = "" }) => (
              <th key={narrowLabel} role="columnheader" scope="col" class={isNumber ? "number" : kind}>
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {steady.rows.map(({ row, isGone }) => (
            <tr key={keyOf(row)} role="row" data-row class={isGone ? "gone" : ""}>
              {columns.map(({ label, narrowLabel = label, cell, isNumber, kind = "" }) => (
                <td
                  key={narrowLabel}
                  role="cell"
                  data-label={narrowLabel}
                  class={`${isNumber ? "number" : ""} ${kind}`}
                >
                  {cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Tells that a list has changed, and shows the change when it is asked to. */
export function Newer(props: { added: number; isStale: boolean; noun: string; onShow: () => void }) {
  const { added, isStale, noun, onShow } = props;
  return (
    <div class="newer" aria-live="polite">
      {isStale && (
        <button type="button" onClick={onShow}>
          {added > 0 ? `${added} new ${noun}${added === 1 ? "" : "s"}` : "Order has changed"} · show
        </button>
      )}
    </div>
  );
}

function sourcesOf<T>(columns: readonly Column<T>[]): { source: string; span: number }[] {
  const groups: { source: string; span: number }[] = [];
  for (const { source = "" } of columns) {
    const last = groups.at(-1);
    if (last?.source === source) last.span++;
    else groups.push({ source, span: 1 });
  }
  return groups;
}
