import assert from "node:assert/strict";
import {
  Authentication,
  type Credential,
  type Credentials,
} from "../../src/ssh/authentication.ts";
import { PollError } from "../../src/model/poll.ts";
import { parsePrivateKey } from "../../src/ssh/private_key.ts";
import { quoteWithout } from "../../src/std/quote.ts";
import { Secret } from "../../src/std/secret.ts";
import { createKeyPair } from "../support/key_pair.ts";

const PASSWORD = "correct horse";
const privateKey = parsePrivateKey(createKeyPair().privateKey, undefined);
const IS_PARTIAL = true;
const ACKNOWLEDGEMENT =
  "Do you accept and acknowledge the statement above ? (yes/no) : ";

Deno.test("choose() takes the best method that the firewall offers", async (t) => {
  const cases = [
    {
      when: "there is a key",
      authentication: begin({ privateKey }),
      offered: ["password", "keyboard-interactive", "publickey"],
      chosen: "publickey",
    },
    {
      when: "there is no key",
      authentication: begin(),
      offered: ["publickey", "password", "keyboard-interactive"],
      chosen: "keyboard-interactive",
    },
    {
      when: "only plain passwords are taken",
      authentication: begin(),
      offered: ["password"],
      chosen: "password",
    },
    {
      when: "the key cannot be used here",
      authentication: begin({ privateKey }),
      offered: ["gssapi-with-mic", "password"],
      chosen: "password",
    },
  ];
  for (const { when, authentication, offered, chosen } of cases) {
    await t.step(when, () => {
      assert.equal(authentication.choose(offered), chosen);
    });
  }
});

Deno.test("choose() goes on to the password when the key is rejected", () => {
  const authentication = begin({ privateKey });
  const offered = ["publickey", "keyboard-interactive"];
  assert.equal(authentication.choose(offered), "publickey");
  assert.equal(authentication.choose(offered), "keyboard-interactive");
});

Deno.test("choose() sends one credential where only one may be sent", async (t) => {
  const both = ["publickey", "keyboard-interactive", "password"];
  const QUESTION = [{ prompt: "Password: ", echo: false }];
  await t.step("the password, and says that the key was not sent", () => {
    const authentication = begin({ privateKey, only: "password" });
    assert.equal(authentication.choose(both), "keyboard-interactive");
    authentication.answer(QUESTION);
    assertAuthError(
      () => authentication.choose(both),
      /rejected the credentials.*the key, which .* was not sent again: reload/,
    );
  });
  await t.step("the key, and says that the password was not sent", () => {
    const authentication = begin({ privateKey, only: "key" });
    assert.equal(authentication.choose(both), "publickey");
    assertAuthError(() => authentication.choose(both), /the password, which/);
  });
  await t.step("the other one, if it takes nothing else", () => {
    const authentication = begin({ privateKey, only: "password" });
    assert.equal(authentication.choose(["publickey"]), "publickey");
    assertAuthError(() => authentication.choose(both), /rejected the cred/);
  });
  await t.step("the plain password, where it was not asked for before", () => {
    const authentication = begin({ privateKey, only: "password" });
    assert.equal(authentication.choose(both), "keyboard-interactive");
    assert.equal(authentication.choose(both), "password");
  });
  await t.step("and the other one, if it wants both", () => {
    const authentication = begin({ privateKey, only: "password" });
    assert.equal(authentication.choose(both), "keyboard-interactive");
    authentication.answer(QUESTION);
    const rest = ["publickey"];
    assert.equal(authentication.choose(rest, IS_PARTIAL), "publickey");
  });
  await t.step("which it wants in another way than the first", () => {
    const authentication = begin({ privateKey, only: "key" });
    assert.equal(authentication.choose(both), "publickey");
    const rest = ["keyboard-interactive", "password"];
    assert.equal(
      authentication.choose(rest, IS_PARTIAL),
      "keyboard-interactive",
    );
    assert.equal(authentication.choose(rest), "password");
  });
});

Deno.test("choose() never submits the password a second time", async (t) => {
  const offered = ["password", "keyboard-interactive"];
  const message =
    /rejected the credentials \(\S+\): check them before the account is locked$/;
  await t.step("after keyboard-interactive", () => {
    const authentication = begin();
    authentication.choose(["keyboard-interactive"]);
    ask(authentication, "Password: ");
    assertAuthError(() => authentication.choose(offered), message);
  });
  await t.step("after password", () => {
    const authentication = begin();
    authentication.choose(["password"]);
    assertAuthError(() => authentication.choose(offered), message);
  });
});

Deno.test("choose() uses the password if keyboard-interactive did not ask for it", () => {
  const authentication = begin();
  const offered = ["keyboard-interactive", "password"];
  assert.equal(authentication.choose(offered), "keyboard-interactive");
  assert.deepEqual(ask(authentication, ACKNOWLEDGEMENT), ["yes"]);
  assert.equal(authentication.choose(offered), "password");
});

Deno.test("choose() does not take a first factor that was accepted for a rejection", () => {
  const authentication = begin();
  authentication.choose(["password"]);
  assertAuthError(
    () => authentication.choose(["keyboard-interactive"], IS_PARTIAL),
    'it accepted password and asks for "keyboard-interactive" besides, which the exporter cannot give: take the second factor off this account',
  );
});

Deno.test("choose() says why nothing is left to try", async (t) => {
  const cases = [
    {
      when: "the methods do not match what there is",
      authentication: begin({ privateKey }),
      offered: ["gssapi-with-mic", "hostbased"],
      message:
        'it offers "gssapi-with-mic, hostbased" and the exporter has a key and a password',
    },
    {
      when: "there is a key alone",
      authentication: begin({ privateKey, password: undefined }),
      offered: ["password", "keyboard-interactive"],
      message:
        'it offers "password, keyboard-interactive" and the exporter has a key',
    },
    {
      when: "there is a password alone",
      authentication: begin(),
      offered: ["publickey\n"],
      message: String
        .raw`it offers "publickey\u{a}" and the exporter has a password`,
    },
    {
      when: "the firewall ended the method without a question",
      authentication: begun("keyboard-interactive"),
      offered: ["keyboard-interactive"],
      message:
        "it ended keyboard-interactive without asking for the password: log in by hand and see",
    },
  ];
  for (const { when, authentication, offered, message } of cases) {
    await t.step(when, () => {
      assertAuthError(() => authentication.choose(offered), message);
    });
  }
});

Deno.test("answer() gives the password to a plain question for it", async (t) => {
  const prompts = [
    "Password:",
    "Password: ",
    "password",
    "\r\nPassword: ",
    "Enter your password: ",
    "Please enter password:",
    "monitor@fw-a's password: ",
    "(monitor@fw-a) Password: ",
    "Password for monitor@fw-a:",
    "LDAP Password: ",
    "RADIUS password:",
  ];
  for (const prompt of prompts) {
    await t.step(JSON.stringify(prompt), () => {
      assert.deepEqual(begin().answer([{ prompt, echo: false }]), {
        texts: [PASSWORD],
        hasPassword: true,
      });
    });
  }
});

Deno.test("answer() gives the password to no other question", async (t) => {
  const prompts = [
    "New password: ",
    "Enter new password:",
    "Old password: ",
    "Current password: ",
    "(current) UNIX password: ",
    "Retype password: ",
    "Re-enter password:",
    "Password again: ",
    "Confirm password:",
    "Your password has expired. New password: ",
    "Passcode: ",
    "Password + token: ",
    "One-time password: ",
    "Enter PASSCODE or password: ",
    "Token: ",
    "Verification code: ",
    "Login: ",
    "Username: ",
    "",
    "Password:\nNew password: ",
    "Password hint: ",
    "Duo two-factor login for monitor\n\n1. Push\n\nPasscode or option (1-1): ",
  ];
  for (const prompt of prompts) {
    await t.step(JSON.stringify(prompt), () => {
      const authentication = begin();
      assertAuthError(
        () => ask(authentication, prompt),
        /^it asks ".*", which is not answered: log in by hand and see$/,
      );
      assert.deepEqual(ask(authentication, "Password: "), [PASSWORD]);
    });
  }
});

Deno.test("answer() does not type the password where it would be shown", () => {
  const authentication = begin();
  assertAuthError(
    () => authentication.answer([{ prompt: "Password: ", echo: true }]),
    /"Password:"/,
  );
});

Deno.test("answer() accepts the login banner, which is no credential", async (t) => {
  const prompts = [
    ACKNOWLEDGEMENT,
    "Do you accept the terms of use? ",
    "I ACKNOWLEDGE THE NOTICE ABOVE (yes/no): ",
    "Do you accept the login banner?",
  ];
  for (const prompt of prompts) {
    for (const echo of [true, false]) {
      await t.step(`${JSON.stringify(prompt)}, echo ${echo}`, () => {
        assert.deepEqual(begin().answer([{ prompt, echo }]), {
          texts: ["yes"],
          hasPassword: false,
        });
      });
    }
  }
});

Deno.test("answer() accepts nothing but a statement, and nothing with a secret", async (t) => {
  const prompts = [
    "Are you prepared to accept a system-generated PIN? ",
    "A push may be accepted on your phone (yes/no): ",
    "Notice: a push may be accepted (yes/no): ",
    "Do you accept? ",
    "I acknowledge the above (yes/no): ",
    "Do you accept the statement and a new passcode? ",
    "Do you accept the password policy notice? ",
    "Accept the notice by typing your pin_code: ",
    "Accept the terms, or choose an option: ",
    "Enter the OTP to accept the terms: ",
    "Acceptance of the terms: ",
    "Do you accept the terminal? ",
  ];
  for (const prompt of prompts) {
    for (const echo of [true, false]) {
      await t.step(`${JSON.stringify(prompt)}, echo ${echo}`, () => {
        assertAuthError(
          () => begin().answer([{ prompt, echo }]),
          /which is not answered/,
        );
      });
    }
  }
});

Deno.test("answer() accepts once a login", async (t) => {
  await t.step("in one round", () => {
    assertAuthError(
      () => ask(begin(), ACKNOWLEDGEMENT, ACKNOWLEDGEMENT),
      /"Do you accept/,
    );
  });
  await t.step("in two rounds", () => {
    const authentication = begin();
    ask(authentication, ACKNOWLEDGEMENT);
    assertAuthError(
      () => ask(authentication, "Do you accept the terms? "),
      /"Do you accept the terms\?"/,
    );
  });
});

Deno.test("answer() answers by text, in whatever order the questions come", async (t) => {
  await t.step("in one round", () => {
    assert.deepEqual(
      ask(begin(), ACKNOWLEDGEMENT, "Password: "),
      ["yes", PASSWORD],
    );
    assert.deepEqual(
      ask(begin(), "Password: ", ACKNOWLEDGEMENT),
      [PASSWORD, "yes"],
    );
  });
  await t.step("in two rounds", () => {
    const authentication = begin();
    assert.deepEqual(ask(authentication, ACKNOWLEDGEMENT), ["yes"]);
    assert.deepEqual(ask(authentication, "Password: "), [PASSWORD]);
  });
});

Deno.test("answer() answers a round completely or not at all", () => {
  const authentication = begin();
  assertAuthError(
    () => ask(authentication, "Password: ", "Token: "),
    /"Token:"/,
  );
  assert.deepEqual(ask(authentication, "Password: "), [PASSWORD]);
});

Deno.test("answer() gives the password once a login", async (t) => {
  await t.step("in one round", () => {
    const authentication = begin();
    assertAuthError(() => ask(authentication, "Password: ", "Password: "), /./);
    assert.deepEqual(ask(authentication, "Password: "), [PASSWORD]);
  });
  await t.step("in two rounds", () => {
    const authentication = begin();
    ask(authentication, "Password: ");
    assertAuthError(
      () => ask(authentication, "Password: "),
      'it asks "Password:", which is not answered after the password was sent: log in by hand and see',
    );
  });
});

Deno.test("answer() has no password to give when there is a key alone", () => {
  const authentication = begin({ privateKey, password: undefined });
  assertAuthError(() => ask(authentication, "Password: "), /"Password:"/);
});

Deno.test("answer() quotes a question in a way that is safe to print", () => {
  assertAuthError(
    () => ask(begin(), `\x1b[2J${"x".repeat(1_000)}`),
    new RegExp(String.raw`^it asks "\\u\{1b\}\[2Jx{116}…", which`),
  );
});

Deno.test("answer() and choose() do not show the password that is said back", () => {
  assertAuthError(
    () => ask(begin(), `Not ${PASSWORD}, the token: `),
    'it asks "Not ***, the token:", which is not answered: log in by hand and see',
  );
  assertAuthError(
    () => begin().choose([PASSWORD]),
    'it offers "***" and the exporter has a password',
  );
});

Deno.test("answer() does not look into a question that is too long to be one", async (t) => {
  // each of them keeps a pattern that backtracks busy for a second
  const prompts = [`(${"@".repeat(30_000)}`, `${"@".repeat(30_000)}'s`];
  for (const prompt of prompts) {
    await t.step(`${prompt.slice(0, 3)}…`, () => {
      assertAuthError(() => ask(begin(), prompt), /which is not answered/);
    });
  }
  assertAuthError(
    () => ask(begin(), `Password for ${"x".repeat(250)}:`),
    /which is not answered/,
  );
});

function begin(
  { only, ...changes }: Partial<Credentials> & {
    readonly only?: Credential;
  } = {},
): Authentication {
  const password = new Secret(PASSWORD);
  const credentials = {
    username: "monitor",
    password,
    privateKey: undefined,
    ...changes,
  };
  return new Authentication(credentials, only, quoteWithout(password));
}

function begun(method: "keyboard-interactive"): Authentication {
  const authentication = begin();
  authentication.choose([method]);
  return authentication;
}

function ask(
  authentication: Authentication,
  ...prompts: readonly string[]
): readonly string[] {
  return authentication.answer(
    prompts.map((prompt) => ({ prompt, echo: prompt === ACKNOWLEDGEMENT })),
  ).texts;
}

function assertAuthError(run: () => unknown, message: RegExp | string): void {
  assert.throws(run, { name: PollError.name, reason: "auth", message });
}
