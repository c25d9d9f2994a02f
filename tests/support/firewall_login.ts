/**
 * How the simulated firewall decides who may log in.
 *
 * @module
 */

// @ts-types="@types/ssh2"
import type {
  AuthContext,
  KeyboardAuthContext,
  PasswordAuthContext,
} from "ssh2";

/** Ways to log in. */
export type Method = "keyboard-interactive" | "password" | "publickey";

/** One question of keyboard-interactive, and the answer that is right. */
export interface Question {
  readonly prompt: string;
  readonly echo: boolean;
  readonly answer: string;
}

/** Questions that are asked together. */
export type Round = readonly Question[];

/** "Force Admins to Acknowledge Login Banner" as PAN-OS asks for it. */
export const ACKNOWLEDGEMENT: Question = {
  prompt: "Do you accept and acknowledge the statement above ? (yes/no) : ",
  echo: true,
  answer: "yes",
};

/** The question for a password as PAN-OS asks it. */
export function passwordQuestion(password: string): Question {
  return { prompt: "Password: ", echo: false, answer: password };
}

/** Who may log in, and how. Everything can be left out. */
export interface LoginOptions {
  readonly username?: string;
  readonly password?: string;
  /** In the order offered; by default keyboard-interactive alone. */
  readonly methods?: readonly Method[];
  /** Whether any key is taken for the user's; by default none is. */
  readonly knowsKey?: () => boolean;
  /** Of keyboard-interactive; by default one question for the password. */
  readonly rounds?: readonly Round[];
  /** Asks for a new password in place of accepting the method `password`. */
  readonly changeRequest?: string;
}

/** What decides, with the defaults filled in. */
export interface Login {
  readonly username: string;
  readonly password: string;
  readonly methods: readonly Method[];
  /** Hears what a client has to say, and whether it is right. */
  check(attempt: AuthContext, record: Record): Promise<boolean>;
}

/** Told of each answer that a client gives; the prompt may be empty. */
export type Record = (prompt: string, value: string) => void;

/** Fills in the defaults. */
export function createLogin(options: LoginOptions): Login {
  const {
    username = "monitor",
    password = "correct horse",
    methods = ["keyboard-interactive"],
    knowsKey = (): boolean => false,
    rounds = [[passwordQuestion(password)]],
    changeRequest,
  } = options;

  async function checkCredential(
    attempt: AuthContext,
    record: Record,
  ): Promise<boolean> {
    switch (attempt.method) {
      case "keyboard-interactive":
        return await askRounds(attempt, rounds, record);
      case "password":
        record("", attempt.password);
        if (changeRequest === undefined) return attempt.password === password;
        record(changeRequest, await askForChange(attempt, changeRequest));
        return true;
      case "publickey":
        record("", "");
        return knowsKey();
      default:
        return false;
    }
  }
  return {
    username,
    password,
    methods,
    check: async (attempt, record) =>
      await checkCredential(attempt, record) && attempt.username === username,
  };
}

/** Asks all rounds, also after a wrong answer, as PAM does. */
async function askRounds(
  attempt: KeyboardAuthContext,
  rounds: readonly Round[],
  record: Record,
): Promise<boolean> {
  let isRight = true;
  for (const round of rounds) {
    const prompts = round.map(({ prompt, echo }) => ({ prompt, echo }));
    const answers = await new Promise<readonly string[]>((resolve) => {
      attempt.prompt(prompts, resolve);
    });
    for (const [index, { prompt, answer }] of round.entries()) {
      const given = answers[index];
      if (given !== undefined) record(prompt, given);
      isRight &&= given === answer;
    }
  }
  return isRight;
}

function askForChange(
  attempt: PasswordAuthContext,
  request: string,
): Promise<string> {
  return new Promise((resolve) => attempt.requestChange(request, resolve));
}
