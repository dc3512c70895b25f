import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { JobState, Reading, ShownAttributes } from "../../wire.ts";
import type { StoredState } from "../../wire-stored.ts";
import { age, moment } from "../format.ts";
import { useNow } from "../live.ts";
import { announce } from "./announce.tsx";

export const stateLabels: Readonly<Record<JobState, string>> = {
  failing: "Failing",
  stuck: "Stuck",
  late: "Late",
  "no-worker": "No worker",
  slow: "Slow",
  fine: "Fine",
};

export const storedLabels: Readonly<Record<StoredState, string>> = {
  scheduled: "Scheduled",
  waiting: "Waiting",
  running: "Running",
  succeeded: "Succeeded",
  "dead-lettered": "Dead letter",
  cancelled: "Cancelled",
};

const runLabels = {
  running: "Running",
  success: "Succeeded",
  failure: "Failed",
  cancelled: "Cancelled",
} as const;

/** Shows a state by word and colour. */
export function Pill({ kind, children }: { kind: string; children: ComponentChildren }) {
  return <span class={`pill ${kind}`}>{children}</span>;
}

export function StatePill({ state }: { state: JobState }) {
  return <Pill kind={state}>{stateLabels[state]}</Pill>;
}

export function StoredPill({ state }: { state: StoredState }) {
  return <Pill kind={state}>{storedLabels[state] ?? state}</Pill>;
}

export function RunPill({ status }: { status: keyof typeof runLabels }) {
  return <Pill kind={status}>{runLabels[status]}</Pill>;
}

/** Shows a fact in a list of facts. */
export function Fact({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** Shows how long ago a moment was, or how far ahead it is. */
export function Ago({ at, bare }: { at: number | null; bare?: boolean }) {
  const now = useNow();
  if (at === null) return <span class="none">–</span>;
  const text = at > now ? `in ${age(at - now)}` : `${age(now - at)}${bare ? "" : " ago"}`;
  return (
    <time dateTime={new Date(at).toISOString()} title={moment(at)}>
      {text}
    </time>
  );
}

/** Shows an id in a list of facts, and copies it. Shows nothing if there is none. */
export function IdFact({
  id,
  label,
  children,
}: {
  id: string | null;
  label: string;
  children?: ComponentChildren;
}) {
  if (id === null) return null;
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(id);
      announce(`${label} copied`);
    } catch {
      announce("The browser did not allow copying");
    }
  };
  return (
    <Fact label={label}>
      <span class="id">
        <code>{id}</code>
        <button type="button" class="small" aria-label={`Copy ${label}`} onClick={() => void copy()}>
          Copy
        </button>
      </span>
      {children}
    </Fact>
  );
}

/** Shows attributes. Values that are hidden show their key alone. */
export function Attributes({ of }: { of: ShownAttributes }) {
  const entries = Object.entries(of);
  if (entries.length === 0) return <span class="none">–</span>;
  return (
    <span class="attributes">
      {entries.map(([key, value]) => (
        <span key={key}>
          <b>{key}</b>{" "}
          {value === null ? <i title="Return it from `redact` to show it">hidden</i> : String(value)}
        </span>
      ))}
    </span>
  );
}

/** Explains an empty view: what to wire, or that there is nothing to do. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty-state">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** Shows text as it is, and scrolls if it is long. */
export function Preformatted({ children, kind = "text" }: { children: string; kind?: "text" | "code" }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard scrolls it only if it can have the focus.
    <pre class={kind} tabIndex={0}>
      {children}
    </pre>
  );
}

/** Shows code to copy. */
export function Code({ children }: { children: string }) {
  return <Preformatted kind="code">{children}</Preformatted>;
}

/** Tells that a store did not answer, why, and how old the shown figures are. */
export function Problems({ engines }: { engines: readonly (Reading & { readonly name: string })[] }) {
  const failed = engines.filter(({ error }) => error !== null);
  if (failed.length === 0) return null;
  return (
    <div class="banner" role="alert">
      {failed.map(({ name, error, readAt }) => (
        <p key={name}>
          <b>Engine {name} does not answer.</b>
          {readAt !== null && (
            <>
              {" "}
              Its figures are <Ago at={readAt} bare /> old.
            </>
          )}
          <br />
          <small>{error}</small>
        </p>
      ))}
    </div>
  );
}

/** A text that opens to its full length. */
export function LongText({ text, lines }: { text: string; lines: number }) {
  const [isOpen, setIsOpen] = useState(false);
  const all = text.split("\n");
  const isLong = all.length > lines;
  return (
    <>
      <Preformatted>{isOpen || !isLong ? text : all.slice(0, lines).join("\n")}</Preformatted>
      {isLong && (
        <button type="button" class="small" aria-expanded={isOpen} onClick={() => setIsOpen(!isOpen)}>
          {isOpen ? "Less" : `${all.length - lines} more lines`}
        </button>
      )}
    </>
  );
}
