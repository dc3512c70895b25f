import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { answersOn, freePort, ServerProcess } from "test-servers";
import type { Registry } from "./registry.ts";

/** A registry on loopback that keeps its files in a folder. It knows our packages alone and asks no other registry. */
export interface RehearsalRegistry extends Registry {
  /** Ends the registry. Its files stay. */
  stop(): Promise<void>;
}

const command = fileURLToPath(new URL("../node_modules/.bin/verdaccio", import.meta.url));

/** Writes the settings as JSON, which is YAML as well. */
const configuration = {
  storage: "./storage",
  auth: { htpasswd: { file: "./htpasswd" } },
  packages: { "@nidus/*": { access: "$all", publish: "$authenticated" } },
  web: { enable: false },
  log: { type: "stdout", format: "pretty", level: "warn" },
};

/** @throws (rejects with) Error if the registry does not start. */
export async function startRegistry(folder: string): Promise<RehearsalRegistry> {
  const file = join(folder, "registry.json");
  await writeFile(file, JSON.stringify(configuration));
  const port = await freePort();
  const args = ["--config", file, "--listen", `127.0.0.1:${port}`];
  const server = new ServerProcess(command, args, { cwd: folder }, () =>
    answersOn(port, "GET /-/ping HTTP/1.0\r\n\r\n", "200"),
  );
  try {
    await server.start();
    const url = `http://127.0.0.1:${port}/`;
    return { url, token: await tokenOfNewUser(url), hasProvenance: false, stop: () => server.stop() };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

async function tokenOfNewUser(url: string): Promise<string> {
  const user = { name: "rehearsal", password: randomBytes(16).toString("hex") };
  const answer = await fetch(`${url}-/user/org.couchdb.user:${user.name}`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(user),
  });
  const { token } = (await answer.json()) as { token?: string };
  if (token === undefined) throw new Error(`the registry made no user: ${answer.status}`);
  return token;
}
