import { execFile } from "node:child_process";
import { chmod, chown, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { defineJob } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { type PostgresServer, serverUser, startPostgres } from "test-servers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pgBossEngine } from "../../src/index.ts";

const runner = new ObservedJobRunner();
let folder: string;
let postgres: PostgresServer;

const pathOf = (name: string): string => join(folder, name);

async function openssl(...words: string[]): Promise<void> {
  await promisify(execFile)("openssl", words, { cwd: folder });
}

const newKey = (name: string): string[] => [
  ...["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
  ...["-nodes", "-keyout", `${name}.key`],
];

/** Makes an authority of its own, as a company has one. */
function makeAuthority(name: string): Promise<void> {
  return openssl(
    "req",
    "-x509",
    ...newKey(name),
    "-days",
    "2",
    "-subj",
    `/CN=${name}`,
    "-out",
    `${name}.crt`,
  );
}

/** The URL of the server, with further parameters. */
const urlWith = (parameters: string, host = "localhost"): string =>
  `postgres://nidus@${host}:${postgres.port}/postgres?${parameters}`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nidus-tls-"));
  // PostgreSQL runs as another user if this process is root's.
  await chmod(folder, 0o755);
  await Promise.all([makeAuthority("ours"), makeAuthority("theirs")]);
  await openssl("req", ...newKey("server"), "-subj", "/CN=server", "-out", "server.csr");
  await writeFile(pathOf("names"), "subjectAltName=DNS:localhost");
  const signer = ["-CA", "ours.crt", "-CAkey", "ours.key", "-CAcreateserial", "-extfile", "names"];
  await openssl("x509", "-req", "-in", "server.csr", ...signer, "-days", "2", "-out", "server.crt");
  // It refuses connections without TLS.
  await writeFile(pathOf("hosts"), "hostssl all all 127.0.0.1/32 trust\n");
  const { uid, gid } = serverUser();
  if (uid !== undefined) await chown(pathOf("server.key"), uid, gid ?? uid);
  postgres = await startPostgres([
    "ssl=on",
    `ssl_cert_file=${pathOf("server.crt")}`,
    `ssl_key_file=${pathOf("server.key")}`,
    `hba_file=${pathOf("hosts")}`,
  ]);
});

afterAll(async () => {
  await postgres?.stop();
  await rm(folder, { recursive: true, force: true });
});

describe("a PostgreSQL behind TLS", () => {
  it("runs jobs, if the path of its authority's certificate is passed", async () => {
    const connectionString = urlWith(`sslmode=verify-full&sslrootcert=${pathOf("ours.crt")}`);
    const engine = await pgBossEngine({ runner, connectionString });
    const job = defineJob<string>({ name: "ciphered", run: (payload) => payload });
    await engine.work({ jobs: [job] });
    const { id } = await engine.enqueue(job, "read");
    expect(await engine.result(id)).toBe("read");
    await engine.close();
  });

  it.each([
    ["no TLS", "", /refuses connections without TLS: add `sslmode=verify-full` to `connectionString`/],
    [
      "no authority",
      "sslmode=verify-full",
      /has a certificate of an unknown authority: pass .*`sslrootcert`/,
    ],
    ["another authority", "sslmode=verify-full&sslrootcert=theirs.crt", /unknown authority/],
    ["another name", "sslmode=verify-full&sslrootcert=ours.crt", /has a certificate for another host/],
  ])("is refused with what to do: %s", async (what, parameters, message) => {
    const withPaths = parameters.replace(/\w+\.crt/, pathOf);
    const connectionString = urlWith(withPaths, what === "another name" ? "127.0.0.1" : "localhost");
    await expect(pgBossEngine({ runner, connectionString })).rejects.toThrow(message);
  });
});
