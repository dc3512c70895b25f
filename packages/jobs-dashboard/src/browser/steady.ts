import type { RefObject } from "preact";
import { useReducer, useRef } from "preact/hooks";

/** Rows that stay where they are while the list is read. */
export interface Steady<T> {
  readonly rows: readonly { readonly row: T; readonly isGone: boolean }[];
  /** How many rows are not shown yet. */
  readonly added: number;
  /** The shown order is not the current one. */
  readonly isStale: boolean;
  /** Shows the current rows in their current order. */
  show(): void;
}

/** Tells whether a list is being read: the pointer or the focus is in it, or the page is scrolled. */
function isRead(list: HTMLElement | null): boolean {
  return scrollY > 80 || (list?.matches(":hover, :focus-within") ?? false);
}

/** Keeps the order and the rows of a list while it is read. Their contents stay current. `scope` names the list: another scope starts anew. */
export function useSteady<T>(
  rows: readonly T[],
  keyOf: (row: T) => string,
  list: RefObject<HTMLElement | null>,
  scope: string,
): Steady<T> {
  const kept = useRef<{ scope: string; keys: readonly string[] }>({ scope, keys: [] });
  const seen = useRef(new Map<string, T>());
  const [, update] = useReducer((version: number) => version + 1, 0);
  const keys = rows.map(keyOf);
  if (kept.current.scope !== scope || kept.current.keys.length === 0 || !isRead(list.current)) {
    kept.current = { scope, keys };
    seen.current.clear();
  }
  const byKey = new Map(rows.map((row) => [keyOf(row), row]));
  for (const [key, row] of byKey) seen.current.set(key, row);
  const shown = kept.current.keys;
  const known = new Set(shown);
  return {
    rows: shown.flatMap((key) => {
      const row = byKey.get(key) ?? seen.current.get(key);
      return row === undefined ? [] : [{ row, isGone: !byKey.has(key) }];
    }),
    added: keys.filter((key) => !known.has(key)).length,
    isStale: keys.join("\n") !== shown.join("\n"),
    show() {
      kept.current = { scope, keys };
      seen.current = new Map(byKey);
      update(0);
    },
  };
}
