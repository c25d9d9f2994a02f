import assert from "node:assert/strict";
import { asksForSecret } from "../../src/panos/question.ts";

Deno.test("asksForSecret() knows what a shell asks for", () => {
  const questions = [
    "Enter old password : ",
    "New password:",
    "Password:",
    "Retype new password: ",
    "Re-enter it:",
    "Enter passcode: ",
    "Passphrase for key?",
    "PIN:",
    "Your token? ",
    "OTP (6 digits): ",
    `${"Your account has expired. ".repeat(40)}New password: `,
  ];
  for (const question of questions) assert(asksForSecret(question), question);
});

Deno.test("asksForSecret() takes nothing else for a question", () => {
  const others = [
    "",
    "Last login: Mon Jan  5 09:12:44 2026 from 192.0.2.200",
    "Number of failed attempts since last successful login: ",
    "Shipping: ",
    "Your password expires in 3 days.",
    "Enter password: admin@PA-1> ",
    "password@PA-1(active)> ",
    "Continue (yes/no)?",
  ];
  for (const line of others) assert(!asksForSecret(line), line);
});
