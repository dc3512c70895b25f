import { useEffect } from "preact/hooks";

/** Keys of the page: "/" goes to the filter, arrows go through rows, Esc goes back. */
export function useKeys(parent: string | undefined): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
      const target = event.target as HTMLElement;
      const isTyping = target.matches("input, select, textarea");
      const filter = document.querySelector<HTMLInputElement>("[data-filter]");
      if (event.key === "/" && !isTyping && filter !== null) {
        event.preventDefault();
        filter.focus();
        filter.select();
      } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        if (isTyping && target !== filter) return;
        if (moveRow(event.key === "ArrowDown" ? 1 : -1)) event.preventDefault();
      } else if (event.key === "Escape") {
        if (target === filter && filter.value !== "") {
          filter.value = "";
          filter.dispatchEvent(new Event("input", { bubbles: true }));
        } else if (isTyping || target.closest("[data-row]")) target.blur();
        else if (parent !== undefined) location.hash = parent;
      }
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [parent]);
}

/** Moves the focus to the next row. Returns whether there are rows. */
function moveRow(step: number): boolean {
  const rows = [...document.querySelectorAll<HTMLElement>("[data-row]")];
  if (rows.length === 0) return false;
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  const next = rows[Math.min(rows.length - 1, Math.max(0, at + step))];
  const link = next?.matches("a, button, summary")
    ? next
    : next?.querySelector<HTMLElement>("a, button, summary");
  link?.focus();
  link?.scrollIntoView({ block: "nearest" });
  return true;
}
