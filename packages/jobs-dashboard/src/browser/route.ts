import { useEffect, useState } from "preact/hooks";

/** An address within the page: "#/jobs?state=waiting". */
export interface Route {
  readonly view: string;
  readonly params: URLSearchParams;
}

function current(): Route {
  const [path = "", query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  return { view: path || "overview", params: new URLSearchParams(query) };
}

/** Follows the address. */
export function useRoute(): Route {
  const [route, setRoute] = useState(current);
  useEffect(() => {
    const update = () => setRoute(current());
    addEventListener("hashchange", update);
    addEventListener("popstate", update);
    return () => {
      removeEventListener("hashchange", update);
      removeEventListener("popstate", update);
    };
  }, []);
  return route;
}

/** Makes a link to a view. Parameters without a value are left out. */
export function href(view: string, params: Readonly<Record<string, string | null | undefined>> = {}): string {
  const given = Object.entries(params).filter((entry): entry is [string, string] => Boolean(entry[1]));
  const query = new URLSearchParams(given).toString();
  return `#/${view}${query === "" ? "" : `?${query}`}`;
}

/** Changes parameters of the address, without a step for the back button. */
export function setParams(changes: Readonly<Record<string, string | null>>): void {
  const { view, params } = current();
  history.replaceState(null, "", href(view, { ...Object.fromEntries(params), ...changes }));
  dispatchEvent(new Event("popstate"));
}
