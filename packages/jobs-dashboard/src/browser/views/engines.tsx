import type { EngineRow, EnginesView, StoredState, WorkerRow } from "../../wire-stored.ts";
import type { ViewProps } from "../app.tsx";
import { count, duration } from "../format.ts";
import { Ago, Code, Empty, Fact, Pill, Problems, storedLabels } from "../parts/bits.tsx";
import { href } from "../route.ts";
import { useView } from "./use-view.ts";

export function Engines({ session, onConnection }: ViewProps) {
  const view = useView<EnginesView>("engines", onConnection);
  if (view === undefined) return <p class="none">Loading…</p>;
  return (
    <>
      <h1>Engines and workers</h1>
      <Problems engines={view.engines.map((engine) => ({ ...engine, name: engine.key }))} />
      {view.engines.length === 0 && (
        <Empty title="The page watches no engine">
          <p>Counts, latency and workers of your engines appear here.</p>
          <Code>page.watch(engine);</Code>
        </Empty>
      )}
      <div class="cards">
        {view.engines.map((engine) => (
          <Engine key={engine.key} engine={engine} />
        ))}
      </div>
      {session.unwatched.length > 0 && (
        <p class="lead">
          This process also opened {session.unwatched.join(", ")}, which the page does not watch.
        </p>
      )}
    </>
  );
}

function Engine({ engine }: { engine: EngineRow }) {
  const { key, isReachable, latencyMs, counts, oldestWaitingAt, workers } = engine;
  return (
    <section class="panel" aria-labelledby={`engine-${key}`}>
      <header class="title">
        <h2 id={`engine-${key}`}>{key}</h2>
        <Pill kind={isReachable === null ? "slow" : isReachable ? "fine" : "failing"}>
          {isReachable === null ? "Not read yet" : isReachable ? "Reachable" : "Unreachable"}
        </Pill>
      </header>
      <dl class="figures">
        {counts !== null &&
          (Object.keys(counts) as StoredState[]).map((state) => (
            <Fact key={state} label={state === "dead-lettered" ? "Dead letters" : storedLabels[state]}>
              <a href={href("jobs", { engine: key, state })}>
                {state === "dead-lettered" && counts[state] > 0 ? (
                  <b class="bad">{count(counts[state])}</b>
                ) : (
                  count(counts[state])
                )}
              </a>
            </Fact>
          ))}
        <Fact label="Oldest wait">
          <Ago at={oldestWaitingAt} bare />
        </Fact>
        <Fact label="Answers in">
          {latencyMs === null || isReachable === false ? "–" : duration(latencyMs)}
        </Fact>
      </dl>
      {workers !== null && <Workers workers={workers} />}
    </section>
  );
}

const workerLabels: Readonly<Record<string, string>> = {
  working: "Working",
  idle: "Idle",
  stuck: "Stuck",
  stopped: "Stopped",
  "server-unreachable": "Store unreachable",
};

function Workers({ workers }: { workers: readonly WorkerRow[] }) {
  if (workers.length === 0) return <p class="none">This process has no worker of this engine.</p>;
  return (
    <>
      <h3>Workers of this process</h3>
      <ul class="workers">
        {workers.map(({ state, running, concurrency, lastFetchAt }, index) => (
          <li key={index}>
            <Pill kind={`worker-${state}`}>{workerLabels[state] ?? state}</Pill>
            {concurrency !== null && (
              <span>
                <span class="track" aria-hidden="true">
                  <span class="fill" style={{ width: `${(100 * (running ?? 0)) / concurrency}%` }} />
                </span>
                {running ?? "–"} of {concurrency} running
              </span>
            )}
            <span>
              asked for jobs <Ago at={lastFetchAt} />
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}
