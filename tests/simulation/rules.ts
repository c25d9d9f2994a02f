/**
 * Rules that the exporter has to keep, and the first one that it broke.
 *
 * @module
 */

/** A rule that was broken. */
export class Broken extends Error {
  override readonly name = "Broken";
  /** The same for all ways to break it. */
  readonly rule: string;

  constructor(rule: string, detail: string) {
    super(detail === "" ? rule : `${rule}: ${detail}`);
    this.rule = rule;
  }
}

/** What all who watch a history report to. */
export class Rules {
  #broken: Broken | undefined;

  /** The first rule that was broken. */
  get broken(): Broken | undefined {
    return this.#broken;
  }

  /** Notes that a rule is broken unless it holds. */
  expect(holds: boolean, rule: string, detail: () => string = () => ""): void {
    if (!holds) this.breaks(rule, detail());
  }

  /** Notes that a rule is broken; the first one counts. */
  breaks(rule: string, detail = ""): void {
    this.#broken ??= new Broken(rule, detail);
  }
}
