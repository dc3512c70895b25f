import type { StripRun } from "../../wire.ts";
import { duration, moment, plural } from "../format.ts";
import { href } from "../route.ts";

/** Shows the runs of the last 60 minutes, a bar for each minute, failures in another colour. */
export function Sparkline({ finished, failed }: { finished: readonly number[]; failed: readonly number[] }) {
  const [width, height] = [120, 24];
  const most = Math.max(1, ...finished);
  const total = finished.reduce((sum, each) => sum + each, 0);
  const bad = failed.reduce((sum, each) => sum + each, 0);
  const label = `${plural(total, "run")} in the last hour, ${bad} failed`;
  // The square root keeps single runs visible beside a burst.
  const tall = (value: number) => (value === 0 ? 0 : Math.max(2, Math.sqrt(value / most) * height));
  return (
    <svg
      class="spark"
      viewBox={`0 0 ${width} ${height}`}
      width={width}
      height={height}
      role="img"
      aria-label={label}
      preserveAspectRatio="none"
    >
      <title>{label}</title>
      <path class="base" d={`M0 ${height - 0.5}H${width}`} />
      {finished.map((value, index) => {
        if (value === 0) return null;
        const all = tall(value);
        const wrong = ((failed[index] ?? 0) / value) * all;
        return (
          <g key={index}>
            <rect class="good" x={index * 2} y={height - all} width={1.5} height={all - wrong} />
            {wrong > 0 && (
              <rect
                class="bad"
                x={index * 2}
                y={height - Math.max(2, wrong)}
                width={1.5}
                height={Math.max(2, wrong)}
              />
            )}
          </g>
        );
      })}
    </svg>
  );
}

/** Shows the latest runs of a job as bars. Each leads to its run. */
export function Strip({ jobName, runs }: { jobName: string; runs: readonly StripRun[] }) {
  const scaled = runs.map(({ durationMs }) => Math.log1p(durationMs));
  const [shortest, longest] = [Math.min(...scaled), Math.max(...scaled)];
  const tall = (ms: number) => 15 + (85 * (Math.log1p(ms) - shortest)) / Math.max(longest - shortest, 0.1);
  const move = (event: KeyboardEvent) => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (step === 0) return;
    const links = [...(event.currentTarget as HTMLElement).querySelectorAll("a")];
    const at = links.indexOf(document.activeElement as HTMLAnchorElement);
    links[at + step]?.focus();
  };
  return (
    <div
      class="strip"
      role="group"
      aria-label="The latest runs, oldest first. Left and right arrows go through them."
      onKeyDown={move}
    >
      {runs.map(({ runId, status, startedAt, durationMs }, index) => {
        const text = `${moment(startedAt)}, ${status}, ${duration(durationMs)}`;
        return (
          <a
            key={runId}
            class={status}
            href={href("run", { job: jobName, id: runId })}
            aria-label={text}
            title={text}
            tabIndex={index === runs.length - 1 ? 0 : -1}
          >
            <span style={{ height: `${tall(durationMs)}%` }} />
          </a>
        );
      })}
    </div>
  );
}

/** Shows how durations are spread, over bins of equal ratio. */
export function Histogram({ values, label }: { values: readonly number[]; label: string }) {
  const [width, height, bins] = [320, 72, 32];
  const known = values.filter((value) => value > 0);
  if (known.length === 0) return <p class="none">No runs yet</p>;
  const [low, high] = [Math.log(Math.min(...known)), Math.log(Math.max(...known))];
  const span = Math.max(high - low, 0.01);
  const counts = new Array<number>(bins).fill(0);
  for (const value of known)
    (counts[Math.min(bins - 1, Math.floor(((Math.log(value) - low) / span) * bins))] as number)++;
  const most = Math.max(...counts);
  const text = `${label}: from ${duration(Math.min(...known))} to ${duration(Math.max(...known))}`;
  return (
    <figure class="histogram">
      <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label={text} preserveAspectRatio="none">
        <path class="base" d={`M0 ${height - 0.5}H${width}`} />
        {counts.map((value, index) => {
          const tall = value === 0 ? 0 : Math.max(2, (value / most) * (height - 4));
          return <rect key={index} class="good" x={index * 10} y={height - tall} width={8.5} height={tall} />;
        })}
      </svg>
      <figcaption>
        <span>{duration(Math.min(...known))}</span>
        <span>{duration(Math.exp((low + high) / 2))}</span>
        <span>{duration(Math.max(...known))}</span>
      </figcaption>
    </figure>
  );
}

/** Compares spans of time on one scale. */
export function Spans({
  rows,
}: {
  rows: readonly { readonly label: string; readonly middleMs: number; readonly highMs: number }[];
}) {
  const most = Math.max(1, ...rows.map(({ highMs }) => highMs));
  return (
    <dl class="spans">
      {rows.map(({ label, middleMs, highMs }) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>
            <span class="track" aria-hidden="true">
              <span class="high" style={{ width: `${(highMs / most) * 100}%` }} />
              <span class="middle" style={{ width: `${(middleMs / most) * 100}%` }} />
            </span>
            <span class="numbers">
              p50 {duration(middleMs)} · p95 {duration(highMs)}
            </span>
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** Shows how long a run has been running against a limit. */
export function Elapsed(props: { elapsedMs: number; limitMs: number | null; label: string }) {
  const { elapsedMs, limitMs, label } = props;
  const scale = Math.max(elapsedMs, (limitMs ?? 0) * 1.25, 1);
  const isLong = limitMs !== null && elapsedMs > limitMs;
  return (
    <span class="elapsed">
      <span class={isLong ? "long" : ""}>{duration(elapsedMs)}</span>
      {limitMs !== null && (
        <>
          <span class="track" aria-hidden="true">
            <span class={isLong ? "fill long" : "fill"} style={{ width: `${(elapsedMs / scale) * 100}%` }} />
            <span class="mark" style={{ left: `${(limitMs / scale) * 100}%` }} />
          </span>
          <span class="none">
            {label} {duration(limitMs)}
          </span>
        </>
      )}
    </span>
  );
}
