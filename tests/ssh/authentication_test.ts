import assert from "node:assert/strict";
import {
  type Authentication,
  createAuthentication,
} from "../../src/ssh/authentication.ts";
import { PollError } from "../../src/model/poll.ts";
import { Secret } from "../../src/std/secret.ts";

const PASSWORD = "correct horse";
const ACKNOWLEDGEMENT =
  "Do you accept and acknowledge the statement above ? (yes/no) : ";

Deno.test("choose() takes the best method that the firewall offers", async (t) => {
  const cases = [
    {
      when: "there is a key",
      authentication: begin({ hasKey: true }),
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
      authentication: begin({ hasKey: true }),
      offered: ["gssapi-with-mic", "password"],
      chosen: "password",
    },
  ];
  for (const { when, authentication, offered, chosen } of cases) {
    await t.step(when, () => {
      assert.equal(authentication.choose(offered), chosen);
      assert(!authentication.credentialSent);
    });
  }
});

Deno.test("choose() goes on to the password when the key is rejected", () => {
  const authentication = begin({ hasKey: true });
  const offered = ["publickey", "keyboard-interactive"];
  authentication.begin(authentication.choose(offered));
  assert(authentication.credentialSent);
  assert.equal(authentication.choose(offered), "keyboard-interactive");
});

Deno.test("choose() never submits the password a second time", async (t) => {
  const offered = ["password", "keyboard-interactive"];
  const message =
    /rejected the credentials \(\S+\): check them before the account is locked$/;
  await t.step("after keyboard-interactive", () => {
    const authentication = begin();
    authentication.begin("keyboard-interactive");
    ask(authentication, "Password: ");
    assert(authentication.credentialSent);
    assertAuthError(() => authentication.choose(offered), message);
  });
  await t.step("after password", () => {
    const authentication = begin();
    authentication.begin("password");
    assert(authentication.credentialSent);
    assertAuthError(() => authentication.choose(offered), message);
  });
});

Deno.test("choose() uses the password if keyboard-interactive did not ask for it", () => {
  const authentication = begin();
  const offered = ["keyboard-interactive", "password"];
  authentication.begin(authentication.choose(offered));
  assert.deepEqual(authentication.answer([]), []);
  assert.equal(authentication.choose(offered), "password");
});

Deno.test("choose() says why nothing is left to try", async (t) => {
  const cases = [
    {
      when: "the methods do not match what there is",
      authentication: begin({ hasKey: true }),
      offered: ["gssapi-with-mic", "hostbased"],
      message:
        'it offers "gssapi-with-mic, hostbased" and the exporter has a key and a password',
    },
    {
      when: "there is a key alone",
      authentication: begin({ hasKey: true, password: undefined }),
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
      assert(!authentication.credentialSent);
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
      const authentication = begin();
      assert.deepEqual(ask(authentication, prompt), [PASSWORD]);
      assert(authentication.credentialSent);
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
      assert(!authentication.credentialSent);
    });
  }
});

Deno.test("answer() does not type the password where it would be shown", () => {
  const authentication = begin();
  assertAuthError(
    () => authentication.answer([{ prompt: "Password: ", echo: true }]),
    /"Password:"/,
  );
  assert(!authentication.credentialSent);
});

Deno.test("answer() acknowledges the login banner, which is no credential", async (t) => {
  const prompts = [
    ACKNOWLEDGEMENT,
    "Do you accept the terms of use? ",
    "I ACKNOWLEDGE the above (yes/no): ",
  ];
  for (const prompt of prompts) {
    await t.step(JSON.stringify(prompt), () => {
      const authentication = begin();
      for (const echo of [true, false]) {
        assert.deepEqual(authentication.answer([{ prompt, echo }]), ["yes"]);
      }
      assert(!authentication.credentialSent);
    });
  }
});

Deno.test("answer() acknowledges what mentions a password only if it is shown", () => {
  const prompt = "Do you accept the password policy? ";
  assert.deepEqual(begin().answer([{ prompt, echo: true }]), ["yes"]);
  const authentication = begin();
  assertAuthError(
    () => ask(authentication, "Accept by typing a new password: "),
    /which is not answered/,
  );
  assert(!authentication.credentialSent);
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
  assert(!authentication.credentialSent);
});

Deno.test("answer() gives the password once a login", async (t) => {
  await t.step("in one round", () => {
    const authentication = begin();
    assertAuthError(() => ask(authentication, "Password: ", "Password: "), /./);
    assert(!authentication.credentialSent);
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
  const authentication = begin({ hasKey: true, password: undefined });
  assertAuthError(() => ask(authentication, "Password: "), /"Password:"/);
});

Deno.test("answer() quotes a question in a way that is safe to print", () => {
  assertAuthError(
    () => ask(begin(), `\x1b[2J${"x".repeat(1_000)}`),
    new RegExp(String.raw`^it asks "\\u\{1b\}\[2Jx{116}…", which`),
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
  changes: Partial<Parameters<typeof createAuthentication>[0]> = {},
): Authentication {
  const password = new Secret(PASSWORD);
  return createAuthentication({ hasKey: false, password, ...changes });
}

function begun(method: "keyboard-interactive"): Authentication {
  const authentication = begin();
  authentication.begin(method);
  return authentication;
}

function ask(
  authentication: Authentication,
  ...prompts: readonly string[]
): readonly string[] {
  return authentication.answer(
    prompts.map((prompt) => ({ prompt, echo: prompt === ACKNOWLEDGEMENT })),
  );
}

function assertAuthError(run: () => unknown, message: RegExp | string): void {
  assert.throws(run, { name: PollError.name, reason: "auth", message });
}
