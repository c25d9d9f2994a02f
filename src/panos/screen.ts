/**
 * What a terminal would show of bytes that arrive in pieces.
 *
 * @module
 */

/** Everything that is not plain text: C0 and C1 control characters. */
// deno-lint-ignore no-control-regex -- these are the characters to find
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/g;

/** A control sequence, from the bracket to its final byte (ECMA-48, 5.4). */
const CSI = /^\[(?<parameters>[0-?]*)[ -/]*(?<final>[@-~])/;

/** An escape sequence of another kind, such as `(B`, which selects ASCII. */
const ESCAPE = /^[ -/]*[0-~]/;

/** A string sequence, such as a window title, ends in BEL or in ST. */
// deno-lint-ignore no-control-regex -- BEL, ESC and the ends of a line
const STRING = /^[\]P_^X][^\u0007\u001b\r\n]*(?:\u0007|\u001b\\|(?=[\r\n]))/;

/** What may still become one of these when more comes. */
const UNFINISHED =
  // deno-lint-ignore no-control-regex -- as above; ESC may begin ST
  /^(?:\[[0-?]*[ -/]*|[\]P_^X][^\u0007\u001b\r\n]*\u001b?|[ -/]*)$/;

/** The longest sequence that is waited for when a chunk ends in its middle. */
const MAX_SEQUENCE = 256;

const TAB_WIDTH = 8;

/** A screen without a width, on which only the line of the cursor changes. */
export interface Screen {
  /** The line of the cursor: what has come since the last line end. */
  readonly line: string;
  /** The lines above it. */
  readonly lines: readonly string[];
  /** Bytes written since the screen was cleared, and blanks made of them. */
  readonly size: number;
  write(chunk: Uint8Array): void;
  clear(): void;
}

/**
 * Creates an empty screen.
 *
 * A carriage return that no line end follows begins the line anew, as a
 * command line does when it redraws itself; a backspace takes the last
 * character away. Colours, titles and the like leave no trace. A sequence or a
 * character may be split between chunks at any byte. Work is linear in what is
 * written, whatever it is.
 */
export function createScreen(): Screen {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let lines: string[] = [];
  let line = "";
  let size = 0;
  /** The start of a sequence whose end has not come yet. */
  let held = "";
  /** Whether the cursor stands at the start of a line that has text. */
  let returned = false;

  function append(text: string): void {
    if (returned) line = "";
    returned = false;
    line += text;
  }

  function endLine(): void {
    lines.push(line);
    line = "";
    returned = false;
  }

  function moveRight(columns: number): void {
    const width = Math.min(columns, MAX_SEQUENCE);
    size += width;
    // behind a carriage return the cursor passes over what is there
    line = returned
      ? line.slice(0, width).padEnd(width)
      : line.padEnd(line.length + width);
    returned = false;
  }

  function control(parameters: string, final: string): void {
    const count = Number(parameters) || 1;
    const everything = parameters === "2";
    switch (final) {
      case "C":
        moveRight(count);
        break;
      case "D":
        line = line.slice(0, -count);
        break;
      case "G":
        returned = count === 1;
        break;
      case "H":
        if (line !== "") endLine();
        break;
      case "J":
      case "K":
        if (everything && final === "J" && line !== "") endLine();
        if (everything || returned) line = "";
        break;
    }
  }

  /** Length of the sequence at the start of `text`; 0 if there is none. */
  function sequence(text: string): number {
    const csi = CSI.exec(text);
    if (csi?.groups !== undefined) {
      const { parameters = "", final = "" } = csi.groups;
      control(parameters, final);
      return csi[0].length;
    }
    const other = STRING.exec(text) ?? ESCAPE.exec(text);
    return other?.[0].length ?? 0;
  }

  function writeText(text: string): void {
    let position = 0;
    while (position < text.length) {
      CONTROL.lastIndex = position;
      const found = CONTROL.exec(text);
      const end = found?.index ?? text.length;
      if (end > position) append(text.slice(position, end));
      if (found === null) return;
      position = end + 1;
      switch (found[0]) {
        case "\n":
          endLine();
          break;
        case "\r":
          returned = line !== "";
          break;
        case "\b":
          line = line.slice(0, -1);
          break;
        case "\t":
          moveRight(TAB_WIDTH - (returned ? 0 : line.length % TAB_WIDTH));
          break;
        case "\u001b": {
          const rest = text.slice(position, position + MAX_SEQUENCE);
          if (rest.length < MAX_SEQUENCE && UNFINISHED.test(rest)) {
            held = `\u001b${rest}`;
            return;
          }
          position += sequence(rest);
          break;
        }
      }
    }
  }

  return {
    get line() {
      return line;
    },
    get lines() {
      return lines;
    },
    get size() {
      return size;
    },
    write(chunk): void {
      size += chunk.length;
      const text = held + decoder.decode(chunk, { stream: true });
      held = "";
      writeText(text);
    },
    clear(): void {
      lines = [];
      line = "";
      size = 0;
      returned = false;
    },
  };
}
