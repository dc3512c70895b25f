import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type OtelPipelineOptions, otelPipeline } from "../../src/sdk/index.ts";
import { captureOutput } from "../support/captured-output.ts";
import { startCollector } from "../support/collector.ts";
import { clearOtelEnvironment } from "../support/environment.ts";
import { resetGlobalApi } from "../support/global-api.ts";
import { textOf } from "../support/recorded-spans.ts";

beforeEach(clearOtelEnvironment);
afterEach(() => {
  vi.unstubAllEnvs();
  resetGlobalApi();
});

async function exportedTo(options: Partial<OtelPipelineOptions>): Promise<void> {
  await using pipeline = otelPipeline({ serviceName: "users-api", ...options });
  pipeline.tracer.startSpan("job.run").end();
}

function refusalOf(options: Partial<OtelPipelineOptions>): Error {
  try {
    otelPipeline({ serviceName: "users-api", ...options });
  } catch (error) {
    return error as Error;
  }
  throw new Error("expected the pipeline to be refused");
}

describe("`endpoint` is a base URL", () => {
  test.each([
    ["", "/v1/traces"],
    ["/", "/v1/traces"],
    ["/otlp", "/otlp/v1/traces"],
    ["/otlp/", "/otlp/v1/traces"],
    ["/a/b//", "/a/b/v1/traces"],
    ["/otlp?tenant=acme", "/otlp/v1/traces?tenant=acme"],
  ])("so with %j behind the host, spans are posted to %s", async (suffix, path) => {
    await using collector = await startCollector();
    await exportedTo({ endpoint: `${collector.url}${suffix}` });
    expect(collector.requests.map((request) => request.path)).toEqual([path]);
  });

  test.each(["/v1/traces", "/v1/traces/", "/otlp/v1/traces//", "/v1/traces?tenant=acme"])(
    "so one that ends with %s is refused, with what to write instead",
    (path) => {
      const error = refusalOf({ endpoint: `http://localhost:4318${path}` });
      expect(error).toBeInstanceOf(TypeError);
      expect(error.message).toMatch(/`endpoint`.*base URL.*ends with "\/v1\/traces": leave that out/);
    },
  );

  test("so the path is accepted elsewhere in it", async () => {
    await using collector = await startCollector();
    await exportedTo({ endpoint: `${collector.url}/v1/traces/acme` });
    expect(collector.requests.map(({ path }) => path)).toEqual(["/v1/traces/acme/v1/traces"]);
  });
});

describe("without `endpoint`", () => {
  test("OTEL_EXPORTER_OTLP_ENDPOINT is the base URL", async () => {
    await using collector = await startCollector();
    vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", `${collector.url}/base/`);
    await exportedTo({});
    expect(collector.requests.map(({ path }) => path)).toEqual(["/base/v1/traces"]);
  });

  test.each(["/v1/traces", "/v1/traces/"])(
    "OTEL_EXPORTER_OTLP_ENDPOINT with %s at its end is still the base URL, and diagnostics say so",
    async (path) => {
      await using collector = await startCollector();
      const { diagnostics } = captureOutput();
      vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url + path);
      await exportedTo({});
      expect(collector.requests.map((request) => request.path)).toEqual(["/v1/traces/v1/traces"]);
      expect(diagnostics).toContainEqual(
        expect.stringMatching(
          /OTEL_EXPORTER_OTLP_ENDPOINT .*leave that out, or set OTEL_\w+_TRACES_ENDPOINT/,
        ),
      );
    },
  );

  test("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is used unchanged, and wins", async () => {
    await using collector = await startCollector();
    vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", `${collector.url}/base`);
    for (const path of ["/exact", "/v1/traces", "/v1/traces/"]) {
      vi.stubEnv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", collector.url + path);
      await exportedTo({});
      expect(collector.requests.at(-1)?.path).toBe(path);
    }
  });

  test("OTEL_EXPORTER_OTLP_HEADERS are sent", async () => {
    await using collector = await startCollector();
    vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url);
    vi.stubEnv("OTEL_EXPORTER_OTLP_HEADERS", "x-api-key=key-1");
    await exportedTo({});
    expect(collector.requests[0]?.headers["x-api-key"]).toBe("key-1");
  });

  test.each([
    ["no variable", undefined],
    ["an empty variable", ""],
  ])("and with %s, the error names all three ways to set it", (_case, value) => {
    vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", value);
    expect(refusalOf({}).message).toMatch(/`endpoint`.*OTEL_EXPORTER_OTLP_ENDPOINT.*`spanProcessors`/);
  });
});

test("`endpoint` wins over the variables", async () => {
  await using collector = await startCollector();
  vi.stubEnv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:9/elsewhere");
  await exportedTo({ endpoint: collector.url });
  expect(collector.requests).toHaveLength(1);
});

describe("plain http", () => {
  test.each([
    "http://localhost:4318",
    "http://LOCALHOST:4318",
    "http://127.0.0.1:4318",
    "http://127.8.9.10:4318",
    "http://127.1",
    "http://0x7f000001",
    "http://0x7f000001:4318/otlp",
    "http://2130706433",
    "http://0177.0.0.1",
    "http://[::1]:4318",
    "http://[0:0:0:0:0:0:0:1]:4318",
  ])("is accepted to %s", async (endpoint) => {
    await using pipeline = otelPipeline({ serviceName: "users-api", endpoint });
    expect(pipeline.tracer).toBeDefined();
  });

  test.each([
    ["http://127.0.0.1.example.com", "127.0.0.1.example.com"],
    ["http://localhost.example.com", "localhost.example.com"],
    ["http://localhost.", "localhost."],
    ["http://notlocalhost:4318", "notlocalhost"],
    ["http://collector:4318", "collector"],
    ["http://128.0.0.1", "128.0.0.1"],
    ["http://10.0.0.1:4318", "10.0.0.1"],
    ["http://0.0.0.0:4318", "0.0.0.0"],
    ["http://0", "0.0.0.0"],
    ["http://[::]:4318", "[::]"],
    ["http://[::2]:4318", "[::2]"],
    ["http://[::ffff:10.0.0.1]", "[::ffff:a00:1]"],
    ["http://[::ffff:127.0.0.1]", "[::ffff:7f00:1]"],
    ["http://example.com/127.0.0.1", "example.com"],
    ["http://example.com#@localhost", "example.com"],
    ["http://example.com?@localhost", "example.com"],
    ["http:\\\\example.com\\@localhost", "example.com"],
  ])("is refused to %s, naming the host", (endpoint, host) => {
    const error = refusalOf({ endpoint });
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toContain("`endpoint`");
    expect(error.message).toContain(`"${host}"`);
    expect(error.message).toContain("use https");
  });

  test.each(["`endpoint`", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"])(
    "is accepted beyond loopback from %s with `allowInsecure: true`, and with nothing less",
    async (source) => {
      const url = "http://collector.monitoring.svc:4318";
      if (source !== "`endpoint`") vi.stubEnv(source, url);
      const options = { serviceName: "users-api", ...(source === "`endpoint`" ? { endpoint: url } : {}) };

      expect(refusalOf({ ...options, allowInsecure: false }).message).toContain("`allowInsecure: true`");
      await using pipeline = otelPipeline({ ...options, allowInsecure: true });
      expect(pipeline.tracer).toBeDefined();
    },
  );

  test("`allowInsecure` allows no password in the URL, and no other protocol", () => {
    expect(refusalOf({ endpoint: "http://me:secret@collector", allowInsecure: true }).message).toMatch(
      /password/,
    );
    expect(refusalOf({ endpoint: "grpc://collector", allowInsecure: true }).message).toMatch(/http or https/);
  });

  test.each(["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"])(
    "is refused beyond loopback in %s, naming the variable",
    (variable) => {
      vi.stubEnv(variable, "http://collector.example.com:4318");
      expect(refusalOf({}).message).toContain(variable);
    },
  );

  test("does not concern https", async () => {
    await using pipeline = otelPipeline({
      serviceName: "users-api",
      endpoint: "https://collector.example.com",
    });
    expect(pipeline.tracer).toBeDefined();
  });
});

describe("other URLs", () => {
  test.each([
    ["ftp://localhost", /http or https.*"ftp:"/],
    ["file:///tmp/spans", /http or https.*"file:"/],
    ["grpc://localhost:4317", /http or https.*"grpc:"/],
    ["localhost:4318", /http or https.*"localhost:"/],
    ["127.0.0.1:4318", /to be a URL such as/],
    ["", /to be a URL such as/],
    ["/v1/traces", /to be a URL such as/],
  ])("such as %j are refused", (endpoint, message) => {
    const error = refusalOf({ endpoint });
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toMatch(message);
  });

  test.each([
    "http://user:hunter2@localhost",
    "https://user:hunter2@collector.example.com",
    "http://user:hunter2@collector.example.com",
    "http://hunter2@localhost:4318",
    "ftp://user:hunter2@localhost",
    "http://user:hunter2@localhost:99999",
    "http://user:hunter2@",
  ])("with credentials, as %s, are refused without repeating them", (endpoint) => {
    const error = refusalOf({ endpoint });
    expect(error).toBeInstanceOf(TypeError);
    expect(textOf(error)).not.toContain("hunter2");
    expect(error.cause).toBeUndefined();
  });

  test("with credentials are refused from the environment, too", () => {
    vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:hunter2@localhost");
    const error = refusalOf({});
    expect(error.message).toMatch(/OTEL_EXPORTER_OTLP_ENDPOINT.*`headers`/);
    expect(textOf(error)).not.toContain("hunter2");
  });
});
