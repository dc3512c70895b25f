import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect, promisify } from "node:util";
import { defineJob, EngineUnavailableError } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { RedisConnection } from "bullmq";
import { freePort, type RedisServer, startRedis } from "test-servers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bullmqEngine } from "../../src/index.ts";

const password = "s3same";
const runner = new ObservedJobRunner();
let folder: string;
let redis: RedisServer;
/** A server for every client, one that asks for certificates, and one that also says so in the handshake. */
let port: number;
let strictPort: number;
let tellingPort: number;
let strict: RedisServer;
let telling: RedisServer;

async function openssl(...words: string[]): Promise<void> {
  await promisify(execFile)("openssl", words, { cwd: folder });
}

/** Makes an authority of its own, as a company has one. */
function makeAuthority(name: string): Promise<void> {
  const key = [
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:prime256v1",
    "-nodes",
    "-keyout",
    `${name}.key`,
  ];
  return openssl("req", "-x509", ...key, "-days", "2", "-subj", `/CN=${name}`, "-out", `${name}.crt`);
}

const fileOf = (name: string): Promise<Buffer> => readFile(join(folder, name));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nidus-tls-"));
  await Promise.all([makeAuthority("ours"), makeAuthority("theirs")]);
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "redis.key"];
  await openssl("req", ...key, "-subj", "/CN=redis", "-out", "redis.csr");
  await writeFile(join(folder, "names"), "subjectAltName=DNS:localhost,IP:127.0.0.1");
  const signer = ["-CA", "ours.crt", "-CAkey", "ours.key", "-CAcreateserial"];
  await openssl(
    "x509",
    "-req",
    "-in",
    "redis.csr",
    ...signer,
    "-days",
    "2",
    "-extfile",
    "names",
    "-out",
    "redis.crt",
  );
  [port, strictPort, tellingPort] = [await freePort(), await freePort(), await freePort()];
  const files = [
    "--tls-cert-file",
    "redis.crt",
    "--tls-key-file",
    "redis.key",
    "--tls-ca-cert-file",
    "ours.crt",
  ];
  const paths = files.map((word) => (word.startsWith("--") ? word : join(folder, word)));
  redis = await startRedis([...paths, "--tls-port", String(port), "--tls-auth-clients", "no"]);
  const asking = [...paths, "--tls-auth-clients", "yes", "--tls-port"];
  strict = await startRedis([...asking, String(strictPort)]);
  // In TLS 1.2 the refusal is a part of the handshake.
  telling = await startRedis([...asking, String(tellingPort), "--tls-protocols", "TLSv1.2"]);
  const admin = new RedisConnection({ url: redis.url });
  const client = (await admin.client) as unknown as { call(...words: string[]): Promise<unknown> };
  await client.call("CONFIG", "SET", "requirepass", password);
  await admin.close(true);
});

afterAll(async () => {
  await Promise.all([redis?.stop(), strict?.stop(), telling?.stop()]);
  await rm(folder, { recursive: true, force: true });
});

describe("a Redis without TLS", () => {
  it("is unreachable by rediss://, and the error says what to do", async () => {
    const plain = await startRedis();
    const { host } = new URL(plain.url);
    const error = await bullmqEngine({ runner, connection: { url: `rediss://${host}` } }).catch(
      (thrown: unknown) => thrown,
    );
    expect(EngineUnavailableError.isInstance(error)).toBe(true);
    expect(String(error)).toMatch(/no answer to TLS: if this port has no TLS, connect with redis:/);
    await plain.stop();
  });
});

describe("a Redis behind TLS", () => {
  it("runs jobs, if the certificate of its authority is passed", async () => {
    const ca = await fileOf("ours.crt");
    const ran: string[] = [];
    const job = defineJob<string>({ name: "ciphered", run: (payload) => void ran.push(payload) });
    await using producer = await bullmqEngine({
      runner,
      connection: { url: `rediss://:${password}@localhost:${port}`, tls: { ca } },
    });
    await using consumer = await bullmqEngine({
      runner,
      connection: { host: "127.0.0.1", port, password, tls: { ca } },
    });
    await consumer.work({ jobs: [job] });
    await producer.enqueueMany(job, ["first", "second"]);
    await expect.poll(() => ran).toEqual(["first", "second"]);
  });

  it("runs jobs, if the client shows its own certificate to a server that asks for one", async () => {
    const [ca, cert, key] = await Promise.all(["ours.crt", "redis.crt", "redis.key"].map(fileOf));
    const connection = { url: `rediss://localhost:${strictPort}`, tls: { ca, cert, key } };
    await using engine = await bullmqEngine({ runner, connection: connection as never });
    expect((await engine.stats()).waiting).toBe(0);
  });

  it.each<[what: string, optionsOf: (ca: Buffer) => object, message: RegExp, file?: string]>([
    [
      "no authority",
      () => ({ tls: {} }),
      /has a certificate of an unknown authority: pass .*`connection\.tls\.ca`/,
    ],
    ["another authority", (ca) => ({ tls: { ca } }), /unknown authority/, "theirs.crt"],
    [
      "another name",
      (ca) => ({ tls: { ca, servername: "redis.example.org" } }),
      /has a certificate for another host: pass .*`connection\.tls\.servername`/,
    ],
    [
      "another password",
      (ca) => ({ tls: { ca }, password: `not ${password}` }),
      /refuses the user or the password/,
    ],
    [
      "no certificate of its own",
      (ca) => ({ tls: { ca }, port: tellingPort }),
      /ends the TLS handshake: .* pass `connection\.tls\.cert`/,
    ],
  ])("is refused at once with %s, and no error has a secret", async (_what, optionsOf, message, file) => {
    const heard: unknown[] = [];
    const startMs = performance.now();
    const error = await bullmqEngine({
      runner,
      connection: { host: "localhost", port, password, ...optionsOf(await fileOf(file ?? "ours.crt")) },
      onError: (each) => void heard.push(each),
    }).then(
      () => undefined,
      (thrown: Error) => thrown,
    );
    expect(error?.message).toMatch(/^Redis at localhost:\d+ /);
    expect(error?.message).toMatch(message);
    expect(EngineUnavailableError.isInstance(error)).toBe(false);
    expect(performance.now() - startMs).toBeLessThan(9_000);
    expect(inspect([error, heard], { depth: 9, showHidden: true })).not.toContain(password);
  });

  it("names the option for a certificate of its own, although TLS 1.3 may only close the connection", async () => {
    const tls = { ca: await fileOf("ours.crt") };
    const connection = { host: "localhost", port: strictPort, tls };
    await expect(bullmqEngine({ runner, connection })).rejects.toThrow(/pass .*`connection\.tls\.cert`/);
  });
});
