/**
 * The line on which the cursor of a screen stands.
 *
 * @module
 */

/** How much of its end a line shows; also the length of a stored piece. */
const END_LENGTH = 1_024;

/**
 * Text that grows and shrinks at its end.
 *
 * No operation but reading the whole text costs more the longer the line is: a
 * reply of several MiB may come on one line, in pieces of any size.
 */
export class CursorLine {
  /** All but the end, in pieces of {@linkcode END_LENGTH}. */
  #pieces: string[] = [];
  /** At least {@linkcode END_LENGTH} long if there are pieces before it. */
  #end = "";

  get length(): number {
    return this.#pieces.length * END_LENGTH + this.#end.length;
  }

  get text(): string {
    return this.#pieces.length === 0
      ? this.#end
      : this.#pieces.join("") + this.#end;
  }

  /** The last 1,024 characters. */
  get end(): string {
    return this.#end.length <= END_LENGTH
      ? this.#end
      : this.#end.slice(-END_LENGTH);
  }

  append(text: string): void {
    this.#end += text;
    let start = 0;
    while (this.#end.length - start >= 2 * END_LENGTH) {
      this.#pieces.push(this.#end.slice(start, start + END_LENGTH));
      start += END_LENGTH;
    }
    if (start > 0) this.#end = this.#end.slice(start);
  }

  /** Takes the last characters away, or all if there are fewer. */
  rubOut(count: number): void {
    let left = count;
    while (left > this.#end.length && this.#pieces.length > 0) {
      left -= this.#end.length;
      this.#end = this.#pieces.pop() ?? "";
    }
    this.#end = this.#end.slice(0, Math.max(0, this.#end.length - left));
    if (this.#end.length < END_LENGTH) {
      this.#end = (this.#pieces.pop() ?? "") + this.#end;
    }
  }

  /** Keeps the first characters, at most 1,024, and fills up with blanks. */
  keepStart(width: number): void {
    const start = this.#pieces[0] ?? this.#end;
    this.clear();
    this.#end = start.slice(0, width).padEnd(width);
  }

  clear(): void {
    if (this.#pieces.length > 0) this.#pieces = [];
    this.#end = "";
  }
}
