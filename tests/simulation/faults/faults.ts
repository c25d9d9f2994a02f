/**
 * Faults that the simulation has to find: text of the source, and what stands
 * there when the fault is in it.
 *
 * The first ten are faults of sequence that the exporter once had, and the like.
 *
 * @module
 */

/** A fault that is put into a copy of the source. */
export interface Fault {
  readonly name: string;
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
  /** Whether the memory shows it, and no single history. */
  readonly isLeak?: boolean;
}

/** Each on its own makes the exporter break a rule. */
export const FAULTS: readonly Fault[] = [
  {
    name: "a hung command lives on while scrapes overlap",
    file: "src/firewall/shared_poll.ts",
    find: "      () => sentAtMs + limitMs(),",
    replace: "      () => this.#clock.monotonicMs() + limitMs(),",
  },
  {
    name: "a command has what a slow login has left",
    file: "src/firewall/shared_poll.ts",
    find: "      () => sentAtMs + limitMs(),",
    replace: "      () => this.#startedAtMs + limitMs(),",
  },
  {
    name: "a late answer is told as a good one",
    file: "src/firewall/shared_poll.ts",
    find: "    const failure = isHeard ? undefined : this.#tooLate(outcome);",
    replace: "    const failure = undefined;",
  },
  {
    name: "a turn is lost with its login",
    file: "src/firewall/gate.ts",
    find:
      "    this.#turns.get(visitor)?.cancelTimer();\n    this.#turns.delete(visitor);\n    this.#letIn();",
    replace: "    this.#letIn();",
  },
  {
    name: "a reload does not let in who waits at the gate",
    file: "src/firewall/guard.ts",
    find: "    this.#turns.forget();\n    this.#gate.review();",
    replace: "    this.#turns.forget();",
  },
  {
    name: "a turn is not given back when its login is over",
    file: "src/firewall/guard.ts",
    find: '    this.#state = "over";\n    this.#gate.leave(this.#login);',
    replace: '    this.#state = "over";',
  },
  {
    name: "a burst after a changed password",
    file: "src/firewall/gate.ts",
    find: "  close(): void {\n    this.#acceptedAtMs = undefined;",
    replace: "  close(): void {",
  },
  {
    name: "two bad firewalls darken all for ever",
    file: "src/firewall/holds.ts",
    find: "    if (!isFirst) return false;\n",
    replace: "",
  },
  {
    name: "a wait for the end of a login has no limit",
    file: "src/firewall/session.ts",
    find: "    await settledWithin(END_LIMIT_MS, gone, this.#options.clock);",
    replace: "    await gone;",
  },
  {
    name: "a wait for the end of a session has no limit",
    file: "src/firewall/session.ts",
    find:
      "      await settledWithin(END_LIMIT_MS, session.end(), this.#options.clock);",
    replace: "      await session.end();",
  },
  {
    name: "the deadline of a command is not cleared",
    file: "src/firewall/shared_poll.ts",
    find: "    using limit = this.#startLimit(\n      () => sentAtMs",
    replace: "    const limit = this.#startLimit(\n      () => sentAtMs",
  },
  {
    name: "the deadline of a login is not cleared",
    file: "src/firewall/shared_poll.ts",
    find: "    using limit = this.#startLimit(\n      () => Math.max(atLeastMs",
    replace:
      "    const limit = this.#startLimit(\n      () => Math.max(atLeastMs",
  },
  {
    name: "the timer of a request is not cleared",
    file: "src/firewall/shared_poll.ts",
    find: "      requester.cancelTimer();\n",
    replace: "",
  },
  {
    name: "a request is not removed when it gives up",
    file: "src/firewall/shared_poll.ts",
    find: "      this.#requesters.delete(requester);\n",
    replace: "",
  },
  {
    name: "a failed session is kept",
    file: "src/firewall/session.ts",
    find:
      "    this.#state = NONE;\n    open.controller.abort(reason);\n  }\n\n  /** Ends everything",
    replace: "    this.#keep(open, 60_000);\n  }\n\n  /** Ends everything",
  },
  {
    name: "a failed session is not closed",
    file: "src/firewall/session.ts",
    find:
      "    this.#state = NONE;\n    open.controller.abort(reason);\n  }\n\n  /** Ends everything",
    replace: "    this.#state = NONE;\n  }\n\n  /** Ends everything",
  },
  {
    name: "the gate is skipped",
    file: "src/firewall/guard.ts",
    find: "    await this.#gate.enter(this.#login);\n",
    replace: "",
  },
  {
    name: "nine logins at a time at an open gate",
    file: "src/firewall/gate.ts",
    find: "const MAX_TURNS = 8;",
    replace: "const MAX_TURNS = 9;",
  },
  {
    name: "two logins at a time at a closed gate",
    file: "src/firewall/gate.ts",
    find: "    return taken === 0 && this",
    replace: "    return taken <= 1 && this",
  },
  {
    name: "any number without a verdict at a closed gate",
    file: "src/firewall/gate.ts",
    find: " && this.#turns.size < this.#holds.maxUnresolved;",
    replace: ";",
  },
  {
    name: "a silent login keeps its turn",
    file: "src/firewall/gate.ts",
    find: "        turn.isOver = true;\n        this.#letIn();",
    replace: "        this.#letIn();",
  },
  {
    name: "who waits at the gate is not told of a hold",
    file: "src/firewall/gate.ts",
    find: "      if (error === undefined && !this.#hasRoom()) continue;",
    replace: "      if (!this.#hasRoom()) continue;",
  },
  {
    name: "a wait at the gate has no limit",
    file: "src/firewall/gate.ts",
    find: "      turn.reject(error);",
    replace: "",
  },
  {
    name: "proof lasts an hour",
    file: "src/firewall/gate.ts",
    find: "const PROOF_MS = 60_000;",
    replace: "const PROOF_MS = 3_600_000;",
  },
  {
    name: "an acceptance without a credential opens the gate",
    file: "src/firewall/guard.ts",
    find: '    if (this.#state !== "sent") return;\n',
    replace: '    if (this.#state !== "sent") return this.#gate.open();\n',
  },
  {
    name: "an old acceptance opens the gate",
    file: "src/firewall/guard.ts",
    find: "    const isNews = this.#number > this.#submissions.lastRejected;",
    replace: "    const isNews = true;",
  },
  {
    name: "a hold is counted twice",
    file: "src/firewall/holds.ts",
    find: '    this.#hold(strikes, "it rejected the credentials");\n',
    replace:
      '    this.#hold(strikes, "it rejected the credentials");\n    this.#hold(strikes, "it rejected the credentials");\n',
  },
  {
    name: "a hold is 24 hours at once",
    file: "src/firewall/holds.ts",
    find: "strikes.failures === 0 ? FIRST_HOLD_MS : LONG_HOLD_MS",
    replace: "LONG_HOLD_MS",
  },
  {
    name: "a second hold is 65 minutes",
    file: "src/firewall/holds.ts",
    find: "strikes.failures === 0 ? FIRST_HOLD_MS : LONG_HOLD_MS",
    replace: "FIRST_HOLD_MS",
  },
  {
    name: "forgetting leaves the holds of firewalls",
    file: "src/firewall/holds.ts",
    find:
      "      Object.assign(strikes, { ...NO_STRIKES, hasAccepted, askedAtMs });\n",
    replace: "      Object.assign(strikes, { hasAccepted, askedAtMs });\n",
  },
  {
    name: "forgetting leaves the hold of all",
    file: "src/firewall/holds.ts",
    find:
      "    this.#suspects.clear();\n    this.#holdOfAll = undefined;\n  }\n\n  #strikesOf",
    replace: "    this.#suspects.clear();\n  }\n\n  #strikesOf",
  },
  {
    name: "an acceptance leaves the hold of all",
    file: "src/firewall/holds.ts",
    find:
      "    this.#suspects.clear();\n    this.#holdOfAll = undefined;\n  }\n\n  /**\n   * A firewall has rejected",
    replace:
      "    this.#suspects.clear();\n  }\n\n  /**\n   * A firewall has rejected",
  },
  {
    name: "one silence holds a firewall",
    file: "src/firewall/holds.ts",
    find: "const MAX_SILENCES = 2;",
    replace: "const MAX_SILENCES = 1;",
  },
  {
    name: "silence holds nobody",
    file: "src/firewall/holds.ts",
    find: "const MAX_SILENCES = 2;",
    replace: "const MAX_SILENCES = Infinity;",
  },
  {
    name: "a silence outlives an acceptance",
    file: "src/firewall/holds.ts",
    find:
      "    const strikes = { ...NO_STRIKES, hasAccepted: true, askedAtMs };",
    replace:
      "    const { silences } = this.#strikesOf(target);\n    const strikes = { ...NO_STRIKES, silences, hasAccepted: true, askedAtMs };",
  },
  {
    name: "a hold that came while a login waited is not seen",
    file: "src/firewall/session.ts",
    find:
      "    guard.check(target); // another login may have been rejected meanwhile\n",
    replace: "",
  },
  {
    name: "a session is ended while logins are held",
    file: "src/firewall/session.ts",
    find:
      "    if (guard.isHeld(target)) this.#keep(open, HELD_CHECK_MS);\n    else this",
    replace: "    this",
  },
  {
    name: "a joiner is answered with the poll before",
    file: "src/firewall/firewall.ts",
    find: "    this.#underWay ??= this.#start();\n",
    replace:
      "    if (this.#underWay !== undefined && this.#last !== undefined) {\n      return this.status;\n    }\n    this.#underWay ??= this.#start();\n",
  },
  {
    name: "every request has a poll of its own",
    file: "src/firewall/firewall.ts",
    find: "    this.#underWay ??= this.#start();",
    replace: "    this.#underWay = this.#start();",
  },
  {
    name: "a poll that has ended can be joined",
    file: "src/firewall/firewall.ts",
    find: "      this.#underWay = undefined;",
    replace:
      "      await Promise.resolve();\n      await Promise.resolve();\n      this.#underWay = undefined;",
  },
  {
    name: "a poll that failed is never over",
    file: "src/firewall/firewall.ts",
    find: "    } finally {\n      this.#underWay = undefined;",
    replace:
      "      if (this.#last?.poll.ok === false) return;\n      this.#underWay = undefined;\n    } finally {",
  },
  {
    name: "an unheard poll is answered again",
    file: "src/firewall/firewall.ts",
    find: "this.#last?.isHeard === true && ",
    replace: "",
  },
  {
    name: "a fresh poll is answered for ever",
    file: "src/firewall/firewall.ts",
    find: "ageMs < minPollIntervalMs",
    replace: "ageMs < minPollIntervalMs * 2",
  },
  {
    name: "a dead kept session costs the poll",
    file: "src/firewall/shared_poll.ts",
    find:
      '      if (error instanceof PollError && error.reason === "session") {\n        return undefined;\n      }\n',
    replace: "",
  },
  {
    name: "the timer of an idle session is not cancelled",
    file: "src/firewall/session.ts",
    find: "    const { open, cancelTimer } = this.#state;\n    cancelTimer();",
    replace: "    const { open } = this.#state;",
  },
  {
    name: "the timer of a lost session is not cancelled",
    file: "src/firewall/session.ts",
    find:
      '    if (state.kind === "idle" && state.open === open) state.cancelTimer();\n',
    replace: "",
  },
  {
    name: "the end of a session before is not waited for",
    file: "src/firewall/session.ts",
    find: "    await untilAborted(login.gone, signal);\n",
    replace: "",
  },
  {
    name: "a login that is late is not given up",
    file: "src/firewall/session.ts",
    find: '    controller.abort(new PollError("timeout", message));',
    replace: "",
  },
  {
    name: "the wait at the gate counts as login time",
    file: "src/firewall/session.ts",
    find: "        using _pause = countdown.pause();\n",
    replace: "",
  },
  {
    name: "a login is destroyed with its poll",
    file: "src/firewall/session.ts",
    find: "    function giveUp(): void {\n      login.waiter = undefined;",
    replace:
      "    function giveUp(): void {\n      login.controller.abort(patience.reason);\n      login.waiter = undefined;",
  },
  {
    name: "a session that nobody waits for is not kept",
    file: "src/firewall/session.ts",
    find: "Math.max(idleTimeoutMs, loginTimeoutMs)",
    replace: "idleTimeoutMs",
  },
  {
    name: "a poll after the stop waits for ever",
    file: "src/firewall/session.ts",
    find: "        state.waiter?.reject(STOPPING);\n",
    replace: "",
  },
  {
    name: "a stop leaves the login",
    file: "src/firewall/session.ts",
    find: "        state.controller.abort(STOPPING);\n",
    replace: "",
  },
  {
    name: "a stop leaves the session in use",
    file: "src/firewall/session.ts",
    find:
      "        state.open.controller.abort(STOPPING);\n        return this.#endPolitely(state.open);",
    replace: "        return Promise.resolve();",
  },
  {
    name: "a stop leaves the idle timer",
    file: "src/firewall/session.ts",
    find: '      case "idle":\n        state.cancelTimer();',
    replace: '      case "idle":',
  },
  {
    name: "a deadline that was put off passes twice",
    file: "src/std/deadline.ts",
    find: "    this.#cancelTimer();\n    this.#atMs = atMs;",
    replace: "    this.#atMs = atMs;",
  },
  {
    name: "a deadline is never put off",
    file: "src/firewall/shared_poll.ts",
    find: "    this.#limit?.deadline.putOff(this.#limit.atMs());\n",
    replace: "",
  },
  {
    name: "a failure is logged as a recovery",
    file: "src/firewall/journal.ts",
    find: "    if (failedPolls !== undefined) {",
    replace: "    if (failedPolls === undefined) {",
  },
  {
    name: "the log misses a change of the reason",
    file: "src/firewall/journal.ts",
    find: "    if (this.#failure?.reason === reason) {",
    replace: "    if (this.#failure !== undefined) {",
  },
  {
    name: "the page keeps failing after a success",
    file: "src/firewall/history.ts",
    find: "    this.#failing = undefined;\n",
    replace: "",
  },
  {
    name: "a late poll counts as the last success",
    file: "src/firewall/firewall.ts",
    find: "    if (poll.ok) this",
    replace: "    this",
  },
  {
    name: "a changed host key is accepted",
    file: "src/ssh/host_key.ts",
    find:
      "      if (first === undefined || fingerprint === first) return undefined;",
    replace: "      if (first !== undefined) return undefined;",
  },
  {
    name: "the text is never tried again",
    file: "src/firewall/form_memory.ts",
    find: "    return isTextDue ? undefined : this.#textProblem;",
    replace: "    return this.#textProblem;",
  },
  {
    name: "the text is tried again each hour",
    file: "src/firewall/form_memory.ts",
    find: "const TEXT_AGAIN_MS = 24 * 60",
    replace: "const TEXT_AGAIN_MS = 60",
  },
  {
    name: "XML that failed is asked for again at once",
    file: "src/firewall/form_memory.ts",
    find: "const XML_AGAIN_MS = 60 * 60_000;",
    replace: "const XML_AGAIN_MS = 0;",
  },
  {
    name: "each session has to learn that XML is read",
    file: "src/firewall/form_memory.ts",
    find: "  noteXmlRead(textProblem: string): void {",
    replace: "  noteXmlRead(textProblem: string): void {\n    return;",
  },
  {
    name: "text that can be read is still asked for in XML",
    file: "src/firewall/form_memory.ts",
    find: "  noteTextRead(): void {\n    this.#textProblem = undefined;",
    replace: "  noteTextRead(): void {",
  },
  {
    name: "a session prints XML and is taken to print text",
    file: "src/firewall/table_reader.ts",
    find: "      this.#inXml = session;\n",
    replace: "",
  },
  {
    name: "a new session is taken to print XML",
    file: "src/firewall/table_reader.ts",
    find: "    if (this.#inXml !== session) {\n      if (!(await",
    replace: "    if (this.#inXml === undefined) {\n      if (!(await",
  },
  {
    name: "a session whose form is unknown is kept",
    file: "src/firewall/table_reader.ts",
    find:
      '      throw new PollError("parse", message, { cause: error });\n    }\n  }',
    replace: "      return message;\n    }\n  }",
  },
  {
    name: "the question for XML has no limit",
    file: "src/firewall/table_reader.ts",
    find: "    { session, within }: Asked,\n    textProblem: string,\n",
    replace:
      "    { session }: Asked,\n    textProblem: string,\n    within: WithinLimit = (_question, answer) => answer,\n",
  },
  {
    name: "hung XML is told as a timeout",
    file: "src/firewall/table_reader.ts",
    find: '      if (error.reason === "session" && isTrusted) {',
    replace:
      '      if (error.reason === "timeout") throw error;\n      if (error.reason === "session" && isTrusted) {',
  },
  {
    name: "a failover in a kept session is not seen",
    file: "src/firewall/shared_poll.ts",
    find:
      "      const reading = await this.#reader.read(session, this.#withinLimit);",
    replace:
      "      const { haState } = session.cli;\n      const reading = await this.#reader.read(session, this.#withinLimit);\n      if (!(reading instanceof PollError)) {\n        this.#holder.release(session);\n        return { ...reading, haState };\n      }",
  },
  {
    name: "the log misses that XML is read",
    file: "src/firewall/journal.ts",
    find: "    if (form === this.#form) return;\n    this.#form = form;",
    replace: "    if (form === this.#form) return;",
  },
  {
    name: "the page remembers all changes",
    file: "src/firewall/history.ts",
    find:
      "    this.#changes = [...changes.slice(-MAX_CHANGES).reverse(), ...this.#changes]\n      .slice(0, MAX_CHANGES);",
    replace: "    this.#changes = [...changes.reverse(), ...this.#changes];",
    isLeak: true,
  },
  {
    name: "each poll holds the one before it",
    file: "src/firewall/firewall.ts",
    find: "    this.#last = conclusion;",
    replace:
      "    this.#last = Object.assign(conclusion, { before: this.#last });",
    isLeak: true,
  },
  {
    name: "each login is remembered",
    file: "src/firewall/guard.ts",
    find: "    return ++this.#last;",
    replace:
      "    (this as unknown as { all: Set<string> }).all ??= new Set();\n    (this as unknown as { all: Set<string> }).all.add(row + this.#last);\n    return ++this.#last;",
    isLeak: true,
  },
  {
    name: "anybody may try the end of a hold of all",
    file: "src/firewall/holds.ts",
    find: "  if (hasRejected) return 2;\n",
    replace: "  if (hasRejected) return 0;\n",
  },
  {
    name: "who waits for another's trial shows no hold",
    file: "src/firewall/holds.ts",
    find: "    return mayTry ? undefined : all.untilMs + TRIAL_MS;",
    replace: "    return undefined;",
  },
  {
    name: "the gate leaves its listener",
    file: "src/firewall/gate.ts",
    find: '      signal.removeEventListener("abort", abort);\n',
    replace: "",
  },
  {
    name: "what waits for a signal leaves its listener",
    file: "src/std/abort.ts",
    find: '    signal.removeEventListener("abort", abort);\n',
    replace: "",
  },
  {
    name: "a table is told that an earlier reply has printed",
    file: "src/firewall/table_reader.ts",
    find: "    one.every((line, index) => line === other[index]);",
    replace:
      "    other.every((line, index) => line.length === one[index]?.length);",
  },
];
