import type { JobObserver } from "@nidus/jobs-observe";

/** What the lines are made with, and where they go. */
export interface StatsdLines {
  readonly prefix: string;
  readonly serviceName: string;
  readonly send: (line: string) => void;
}

/** Longer values are cut: they name nothing that somebody wants to see in a dashboard. */
const maxTagCharacters = 200;

/** A tag's value without what ends a tag, a line or a metric. Names are data: anything may be in them. */
function tagValue(text: string): string {
  return text.slice(0, maxTagCharacters).replace(/[\s|,#:@\p{Cc}]/gu, "_");
}

/** One line a start, and one with the duration a finish. Run ids are never tags: they would make a series each. */
export function statsdJobObserver({ prefix, serviceName, send }: StatsdLines): JobObserver {
  const service = `service:${tagValue(serviceName)}`;
  const line = (metric: string, jobName: string, tag: string): string =>
    `${prefix}${metric}|#${service},job_name:${tagValue(jobName)}${tag}`;

  return {
    onJobStarted({ jobName }) {
      send(line("jobs_started:1|c", jobName, ""));
    },
    onJobFinished({ jobName, durationMs = 0 }, status) {
      send(line(`job_duration:${durationMs.toFixed(3)}|ms`, jobName, `,status:${status}`));
    },
    onJobEnqueued({ jobName, count }) {
      send(line(`jobs_enqueued:${count}|c`, jobName, ""));
    },
    onJobSettled({ jobName, outcome }) {
      send(line("jobs_settled:1|c", jobName, `,outcome:${outcome}`));
    },
  };
}
