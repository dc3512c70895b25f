import { diag } from "@opentelemetry/api";

/** The path for traces in OTLP, appended to a base URL. */
const tracesPath = "/v1/traces";

const baseVariable = "OTEL_EXPORTER_OTLP_ENDPOINT";
const exactVariable = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";

/**
 * Returns the URL to post traces to: from `endpoint`, a base URL, or from the standard environment variables.
 *
 * @throws Error if neither is set. TypeError if the URL is not http(s), holds a user or password, or is plain http to
 * another machine and `allowInsecure` is false; also for an `endpoint` that ends with the path for traces. Messages show
 * the host at most.
 */
export function tracesUrl(
  endpoint: string | undefined,
  environment: NodeJS.ProcessEnv,
  allowInsecure: boolean,
): string {
  const secure = (url: URL, source: string): string => secured(url, source, allowInsecure);
  if (endpoint !== undefined) {
    const base = parse(endpoint, "`endpoint`");
    if (hasTracesPath(base)) {
      throw new TypeError(
        `expected \`endpoint\` to be a base URL, got one that ends with "${tracesPath}": leave that out, since it is appended`,
      );
    }
    return secure(underBase(base), "`endpoint`");
  }
  const { [exactVariable]: exact, [baseVariable]: base } = environment;
  if (exact) return secure(parse(exact, exactVariable), exactVariable);
  if (base) {
    const url = parse(base, baseVariable);
    // The OpenTelemetry specification appends the path to any base URL, and its other SDKs do.
    if (hasTracesPath(url)) {
      diag.warn(
        `${baseVariable} ends with "${tracesPath}", which is appended: leave that out, or set ${exactVariable}`,
      );
    }
    return secure(underBase(url), baseVariable);
  }
  throw new Error(
    `otelPipeline has nowhere to send spans: set \`endpoint\`, ${baseVariable} or \`spanProcessors\``,
  );
}

function parse(url: string, source: string): URL {
  try {
    return new URL(url);
  } catch {
    throw new TypeError(`expected ${source} to be a URL such as "http://localhost:4318"`);
  }
}

function underBase(url: URL): URL {
  url.pathname = pathOf(url) + tracesPath;
  return url;
}

function hasTracesPath(url: URL): boolean {
  return pathOf(url).endsWith(tracesPath);
}

/** Returns the path of a URL without slashes at its end. */
function pathOf({ pathname }: URL): string {
  return pathname.replace(/\/+$/, "");
}

function secured(url: URL, source: string, allowInsecure: boolean): string {
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    throw new TypeError(`expected ${source} to be an http or https URL, got the protocol "${url.protocol}"`);
  }
  if (url.username !== "" || url.password !== "") {
    throw new TypeError(`expected ${source} to hold no user or password: credentials belong in \`headers\``);
  }
  if (url.protocol === "http:" && !allowInsecure && !isLoopback(url.hostname)) {
    throw new TypeError(
      `${source} would send traces unencrypted to "${url.hostname}": use https, a local collector, or \`allowInsecure: true\``,
    );
  }
  return url.href;
}

/** Tells whether a host is this machine. The URL parser has normalised the address to four decimal numbers, or to brackets. */
function isLoopback(hostname: string): boolean {
  return (
    hostname === "localhost" || hostname === "[::1]" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname)
  );
}
