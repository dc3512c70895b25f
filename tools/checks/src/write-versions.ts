import { writeVersions } from "./versions.ts";

writeVersions();
