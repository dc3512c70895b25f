import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { otelPipeline } from "@nidus/jobs-otel/sdk";
import { production } from "@nidus/observability";
import { SpanKind } from "@opentelemetry/api";
import { InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { digestsOf } from "../src/digest.ts";
import { type DigestEngineOptions, openDigestEngine } from "../src/digest-engine.ts";
import { payloadOf } from "../src/digest-payload.ts";
import { type DigestRunOptions, isExpected, runDigests } from "../src/digest-run.ts";
import { readHistory } from "../src/git-history.ts";
import { hashOf, RunFile } from "../src/run-file.ts";
import { SlowestTrace } from "../src/slowest-trace.ts";
import { startTelemetry, type Telemetry } from "../src/telemetry.ts";
import { UserError } from "../src/user-error.ts";
import { commitTo, createRepository, gitEnvironment, weeklyCommits } from "./support/git-repository.ts";
import { startMailServer } from "./support/mail-server.ts";
import { samplesOf } from "./support/metrics-text.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";

beforeEach(() => {
  for (const [name, value] of Object.entries(gitEnvironment)) vi.stubEnv(name, value);
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", "");
  vi.stubEnv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "");
});
afterEach(() => {
  vi.unstubAllEnvs();
});

function telemetryOfTest(): Telemetry {
  const telemetry = startTelemetry("1.2.3");
  onTestFinished(() => telemetry.observability.shutdown());
  return telemetry;
}

type RunOptions = Partial<DigestRunOptions & DigestEngineOptions> & { repository: string };

async function run(options: RunOptions) {
  const folder = options.folder ?? (await temporaryFolder());
  const telemetry = options.telemetry ?? telemetryOfTest();
  await using digestEngine = await openDigestEngine({
    choice: { name: "memory" },
    smtpUrl: undefined,
    concurrency: 4,
    ...options,
    folder,
    telemetry,
  });
  const report = await runDigests({ ...options, digestEngine, folder });
  return { ...report, folder, telemetry };
}

const messagesIn = async (folder: string) => (await readdir(folder)).filter((name) => name.endsWith(".eml"));

test("there is one reindex_users, and one send_digest for each author and week", async () => {
  const repository = await createRepository([
    ...weeklyCommits(3),
    { email: "grace@example.com", date: "2024-01-02T12:00:00Z" },
    { email: "ADA@example.com", date: "2024-01-02T12:00:00Z" },
  ]);
  const onQueued = vi.fn();
  const { reindex, digests, folder } = await run({ repository, onQueued });
  expect(onQueued.mock.calls).toEqual([[5]]);
  expect(reindex).toMatchObject({ completed: ["reindex_users"], failed: [] });
  expect(digests).toMatchObject({ completed: Array(4).fill("send_digest"), failed: [], wasAborted: false });
  expect(await messagesIn(folder)).toHaveLength(4);
  expect(JSON.parse(await readFile(join(folder, "users.json"), "utf8"))).toHaveLength(2);
});

test("a history without commits has no digests, and an empty index", async () => {
  const { digests, reindex, folder } = await run({ repository: await createRepository([]) });
  expect(digests).toMatchObject({ completed: [], failed: [], wasAborted: false });
  expect(reindex.completed).toEqual(["reindex_users"]);
  expect(await readdir(folder)).toEqual(["users.json"]);
});

test("unusable addresses fail, as expected, and the others go on", async () => {
  const repository = await createRepository([
    { email: "root@localhost", name: "Root" },
    { email: "", name: "Nobody" },
    { email: "ada@example.com" },
  ]);
  const { digests, folder } = await run({ repository });
  expect(digests.completed).toEqual(["send_digest"]);
  expect(digests.failed.map(({ error }) => error.message).sort()).toEqual([
    'Nobody has no usable address: ""',
    'Root has no usable address: "root@localhost"',
  ]);
  expect(digests.failed.every(isExpected)).toBe(true);
  expect(await messagesIn(folder)).toHaveLength(1);
});

test("a message that the mail server refuses is an unexpected failure", async () => {
  const refusal = (address: string) => (address.startsWith("gone") ? "no such user" : undefined);
  const server = await startMailServer({ refusal });
  const repository = await createRepository([{ email: "gone@example.com" }, { email: "ada@example.com" }]);
  const { digests } = await run({ repository, smtpUrl: server.url });
  expect(digests.completed).toEqual(["send_digest"]);
  expect(digests.failed.map(isExpected)).toEqual([false]);
  expect(server.accepted.flatMap(({ to }) => to)).toEqual(["ada@example.com"]);
});

test("every run is counted, by how it ended", async () => {
  const repository = await createRepository([...weeklyCommits(3), { email: "root@localhost" }]);
  const { telemetry } = await run({ repository });
  const samples = samplesOf(await telemetry.observability.metrics());
  expect(samples.get('nidus_jobs_finished_total{job_name="send_digest",status="success"}')).toBe(3);
  expect(samples.get('nidus_jobs_finished_total{job_name="send_digest",status="failure"}')).toBe(1);
  expect(samples.get('nidus_jobs_finished_total{job_name="reindex_users",status="success"}')).toBe(1);
});

test("each run is a trace of its own, in which composing and delivering are steps of the job", async () => {
  const exporter = new InMemorySpanExporter();
  const pipeline = otelPipeline({
    serviceName: "test",
    spanProcessors: [new SimpleSpanProcessor(exporter)],
  });
  const telemetry: Telemetry = {
    observability: production("test").otel(pipeline),
    tracer: pipeline.tracerProvider.getTracer("test"),
    slowestTrace: new SlowestTrace(),
  };
  await run({ repository: await createRepository(weeklyCommits(5)), concurrency: 5, telemetry });
  const spans = exporter.getFinishedSpans();
  const allRoots = spans.filter(({ parentSpanContext }) => parentSpanContext === undefined);
  const [enqueuing, ...others] = allRoots.filter(({ kind }) => kind === SpanKind.PRODUCER);
  expect(others).toEqual([]);
  const roots = allRoots.filter((root) => root !== enqueuing);
  expect(roots.map(({ attributes }) => attributes["job.name"]).sort()).toEqual([
    "reindex_users",
    ...Array(5).fill("send_digest"),
  ]);
  expect(new Set(roots.map((root) => root.spanContext().traceId)).size).toBe(6);
  for (const { attributes, links } of roots) {
    const isDigest = attributes["job.name"] === "send_digest";
    expect(links.map(({ context }) => context.spanId)).toEqual(
      isDigest ? [enqueuing?.spanContext().spanId] : [],
    );
  }
  for (const root of roots) {
    const { traceId, spanId } = root.spanContext();
    const steps = spans.filter((span) => span !== root && span.spanContext().traceId === traceId);
    const expected = root.attributes["job.name"] === "send_digest" ? ["compose", "deliver"] : [];
    expect(steps.map(({ name }) => name)).toEqual(expected);
    expect(steps.every(({ parentSpanContext }) => parentSpanContext?.spanId === spanId)).toBe(true);
  }
});

test("after an abort, no further digest starts, and the report covers those that ran", async () => {
  const server = await startMailServer({ acceptsAtMost: 3 });
  const repository = await createRepository(weeklyCommits(20));
  const stopping = new AbortController();
  const running = run({ repository, smtpUrl: server.url, concurrency: 2, signal: stopping.signal });
  await expect.poll(() => server.waiting).toBe(2);
  stopping.abort(new Error("stop"));
  const { digests, reindex, telemetry } = await running;
  expect(reindex.completed).toHaveLength(1);
  expect(digests).toMatchObject({ wasAborted: true, failed: [] });
  expect([digests.completed.length, digests.cancelled.length]).toEqual([3, 2]);
  const samples = samplesOf(await telemetry.observability.metrics());
  expect(samples.get('nidus_jobs_started_total{job_name="send_digest"}')).toBe(5);
  expect(samples.get('nidus_jobs_finished_total{job_name="send_digest",status="cancelled"}')).toBe(2);
  expect(samples.get('nidus_jobs_in_progress{job_name="send_digest"}')).toBe(0);
});

test("an index that cannot be written fails, but the digests are sent", async () => {
  const folder = await temporaryFolder();

  await mkdir(join(folder, "users.json"));
  const { reindex, digests } = await run({ repository: await createRepository([{}]), folder });
  expect(reindex.failed.map(({ jobName }) => jobName)).toEqual(["reindex_users"]);
  expect(reindex.failed.map(isExpected)).toEqual([false]);
  expect(digests.completed).toHaveLength(1);
});

test("an interrupted run continues: nothing is enqueued twice, and its record is removed at the end", async () => {
  const [repository, folder, server] = [
    await createRepository(weeklyCommits(5)),
    await temporaryFolder(),
    await startMailServer(),
  ];
  const payloads = digestsOf(await readHistory(repository)).map(payloadOf);
  const { runId } = await new RunFile(folder).begin(hashOf(payloads), undefined);
  await using digestEngine = await openDigestEngine({
    choice: { name: "memory" },
    repository,
    folder,
    smtpUrl: server.url,
    concurrency: 2,
    telemetry: telemetryOfTest(),
  });
  // After a kill in the middle of a batch, its first three jobs are stored.
  await digestEngine.engine.enqueueMany(digestEngine.job, payloads.slice(0, 3), {
    idempotencyKey: `${runId}/0`,
  });
  const { digests } = await runDigests({ repository, folder, digestEngine });
  expect(digests).toMatchObject({ completed: Array(5).fill("send_digest"), endedEarlier: 0 });
  expect(server.accepted).toHaveLength(5);
  expect(await readdir(folder)).not.toContain("run.json");
  expect((await runDigests({ repository, folder, digestEngine })).digests.completed).toHaveLength(5);
  expect(server.accepted).toHaveLength(10);
});

test("after another commit, the rest of the earlier run is sent before the changed digests", async () => {
  const [repository, folder, server] = [
    await createRepository([{ message: "first" }]),
    await temporaryFolder(),
    await startMailServer(),
  ];
  const payloads = digestsOf(await readHistory(repository)).map(payloadOf);
  await new RunFile(folder).begin(hashOf(payloads), undefined);
  await commitTo(repository, { message: "second" });
  await using digestEngine = await openDigestEngine({
    choice: { name: "memory" },
    repository,
    folder,
    smtpUrl: server.url,
    concurrency: 2,
    telemetry: telemetryOfTest(),
  });
  await digestEngine.engine.enqueueMany(digestEngine.job, payloads);
  const { digests } = await runDigests({ repository, folder, digestEngine });
  expect(digests).toMatchObject({ completed: ["send_digest"], endedEarlier: 0, wasAborted: false });
  const sent = server.accepted.map(({ content }) => content.toString());
  expect(sent.map((text) => /\bsecond\b/.test(text))).toEqual([false, true]);
  const [file = ""] = await messagesIn(folder);
  expect(await readFile(join(folder, file), "utf8")).toMatch(/\bsecond\b/);
});

test("an unusable repository or folder is refused before any job runs", async () => {
  const folder = await temporaryFolder();
  const file = join(folder, "file");
  await writeFile(file, "");
  const telemetry = telemetryOfTest();
  await expect(run({ repository: join(folder, "missing"), telemetry })).rejects.toBeInstanceOf(UserError);
  const repository = await createRepository([{}]);
  await expect(run({ repository, folder: file, telemetry })).rejects.toBeInstanceOf(UserError);
  expect(samplesOf(await telemetry.observability.metrics()).size).toBe(0);
});
