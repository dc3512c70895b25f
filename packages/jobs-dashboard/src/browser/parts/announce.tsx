import { useEffect, useState } from "preact/hooks";

let tell: (text: string) => void = () => {};

/** Says something to screen readers, and shows it for some seconds. */
export function announce(text: string): void {
  tell(text);
}

/** Shows announcements. */
export function Announcer() {
  const [text, setText] = useState("");
  useEffect(() => {
    tell = setText;
  }, []);
  useEffect(() => {
    if (text === "") return;
    const timer = setTimeout(() => setText(""), 6_000);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <p class={text === "" ? "toast empty" : "toast"} aria-live="polite">
      {text}
    </p>
  );
}
