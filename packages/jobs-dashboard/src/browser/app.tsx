import type { ComponentType } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { SessionView } from "../wire.ts";
import { useKeys } from "./keyboard.ts";
import { type Connection, useSession } from "./live.ts";
import { ActionDialog } from "./parts/action.tsx";
import { Announcer } from "./parts/announce.tsx";
import { type Route, useRoute } from "./route.ts";
import { Engines } from "./views/engines.tsx";
import { Failures } from "./views/failures.tsx";
import { Job } from "./views/job.tsx";
import { Jobs } from "./views/jobs.tsx";
import { Overview } from "./views/overview.tsx";
import { Run } from "./views/run.tsx";
import { Running } from "./views/running.tsx";
import { Schedules } from "./views/schedules.tsx";
import { Stored } from "./views/stored.tsx";

/** Every view gets these. */
export interface ViewProps {
  readonly session: SessionView;
  readonly route: Route;
  readonly onConnection: (connection: Connection) => void;
}

interface ViewEntry {
  readonly label: string;
  readonly View: ComponentType<ViewProps>;
  /** The view that Esc leads to, for a view without a tab. */
  readonly parent?: string;
  readonly isShown?: (session: SessionView) => boolean;
}

const hasEngines = ({ engines }: SessionView): boolean => engines.length > 0;

const entries: Readonly<Record<string, ViewEntry>> = {
  overview: { label: "Overview", View: Overview },
  failures: { label: "Failures", View: Failures },
  running: { label: "Running", View: Running },
  jobs: { label: "Jobs", View: Jobs },
  engines: { label: "Engines", View: Engines },
  schedules: {
    label: "Schedules",
    View: Schedules,
    isShown: (session) => !hasEngines(session) || session.engines.some(({ hasSchedules }) => hasSchedules),
  },
  job: { label: "Job", View: Job, parent: "#/overview" },
  run: { label: "Run", View: Run, parent: "#/running" },
  stored: { label: "Stored job", View: Stored, parent: "#/jobs" },
};

export function App() {
  const session = useSession();
  const route = useRoute();
  const [connection, setConnection] = useState<Connection>("connecting");
  const main = useRef<HTMLElement>(null);
  const entry = entries[route.view] ?? (entries.overview as ViewEntry);
  useKeys(entry.parent);
  const title = typeof session === "object" ? session.title : "Jobs";
  useEffect(() => {
    document.title = `${entry.label} · ${title}`;
  }, [entry, title]);
  const shown = useRef(route.view);
  useEffect(() => {
    if (shown.current === route.view) return;
    shown.current = route.view;
    scrollTo(0, 0);
    main.current?.focus();
  }, [route.view]);
  if (session === "refused") return <main class="alone">You may not see this page.</main>;
  if (session === undefined) return <main class="alone">Loading…</main>;
  return (
    <>
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to the content
      </button>
      <header class="top">
        <a class="brand" href="#/overview">
          {title}
        </a>
        <nav aria-label="Views">
          {Object.entries(entries)
            .filter(([, { parent, isShown }]) => parent === undefined && (isShown?.(session) ?? true))
            .map(([view, { label }]) => (
              <a key={view} href={`#/${view}`} aria-current={entry.label === label ? "page" : undefined}>
                {label}
              </a>
            ))}
        </nav>
        <Status connection={connection} access={session.access} />
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        {connection === "lost" && (
          <p class="banner" role="alert">
            <b>The service does not answer.</b> The page shows its last state.
          </p>
        )}
        {connection === "failed" && (
          <p class="banner" role="alert">
            <b>The service could not make this view.</b>
          </p>
        )}
        <entry.View session={session} route={route} onConnection={setConnection} />
      </main>
      <ActionDialog />
      <Announcer />
    </>
  );
}

const connectionTexts: Readonly<Record<Connection, string>> = {
  connecting: "Connecting",
  live: "Live",
  failed: "Failed",
  lost: "Reconnecting",
  refused: "Refused",
};

function Status({ connection, access }: { connection: Connection; access: "read" | "operate" }) {
  return (
    <p class="status" role="status">
      {access === "read" && <span class="note">Read only</span>}
      <span class={`dot ${connection}`} aria-hidden="true" />
      {connectionTexts[connection]}
    </p>
  );
}
