import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, relative } from "node:path";
import { Extractor, ExtractorConfig, ExtractorLogLevel } from "@microsoft/api-extractor";
import { type Package, publishedPackages, root } from "./repository.ts";

/** Describes the exports of one entry point of a package, as text. */
interface ApiReport {
  /** The path of the report. */
  readonly file: string;
  readonly text: string;
}

/** Finds reports that differ from the exports of the built packages, and reports without an entry point. */
export function checkApiReports(packages: readonly Package[] = publishedPackages()): string[] {
  return packages.flatMap((each) => {
    const reports = apiReports(each);
    const stale = reports.filter(({ file, text }) => keptText(file) !== text);
    const files = [...stale.map(({ file }) => file), ...orphans(each, reports)];
    return files.map((file) => `${relative(root, file)} is stale: \`pnpm api\` mends it`);
  });
}

/** Writes the exports of the built packages, and removes reports without an entry point. */
export function writeApiReports(packages: readonly Package[] = publishedPackages()): void {
  for (const each of packages) {
    const reports = apiReports(each);
    mkdirSync(reportFolder(each), { recursive: true });
    for (const { file, text } of reports) writeFileSync(file, text);
    for (const file of orphans(each, reports)) rmSync(file);
  }
}

function reportFolder({ folder }: Package): string {
  return join(folder, "api");
}

/** Lists one report for each entry point in `exports`: `jobs-otel.api.md` for ".", `jobs-otel-sdk.api.md` for "./sdk". */
function apiReports(each: Package): ApiReport[] {
  return Object.entries(each.manifest.exports).map(([entry, { types }]) => {
    const name = [basename(each.folder), ...entry.split("/").slice(1)].join("-");
    return {
      file: join(reportFolder(each), `${name}.api.md`),
      text: apiReport(each, name, join(each.folder, types)),
    };
  });
}

/** @throws Error if the declarations are missing or unreadable. */
function apiReport({ folder }: Package, name: string, declarations: string): string {
  const work = mkdtempSync(join(tmpdir(), "nidus-api-"));
  const none = { logLevel: ExtractorLogLevel.None, addToApiReportFile: false };
  try {
    const config = ExtractorConfig.prepare({
      packageJsonFullPath: join(folder, "package.json"),
      configObjectFullPath: undefined,
      configObject: {
        projectFolder: folder,
        mainEntryPointFilePath: declarations,
        newlineKind: "lf",
        apiReport: {
          enabled: true,
          reportFileName: name,
          reportFolder: work,
          reportTempFolder: join(work, "temporary"),
        },
        compiler: {
          overrideTsconfig: {
            compilerOptions: {
              target: "es2022",
              lib: ["es2023", "esnext.disposable"],
              module: "nodenext",
              strict: true,
              types: ["node"],
              // The compiler has checked the declarations already.
              skipLibCheck: true,
            },
            files: [declarations],
          },
        },
        // Every export is public, so there are no release tags. Comments follow TypeScript, not TSDoc.
        messages: {
          extractorMessageReporting: {
            default: none,
            "ae-forgotten-export": { logLevel: ExtractorLogLevel.None, addToApiReportFile: true },
          },
          tsdocMessageReporting: { default: none },
        },
      },
    });
    const { succeeded } = Extractor.invoke(config, {
      localBuild: true,
      messageCallback: (message) => {
        message.handled = message.logLevel !== "error";
      },
    });
    if (!succeeded) throw new Error(`there is no API report of ${relative(root, declarations)}`);
    return readFileSync(join(work, `${name}.api.md`), "utf8");
  } finally {
    rmSync(work, { recursive: true });
  }
}

function keptText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

function orphans(each: Package, reports: readonly ApiReport[]): string[] {
  const folder = reportFolder(each);
  const kept = readdirSync(each.folder).includes("api") ? readdirSync(folder) : [];
  const expected = reports.map(({ file }) => file);
  return kept.map((name) => join(folder, name)).filter((file) => !expected.includes(file));
}
