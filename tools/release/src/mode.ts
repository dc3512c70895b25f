/** Whether to publish the packages or to rehearse that. */
export type Mode = "release" | "rehearsal";

/** The one workflow that releases, on the one branch. */
const workflow = /\/\.github\/workflows\/release\.yml@refs\/heads\/main$/;

/**
 * Reads the mode from the command line.
 *
 * @throws Error that says what to do instead: for an unknown argument, and for a release outside of its workflow. There a package could not
 * prove from which commit it was built.
 */
export function modeOf(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Mode {
  if (args.length === 1 && args[0] === "--dry-run") return "rehearsal";
  if (args.length > 0) throw new Error(`expected nothing or --dry-run, received ${args.join(" ")}`);
  const isInWorkflow =
    environment.GITHUB_ACTIONS === "true" &&
    workflow.test(environment.GITHUB_WORKFLOW_REF ?? "") &&
    environment.ACTIONS_ID_TOKEN_REQUEST_URL !== undefined;
  if (!isInWorkflow) {
    throw new Error(
      "a release is made by the release workflow on main, which can prove where packages come from: " +
        "merge the pull request that raises the versions, or rehearse with --dry-run",
    );
  }
  return "release";
}
