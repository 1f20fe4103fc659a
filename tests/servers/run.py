#!/usr/bin/env python3
"""Run a command with database servers of its own: see README.md."""

import argparse
import ctypes
import importlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from server import PR_SET_PDEATHSIG, Failed  # noqa: E402 -- the path is set first

KINDS = ("postgresql", "mariadb")


def guard(kinds, durable, alive, ready):
    """The guardian: start the servers, tell their URLs, and stop them when the other end of `alive` is closed."""
    os.setsid()  # an interrupt from the keyboard is for the command
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    servers = []
    try:
        told = {}
        for kind in kinds:
            server = importlib.import_module(kind).Server(durable=durable)
            servers.append(server)
            told[server.variable] = server.start()
        os.write(ready, json.dumps(told).encode())
        os.close(ready)
        os.read(alive, 1)
    except Failed as failure:
        os.write(ready, json.dumps({"failure": str(failure)}).encode())
    except Exception:
        os.write(ready, json.dumps({"failure": traceback.format_exc()}).encode())
    finally:
        for server in servers:
            server.stop()


def start_guardian(kinds, durable):
    """The guardian's process number, the descriptor that keeps it going, and the servers' variables."""
    alive_read, alive = os.pipe()
    ready, ready_write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(alive)
        os.close(ready)
        try:
            guard(kinds, durable, alive_read, ready_write)
        finally:
            os._exit(0)
    os.close(alive_read)
    os.close(ready_write)
    with os.fdopen(ready, encoding="utf-8") as answer:
        told = json.loads(answer.read() or '{"failure": "the guardian died"}')
    return pid, alive, told


def run(command, environment):
    """The command's exit status; signals go on to it."""

    def with_us():
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)

    process = subprocess.Popen(command, env=environment, preexec_fn=with_us)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, frame: process.send_signal(number))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it has it from the keyboard
    status = process.wait()
    return status if status >= 0 else 128 - status


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for kind in KINDS:
        parser.add_argument(f"--{kind}", action="store_true", help=f"start a server of {kind}")
    parser.add_argument("--durable", action="store_true", help="leave the safety of writing on")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    given = parser.parse_args()
    command = given.command[1:] if given.command[:1] == ["--"] else given.command
    if not command:
        parser.error("there is no command to run")
    wanted = [kind for kind in KINDS if getattr(given, kind) and f"CORMORANT_TEST_{kind.upper()}" not in os.environ]
    if not wanted:
        return run(command, dict(os.environ))
    pid, alive, told = start_guardian(wanted, given.durable)
    try:
        if "failure" in told:
            print(told["failure"], file=sys.stderr)
            return 1
        return run(command, {**os.environ, **told})
    finally:
        os.close(alive)
        os.waitpid(pid, 0)


if __name__ == "__main__":
    sys.exit(main())
