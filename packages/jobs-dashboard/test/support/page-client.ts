import { type JobDashboard, type JobDashboardOptions, jobDashboard } from "@nidus/jobs-dashboard";
import { ObservedJobRunner } from "@nidus/jobs-observe";

/** A page with a runner that feeds it. */
export interface FedPage {
  readonly page: JobDashboard;
  readonly runner: ObservedJobRunner;
}

export function fedPage(options: JobDashboardOptions = { authorize: () => "operate" }): FedPage {
  const page = jobDashboard(options);
  return { page, runner: new ObservedJobRunner(page.jobObserver({ serviceName: "users-api" })) };
}

/** Reads a view as JSON. */
export async function viewOf<T>(page: JobDashboard, address: string): Promise<T> {
  const answer = await page.fetch(new Request(`http://localhost/jobs/api/${address}`));
  if (!answer.ok) throw new Error(`${address}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

/** Headers that a browser sends with an action of the page. */
export const ownHeaders: Readonly<Record<string, string>> = {
  "Content-Type": "application/json",
  "X-Nidus-Dashboard": "1",
  "Sec-Fetch-Site": "same-origin",
  Host: "localhost",
};

/** Sends an action. */
export function act(
  page: JobDashboard,
  body: unknown,
  headers: Record<string, string> = ownHeaders,
): Promise<Response> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return page.fetch(
    new Request("http://localhost/jobs/api/actions", { method: "POST", headers, body: text }),
  );
}
