import { execute } from "./execute.ts";

/** The registry for publishing and installing. A release and its rehearsal differ in it alone. */
export interface Registry {
  /** The address, with a slash at its end. */
  readonly url: string;
  /** Undefined if npm identifies the publisher by its workflow ("trusted publishing"). */
  readonly token: string | undefined;
  /** Whether packages carry a signed statement of their workflow and commit. */
  readonly hasProvenance: boolean;
}

/** Reads the registry from npm's configuration. */
export async function configuredRegistry(folder: string): Promise<string> {
  return (await npmSetting("registry", folder))?.replace(/\/?$/, "/") ?? "";
}

/** Reads a setting of npm from its files and variables. Undefined if it is not set. */
export async function npmSetting(name: string, folder: string): Promise<string | undefined> {
  const said = (await execute("npm", ["config", "get", name], folder)).trim().split("\n")[0];
  return said === "" || said === "null" || said === "undefined" ? undefined : said;
}

/** Makes the variables that point npm to a registry and let it publish there. The token is in no file and no argument. */
export function npmEnvironment({ url, token }: Registry): Record<string, string> {
  return {
    "npm_config_@nidus:registry": url,
    ...(token !== undefined && { [`npm_config_${url.replace(/^https?:/, "")}:_authToken`]: token }),
  };
}

/** Removes the token of a registry from a text. */
export function withoutToken(text: string, { token }: Registry): string {
  return token === undefined ? text : text.replaceAll(token, "***");
}
