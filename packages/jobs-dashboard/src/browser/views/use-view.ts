import { useEffect } from "preact/hooks";
import type { ViewProps } from "../app.tsx";
import { useLive } from "../live.ts";

/** Follows the snapshots of a view, and reports the connection to the frame of the page. */
export function useView<T>(address: string, onConnection: ViewProps["onConnection"]): T | undefined {
  const { data, connection } = useLive<T>(address);
  useEffect(() => onConnection(connection), [connection]);
  return data;
}

/** Makes the address of a view. */
export function address(view: string, params: Readonly<Record<string, string>>): string {
  const given = Object.entries(params).filter(([, value]) => value !== "");
  return `${view}?${new URLSearchParams(given)}`;
}
