import { refusal } from "@nidus/jobs-core";
import type { ConnectionOptions } from "bullmq";

/**
 * What of a connection is looked at before anything connects. None of it is repeated in a message, since people put passwords in all of it.
 *
 * @throws TypeError for what cannot be a connection: a string, what is no Redis URL, a client that gives commands up.
 */
export function requireConnection(connection: ConnectionOptions): void {
  if (typeof connection === "string") {
    throw new TypeError(
      "expected `connection` to be Redis options or a client, got a string: pass it as `{ url }`",
    );
  }
  if (typeof connection !== "object" || connection === null) {
    throw refusal("`connection`", "Redis options or a client", connection);
  }
  if (isClient(connection)) requirePatience(connection as { readonly options?: ClientOptions });
  else requireAddress(connection as { readonly url?: unknown; readonly host?: unknown });
}

/** @throws TypeError */
function requireAddress({ url, host }: { readonly url?: unknown; readonly host?: unknown }): void {
  if (url !== undefined && !isRedisUrl(url)) {
    throw new TypeError(
      "expected `connection.url` to be a Redis URL such as redis://localhost:6379, got something else",
    );
  }
  if (typeof host === "string" && /[@/]/.test(host)) {
    throw new TypeError(
      "expected `connection.host` to be a host name, got something else: pass a URL as `connection.url`",
    );
  }
}

function isRedisUrl(url: unknown): boolean {
  return typeof url === "string" && URL.canParse(url) && /^rediss?:$/.test(new URL(url).protocol);
}

/** Of a cluster's client, options stand one level deeper. */
function requirePatience({ options = {} }: { readonly options?: ClientOptions }): void {
  const { maxRetriesPerRequest } = options.redisOptions ?? options;
  if (!maxRetriesPerRequest) return;
  throw refusal(
    "`maxRetriesPerRequest` of the client",
    "null, as BullMQ asks of workers' connections",
    maxRetriesPerRequest,
  );
}

interface ClientOptions {
  readonly maxRetriesPerRequest?: number | null | undefined;
  readonly redisOptions?: ClientOptions | undefined;
}

/** Whether a connection is a client, which belongs to whoever made it, rather than options. */
export function isClient(connection: ConnectionOptions): boolean {
  return typeof (connection as { duplicate?: unknown }).duplicate === "function";
}

/** Host and port: what may be shown of a connection. */
export function addressOf(connection: ConnectionOptions): string {
  const { options = connection } = connection as { options?: object };
  const { url, host = "127.0.0.1", port = 6379, path } = options as Record<string, unknown>;
  if (typeof url === "string") return new URL(url).host;
  return typeof path === "string" ? path : `${host}:${port}`;
}
