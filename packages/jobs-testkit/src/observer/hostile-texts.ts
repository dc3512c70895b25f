/** Names that break careless code, such as keys of plain objects. */
export const hostileTexts: readonly string[] = [
  " ",
  "two\nlines\r\n",
  'quo"ted \\ and \\n escaped',
  '{curly="braces"} # | : @ , ; $& $0 %s %d',
  "\u0000\u0007\u001b[31mred",
  "größe \u{1f600} עברית",
  "half of a pair: \ud83d",
  "\udc00 the other half",
  "x".repeat(100_000),
  // Properties that every plain object inherits.
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "0",
];
