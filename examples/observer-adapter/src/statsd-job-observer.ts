import type { JobObserver } from "@nidus/jobs-observe";

/** Options of the observer. */
export interface StatsdLines {
  readonly prefix: string;
  readonly serviceName: string;
  readonly send: (line: string) => void;
}

/** The longest value of a tag. Longer values are cut, because they help no dashboard. */
const maxTagCharacters = 200;

/** Removes characters that end a tag, a line or a metric. Names are data and may contain any character. */
function tagValue(text: string): string {
  return text.slice(0, maxTagCharacters).replace(/[\s|,#:@\p{Cc}]/gu, "_");
}

/** Writes one line per start, and one with the duration per finish. Run ids are never tags: each would make a series. */
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
