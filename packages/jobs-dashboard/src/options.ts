import { invalidArgument, requireFunction, requireKnownKeys, requireText } from "@nidus/jobs-core/adapter";
import type { JobAttributes } from "@nidus/jobs-observe";

/** What a caller of the page may do. */
export type DashboardAccess = "none" | "read" | "operate";

/** A job whose payload and attributes the page is about to show. */
export interface RedactableJob {
  readonly jobName: string;
  /** The id of a stored job, or undefined for a run outside of an engine. */
  readonly jobId: string | undefined;
  /** As it was stored. Undefined if the attributes alone are shown. */
  readonly payload: unknown;
  readonly attributes: JobAttributes;
}

/** The parts of a job that the page may show. */
export interface RedactedJob {
  /** Shown as JSON, at most 64 kB of it. @default hidden */
  readonly payload?: unknown;
  /** Attributes that are missing here show their key alone. @default values hidden */
  readonly attributes?: JobAttributes | undefined;
}

/** How the page is protected, and what it shows. */
export interface JobDashboardOptions {
  /**
   * Decides what a request may do: see nothing, read, or also cancel and redrive. The page asks for every request, and rejects all
   * but "read" and "operate". Without it, everything is allowed to requests from this machine alone, and nothing to others. To look at
   * the body of an action, read `request.clone()`: the page reads the body itself.
   */
  readonly authorize?: ((request: Request) => DashboardAccess | Promise<DashboardAccess>) | undefined;
  /**
   * Returns the payload and the attributes that viewers may see, without secrets. Undefined hides both. If it throws, both are hidden.
   * @default payloads and the values of attributes are hidden
   */
  readonly redact?: ((job: RedactableJob) => RedactedJob | undefined) | undefined;
  /** The address of a trace in your tracing system, with `{traceId}` in it: "https://traces.example.com/trace/{traceId}". */
  readonly traceUrl?: string | undefined;
  /** The title of the page. @default the service's name, or "Jobs" */
  readonly title?: string | undefined;
}

const known = ["authorize", "redact", "traceUrl", "title"];

/** @throws TypeError for an option that is not as documented, or not known. */
export function requireDashboardOptions(options: JobDashboardOptions): void {
  requireKnownKeys("the options of jobDashboard", options, known);
  const { authorize, redact, traceUrl, title } = options;
  if (authorize !== undefined) requireFunction("`authorize`", authorize);
  if (redact !== undefined) requireFunction("`redact`", redact);
  if (title !== undefined) requireText("`title`", title);
  if (traceUrl !== undefined && !isTraceUrl(traceUrl)) {
    throw invalidArgument("`traceUrl`", 'an http or https URL with "{traceId}" in it', traceUrl);
  }
}

function isTraceUrl(text: unknown): boolean {
  if (typeof text !== "string" || !text.includes("{traceId}")) return false;
  // A link to `javascript:` would run in the page.
  return /^https?:\/\//i.test(text) && URL.canParse(text.replaceAll("{traceId}", "0"));
}
