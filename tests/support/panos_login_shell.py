#!/usr/bin/env -S python3 -IS
"""A login shell that plays the command line of PAN-OS, for openssh.ts.

How it plays stands in scenario.json beside this file, whose fields openssh.ts
describes (Shell), and panos_output.ts what it prints. It is read at the login and again for each command, so that
a test can change the play while a session is open. What happens is appended to
events.jsonl.
"""

import json
import os
import signal
import sys
import termios
import time

HOME = os.path.dirname(os.path.abspath(sys.argv[0].removeprefix("-")))
STDIN, STDOUT = 0, 1
USUAL_HEIGHT = 24


def record(event, text=""):
    line = json.dumps({"event": event, "pid": os.getpid(), "text": text})
    with open(os.path.join(HOME, "events.jsonl"), "a") as events:
        events.write(line + "\n")


def load_scenario():
    with open(os.path.join(HOME, "scenario.json")) as file:
        return json.load(file)


class Shell:
    def __init__(self):
        self.scenario = load_scenario()
        self.driver_edits = self.scenario["echo"] in ("driver", "none")
        self.scripting = False
        self.paging = True
        self.xml = False
        self.typed = b""
        self.last_key = b""

    def run(self):
        record("login")
        if self.scenario["ignoreHangup"]:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGUSR1, self.interrupt)
        self.set_terminal()
        self.play(self.scenario["login"])
        while True:
            self.write(self.scenario["prompt"])
            command = self.read_line()
            if command.strip():
                self.scenario = load_scenario()
                record("command", command)
                self.answer(" ".join(command.split()))

    def interrupt(self, *_):
        """What the firewall prints without having been asked."""
        self.scenario = load_scenario()
        self.play(self.scenario["interruption"])
        record("interrupted")

    def answer(self, command):
        replies = self.scenario["replies"]
        xml_replies = self.scenario["xmlReplies"]
        if self.xml and command in xml_replies:
            self.play(xml_replies[command], paged=True)
        elif command in replies:
            self.play(replies[command], paged=True)
        elif command == "set cli op-command-xml-output on" and xml_replies:
            self.xml = True
        elif command == "set cli op-command-xml-output off" and xml_replies:
            self.xml = False
        elif command.startswith("set cli op-command-xml-output "):
            self.write(f"Unknown command: {command}\n")
        elif command == "set cli scripting-mode on":
            self.scripting = True
        elif command == "set cli pager off":
            self.paging = False
        elif command.startswith("set cli "):
            pass
        elif command == "exit":
            record("exit")
            sys.exit(0)
        else:
            self.write(f"Unknown command: {command}\n")

    # Printing

    def play(self, output, paged=False):
        for step in [output] if isinstance(output, str) else output:
            if isinstance(step, str):
                self.page(step) if paged and self.paging else self.write(step)
            elif "dribble" in step:
                self.dribble(**step)
            elif "pause" in step:
                time.sleep(step["pause"])
            elif "endless" in step:
                while True:
                    self.write(step["endless"])
            elif "hang" in step:
                self.hang()
            elif "end" in step:
                sys.exit(0)
            elif "drop" in step:
                os.kill(os.getppid(), signal.SIGKILL)  # sshd, as the user
                signal.pause()
            else:
                raise ValueError(f"unknown step: {step}")

    def dribble(self, dribble, size, pause=0):
        data = self.encode(dribble)
        for start in range(0, len(data), size):
            self.write_bytes(data[start:start + size])
            time.sleep(pause)

    def page(self, text):
        lines = text.splitlines(keepends=True)
        height = os.get_terminal_size(STDOUT).lines or USUAL_HEIGHT
        for start in range(0, len(lines), height - 1):
            end = min(start + height - 1, len(lines))
            self.write("".join(lines[start:end]))
            if end < len(lines):
                self.write(f"\x1b[7mlines {start + 1}-{end} \x1b[27m")
                key = self.read_key()
                record("pager key", key.decode(errors="replace"))
                self.write("\r\x1b[K")
                if key == b"q":
                    return

    def hang(self):
        """Says nothing more, but notes what is typed."""
        while True:
            keys = os.read(STDIN, 4096)
            if not keys:
                signal.pause()
            record("typed", keys.decode(errors="replace"))

    def write(self, text):
        self.write_bytes(self.encode(text))

    def encode(self, text):
        line_end = "\n" if self.driver_edits else "\r\n"
        return text.replace("\n", line_end).encode()

    def write_bytes(self, data):
        while data:
            data = data[os.write(STDOUT, data):]

    # Reading

    def set_terminal(self):
        """Lines edited by the terminal driver, or keys as they are typed."""
        flags = termios.tcgetattr(STDIN)
        if self.driver_edits:
            flags[0] |= termios.ICRNL
            flags[1] |= termios.OPOST | termios.ONLCR
            flags[3] |= termios.ICANON | termios.ECHO
        else:
            flags[0] &= ~termios.ICRNL
            flags[1] &= ~termios.OPOST
            flags[3] &= ~(termios.ICANON | termios.ECHO | termios.ISIG)
        if self.scenario["echo"] == "none":
            flags[3] &= ~termios.ECHO
        termios.tcsetattr(STDIN, termios.TCSANOW, flags)

    def read_key(self):
        while not self.typed:
            self.typed = os.read(STDIN, 4096)
            if not self.typed:
                self.hung_up()
        key, self.typed = self.typed[:1], self.typed[1:]
        return key

    def read_line(self):
        echoes = self.scenario["echo"] in ("redraw", "plain")
        redraws = self.scenario["echo"] == "redraw" and not self.scripting
        line = b""
        while True:
            key = self.read_key()
            is_second_half = key == b"\n" and self.last_key == b"\r"
            self.last_key = key
            if is_second_half:
                continue
            if key in b"\r\n":
                if echoes:
                    self.write("\n")
                return line.decode(errors="replace")
            line += key
            if redraws and key == b" ":
                self.write("\r\x1b[K" + self.scenario["prompt"])
                self.write_bytes(line)
            elif echoes:
                self.write_bytes(key)

    def hung_up(self):
        record("hung up")
        if self.scenario["ignoreHangup"]:
            while True:
                time.sleep(1)
        sys.exit(0)


def main():
    if len(sys.argv) > 1 or not os.isatty(STDIN):
        # PAN-OS accepts a command without a terminal and does not run it.
        record("no terminal", " ".join(sys.argv[1:]))
        print("Number of failed attempts since last successful login: 0")
    else:
        Shell().run()


try:
    main()
except OSError:
    pass  # The terminal is gone.
