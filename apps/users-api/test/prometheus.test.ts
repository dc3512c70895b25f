import { hasProgram, prometheusProgram, startPrometheus } from "test-servers";
import { expect, onTestFinished, test } from "vitest";
import { createRepository, weeklyCommits } from "./support/git-repository.ts";
import { startService } from "./support/service.ts";

const hasPrometheus = hasProgram(
  prometheusProgram,
  "nothing scrapes the service (on Debian: apt-get install prometheus)",
);

test.runIf(hasPrometheus)(
  "a Prometheus that scrapes the service answers queries about the runs, under its own job label",
  async () => {
    const repository = await createRepository([...weeklyCommits(5), { email: "root@localhost" }]);
    const { url, port } = await startService(repository);
    const prometheus = await startPrometheus({ targets: { "users-api": port } });
    onTestFinished(() => prometheus.stop());
    const sumOf = async (selector: string) => (await prometheus.query(`sum(${selector})`))[0]?.value[1];
    const interval = 200;

    expect((await fetch(`${url}/digests`, { method: "POST" })).status).toBe(202);
    await expect
      .poll(() => sumOf('nidus_jobs_finished_total{job_name="send_digest"}'), { interval })
      .toBe("6");

    const byStatus = await prometheus.query('nidus_jobs_finished_total{job_name="send_digest"}');
    expect(new Map(byStatus.map(({ metric, value }) => [metric.status, value[1]]))).toEqual(
      new Map([
        ["success", "5"],
        ["failure", "1"],
        ["cancelled", "0"],
      ]),
    );
    for (const { metric } of byStatus) {
      expect(metric).toMatchObject({
        job: "users-api",
        instance: `127.0.0.1:${port}`,
        job_name: "send_digest",
      });
    }
    expect(await prometheus.query('{exported_job!=""}')).toEqual([]);
    expect(await prometheus.query('{exported_job_name!=""}')).toEqual([]);

    const enqueueAgain = async () => (await fetch(`${url}/digests`, { method: "POST" })).json();
    await expect.poll(enqueueAgain, { interval }).toMatchObject({ duplicates: 0 });
    await expect
      .poll(() => sumOf('nidus_jobs_finished_total{job_name=~"send_digest|index_commit"}'), { interval })
      .toBe("24");
    const [quantile] = await prometheus.query(
      'histogram_quantile(0.95, sum by (le) (nidus_job_duration_seconds_bucket{job_name="send_digest"}))',
    );
    expect(Number(quantile?.value[1])).toBeGreaterThan(0);
  },
);
