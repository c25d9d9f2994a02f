/**
 * What a terminal would show of bytes that arrive in pieces.
 *
 * @module
 */

import { CursorLine } from "./cursor_line.ts";

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

/** Columns from one tab stop to the next. */
export const TAB_WIDTH = 8;

/**
 * A screen without a width, on which only the line of the cursor changes.
 *
 * A carriage return that no line end follows begins the line anew, as a
 * command line does when it redraws itself; a backspace takes the last
 * character away. Colours, titles and the like leave no trace. A sequence or a
 * character may be split between chunks at any byte. Work is linear in what is
 * written, whatever it is.
 */
export class Screen {
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  readonly #line = new CursorLine();
  #lines: string[] = [];
  #size = 0;
  /** The start of a sequence whose end has not come yet. */
  #held = "";
  /** Whether the cursor stands at the start of a line that has text. */
  #hasReturned = false;

  /** The line of the cursor: what has come since the last line end. */
  get line(): string {
    return this.#line.text;
  }

  /** Its last characters, up to 1,024: these cost the same however long it is. */
  get lineEnd(): string {
    return this.#line.end;
  }

  get lineLength(): number {
    return this.#line.length;
  }

  /** The lines above it. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Bytes written since the screen was cleared, and blanks made of them. */
  get size(): number {
    return this.#size;
  }

  write(chunk: Uint8Array): void {
    this.#size += chunk.length;
    const text = this.#held + this.#decoder.decode(chunk, { stream: true });
    this.#held = "";
    let position = 0;
    while (position < text.length) {
      CONTROL.lastIndex = position;
      const end = CONTROL.exec(text)?.index ?? text.length;
      if (end > position) this.#append(text.slice(position, end));
      position = end + 1;
      if (end < text.length) position += this.#control(text, end);
    }
  }

  clear(): void {
    this.#lines = [];
    this.#line.clear();
    this.#size = 0;
    this.#hasReturned = false;
  }

  #append(text: string): void {
    if (this.#hasReturned) this.#line.clear();
    this.#hasReturned = false;
    this.#line.append(text);
  }

  /** Does what a control character says; returns how much follows it. */
  #control(text: string, position: number): number {
    switch (text[position]) {
      case "\n":
        this.#endLine();
        break;
      case "\r":
        this.#hasReturned = this.#line.length > 0;
        break;
      case "\b":
        this.#line.rubOut(1);
        break;
      case "\t": {
        const column = this.#hasReturned ? 0 : this.#line.length;
        this.#moveRight(TAB_WIDTH - column % TAB_WIDTH);
        break;
      }
      case "\u001b": {
        const rest = text.slice(position + 1, position + 1 + MAX_SEQUENCE);
        const isUnfinished = rest.length < MAX_SEQUENCE &&
          UNFINISHED.test(rest);
        if (!isUnfinished) return this.#escape(rest);
        this.#held = `\u001b${rest}`;
        return rest.length;
      }
    }
    return 0;
  }

  /** Length of the sequence at the start of `text`; 0 if there is none. */
  #escape(text: string): number {
    const csi = CSI.exec(text);
    if (csi?.groups !== undefined) {
      const { parameters = "", final = "" } = csi.groups;
      this.#controlCursor(parameters, final);
      return csi[0].length;
    }
    const other = STRING.exec(text) ?? ESCAPE.exec(text);
    return other?.[0].length ?? 0;
  }

  #controlCursor(parameters: string, final: string): void {
    const count = Number(parameters) || 1;
    const isEverything = parameters === "2";
    switch (final) {
      case "C":
        this.#moveRight(count);
        break;
      case "D":
        this.#line.rubOut(count);
        break;
      case "G":
        this.#hasReturned = count === 1;
        break;
      case "H":
        this.#leaveLine();
        break;
      case "J":
      case "K":
        if (isEverything && final === "J") this.#leaveLine();
        if (isEverything || this.#hasReturned) this.#line.clear();
        break;
    }
  }

  #moveRight(columns: number): void {
    const width = Math.min(columns, MAX_SEQUENCE);
    this.#size += width;
    // behind a carriage return the cursor passes over what is there
    if (this.#hasReturned) this.#line.keepStart(width);
    else this.#line.append(" ".repeat(width));
    this.#hasReturned = false;
  }

  /** Goes elsewhere; the text stays readable above. */
  #leaveLine(): void {
    if (this.#line.length > 0) this.#endLine();
  }

  #endLine(): void {
    this.#lines.push(this.#line.text);
    this.#line.clear();
    this.#hasReturned = false;
  }
}
