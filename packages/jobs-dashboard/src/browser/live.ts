import { useEffect, useState } from "preact/hooks";
import type { SessionView } from "../wire.ts";
import type { Action, ActionResult } from "../wire-stored.ts";

/** How the page and the service are connected. */
export type Connection = "connecting" | "live" | "failed" | "lost" | "refused";

/** The latest snapshot of a view, and how fresh it is. */
export interface Live<T> {
  readonly data: T | undefined;
  readonly connection: Connection;
}

/** How long the page waits before it connects again, if the browser does not by itself. */
const againMs = 3_000;

/** Follows a view: its latest snapshot, and the connection. A hidden tab is disconnected. */
export function useLive<T>(address: string): Live<T> {
  const [live, setLive] = useState<Live<T> & { address: string }>({
    address,
    data: undefined,
    connection: "connecting",
  });
  useEffect(() => {
    let source: EventSource | undefined;
    let timer = 0;
    const set = (connection: Connection, data?: T) =>
      setLive((old) => ({
        address,
        connection,
        data: data ?? (old.address === address ? old.data : undefined),
      }));
    const open = () => {
      clearTimeout(timer);
      source?.close();
      source = undefined;
      if (document.hidden) return;
      const opened = new EventSource(`api/stream?view=${encodeURIComponent(address)}`);
      source = opened;
      opened.onmessage = ({ data }: MessageEvent<string>) => set("live", JSON.parse(data) as T);
      opened.addEventListener("failed", () => set("failed"));
      opened.onopen = () => set("live");
      opened.onerror = () => {
        if (source !== opened) return;
        set("lost");
        if (opened.readyState === EventSource.CLOSED) timer = setTimeout(open, againMs);
      };
    };
    open();
    document.addEventListener("visibilitychange", open);
    return () => {
      document.removeEventListener("visibilitychange", open);
      clearTimeout(timer);
      source?.close();
      source = undefined;
    };
  }, [address]);
  // Never show the rows of another view.
  return live.address === address ? live : { data: undefined, connection: "connecting" };
}

/** The difference between the server's clock and the browser's, in milliseconds. */
let clockOffsetMs = 0;

/** Returns the time of the server. */
export function serverNow(): number {
  return Date.now() + clockOffsetMs;
}

/** Asks who we are and what there is to see, now and every half a minute. Undefined until the first answer. */
export function useSession(): SessionView | "refused" | undefined {
  const [session, setSession] = useState<SessionView | "refused">();
  useEffect(() => {
    const ask = async () => {
      try {
        const answer = await fetch("api/session");
        if (answer.status === 403) return setSession("refused");
        const view = (await answer.json()) as SessionView;
        clockOffsetMs = view.now - Date.now();
        setSession((old) =>
          JSON.stringify({ ...view, now: 0 }) === JSON.stringify({ ...(old as object), now: 0 }) ? old : view,
        );
      } catch {
        // The stream shows that the service is away.
      }
    };
    void ask();
    const timer = setInterval(() => document.hidden || void ask(), 30_000);
    return () => clearInterval(timer);
  }, []);
  return session;
}

/** Asks the service to change jobs. @throws (rejects with) Error with the service's reason. */
export async function act(action: Action): Promise<ActionResult> {
  const answer = await fetch("api/actions", {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Nidus-Dashboard": "1" },
    body: JSON.stringify(action),
  });
  const body = (await answer.json().catch(() => ({}))) as Partial<ActionResult> & { error?: string };
  if (!answer.ok) throw new Error(body.error ?? `the service answered ${answer.status}`);
  return { done: body.done ?? 0, hasMore: body.hasMore ?? false };
}

/** The components that follow the time. One timer serves all of them: a page shows hundreds of ages. */
const followers = new Set<(now: number) => void>();
let clock = 0;

function tick(): void {
  if (document.hidden) return;
  const now = serverNow();
  for (const follow of followers) follow(now);
}

/** Follows the time, once a second. */
export function useNow(): number {
  const [now, setNow] = useState(serverNow);
  useEffect(() => {
    if (followers.size === 0) clock = setInterval(tick, 1_000);
    followers.add(setNow);
    return () => {
      followers.delete(setNow);
      if (followers.size === 0) clearInterval(clock);
    };
  }, []);
  return now;
}
