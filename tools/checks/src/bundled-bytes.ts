import { gzipSync } from "node:zlib";
import { type BuildOptions, build } from "esbuild";

/**
 * Bundles code for Node, and returns its bytes, minified and gzipped.
 *
 * @param contents An ES module.
 * @param resolveDir The folder from which its imports resolve.
 */
export async function bundledBytes(
  contents: string,
  resolveDir: string,
  more: Pick<BuildOptions, "conditions" | "external"> = {},
): Promise<number> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir },
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    platform: "node",
    target: "node20",
    ...more,
  });
  return gzipSync(outputFiles[0]?.contents ?? new Uint8Array(), { level: 9 }).length;
}
