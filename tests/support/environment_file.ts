/**
 * Reads an environment file the way systemd does.
 *
 * @see {@link https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html#EnvironmentFile=}
 * @module
 */

const BLANKS = " \t\n\r";
const LINE_ENDS = "\n\r";
/** Inside double quotes, a backslash escapes these and is kept before others. */
const ESCAPED_IN_DOUBLE_QUOTES = '"\\`$';

type State =
  | "before key"
  | "key"
  | "before value"
  | "value"
  | "escape"
  | "single quotes"
  | "double quotes"
  | "escape in double quotes"
  | "comment"
  | "escape in comment";

/**
 * Follows `parse_env_file_internal()` of systemd 252 state by state, where a
 * grammar of one's own would differ in the corners: what is quoted can be
 * followed by more, a comment that ends in a backslash goes on in the next
 * line, and a quote that is not closed takes the rest of the file.
 */
export function readAsSystemd(text: string): Readonly<Record<string, string>> {
  const variables: Record<string, string> = {};
  let state: State = "before key";
  let key = "";
  let value = "";
  /** Length of the value without the unquoted blanks that it ends in. */
  let kept = 0;
  const finish = (length = value.length): void => {
    variables[key.trimEnd()] = value.slice(0, length);
    state = "before key";
    key = "";
    value = "";
    kept = 0;
  };

  for (const character of text) {
    switch (state) {
      case "before key":
        if ("#;".includes(character)) {
          state = "comment";
        } else if (!BLANKS.includes(character)) {
          state = "key";
          key = character;
        }
        break;
      case "key":
        if (LINE_ENDS.includes(character)) {
          state = "before key";
        } else if (character === "=") {
          state = "before value";
        } else {
          key += character;
        }
        break;
      case "before value":
        if (LINE_ENDS.includes(character)) {
          finish();
        } else if (character === "'") {
          state = "single quotes";
        } else if (character === '"') {
          state = "double quotes";
        } else if (character === "\\") {
          state = "escape";
        } else if (!BLANKS.includes(character)) {
          state = "value";
          value += character;
          kept = value.length;
        }
        break;
      case "value":
        if (LINE_ENDS.includes(character)) {
          finish(kept);
        } else if (character === "\\") {
          state = "escape";
        } else {
          value += character;
          if (!BLANKS.includes(character)) kept = value.length;
        }
        break;
      case "escape":
        state = "value";
        if (!LINE_ENDS.includes(character)) value += character;
        kept = value.length;
        break;
      case "single quotes":
        if (character === "'") {
          state = "before value";
        } else {
          value += character;
        }
        break;
      case "double quotes":
        if (character === '"') {
          state = "before value";
        } else if (character === "\\") {
          state = "escape in double quotes";
        } else {
          value += character;
        }
        break;
      case "escape in double quotes":
        state = "double quotes";
        if (ESCAPED_IN_DOUBLE_QUOTES.includes(character)) {
          value += character;
        } else if (character !== "\n") {
          value += `\\${character}`;
        }
        break;
      case "comment":
        if (character === "\\") {
          state = "escape in comment";
        } else if (LINE_ENDS.includes(character)) {
          state = "before key";
        }
        break;
      case "escape in comment":
        state = "comment";
        break;
    }
  }
  if (!["before key", "key", "comment", "escape in comment"].includes(state)) {
    finish(state === "value" ? kept : value.length);
  }
  return variables;
}
