import { execute } from "./execute.ts";

/** Where packages are published, and installed from. A release and its rehearsal differ in this alone. */
export interface Registry {
  /** With a slash at its end. */
  readonly url: string;
  /** Undefined where npm proves by the workflow's identity who publishes ("trusted publishing"). */
  readonly token: string | undefined;
  /** Whether packages carry a signed statement of the workflow and the commit that made them. */
  readonly hasProvenance: boolean;
}

/** The registry that npm is configured with. */
export async function configuredRegistry(folder: string): Promise<string> {
  return (await npmSetting("registry", folder))?.replace(/\/?$/, "/") ?? "";
}

/** A setting of npm's, from its own files and variables. Undefined where it is not set. */
export async function npmSetting(name: string, folder: string): Promise<string | undefined> {
  const said = (await execute("npm", ["config", "get", name], folder)).trim().split("\n")[0];
  return said === "" || said === "null" || said === "undefined" ? undefined : said;
}

/** Variables by which npm finds our packages at a registry, and may publish there. The token is in no file and no argument. */
export function npmEnvironment({ url, token }: Registry): Record<string, string> {
  return {
    "npm_config_@nidus:registry": url,
    ...(token !== undefined && { [`npm_config_${url.replace(/^https?:/, "")}:_authToken`]: token }),
  };
}

/** A text without the token of a registry. */
export function withoutToken(text: string, { token }: Registry): string {
  return token === undefined ? text : text.replaceAll(token, "***");
}
