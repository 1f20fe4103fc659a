"""What the servers have in common: a private folder, an unprivileged user, a free port, a process that dies with us."""

import ctypes
import os
import pathlib
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile

PR_SET_PDEATHSIG = 1
ATTEMPTS = 5  # somebody else may take the free port before the server does


class Failed(Exception):
    """A server did not start."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class BaseServer:
    """One server. Subclasses set `variable` and have prepare(), command(), is_ready(line), url().

    :param durable: keep the safety of a real server.

    `settings` are more of the server's own, by name; a subclass' prepare() may add some.
    """

    variable = ""
    stop_signal = signal.SIGTERM
    death_signal = signal.SIGKILL
    stop_seconds = 20

    def __init__(self, durable=False):
        self.durable = durable
        self.settings = {}
        self.folder = None
        self.process = None
        self.port = None
        self.user = "cormorant"
        self.password = secrets.token_urlsafe(12)
        self.account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None

    # -- processes

    def become(self):
        """In the child: another user's, and gone when its parent is."""
        if self.account is not None:
            os.setgroups([])
            os.setgid(self.account.pw_gid)
            os.setuid(self.account.pw_uid)
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(self.death_signal), 0, 0, 0)

    def environment(self):
        return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": str(self.folder), "LC_ALL": "C.UTF-8",
                "TMPDIR": str(self.folder)}  # fmt: skip

    def run(self, *command):
        """A command of preparing, to its end."""
        done = subprocess.run(
            [str(part) for part in command], preexec_fn=self.become, env=self.environment(), cwd=self.folder,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            raise Failed(f"{command[0]} ended with {done.returncode}:\n{done.stdout}")

    def own(self, path):
        if self.account is not None:
            os.chown(path, self.account.pw_uid, self.account.pw_gid)

    # -- life

    def start(self):
        """Start it, and wait until it takes connections.

        :returns: its URL.
        """
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="cormorant-server-"))
        self.own(self.folder)
        self.prepare()
        for attempt in range(ATTEMPTS):
            self.port = free_port()
            try:
                self.launch()
                break
            except Failed:
                if attempt == ATTEMPTS - 1:
                    raise
        return self.url()

    def launch(self):
        self.log = open(self.folder / "log", "a+", encoding="utf-8", errors="replace")  # noqa: SIM115 -- kept open
        self.process = subprocess.Popen(
            [str(part) for part in self.command()], preexec_fn=self.become, env=self.environment(), cwd=self.folder,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        )  # fmt: skip
        said = []
        for line in self.process.stdout:
            said.append(line)
            if self.is_ready(line):
                self.swallow()
                return
        self.process.wait()
        raise Failed(f"the server ended with {self.process.returncode}:\n{''.join(said[-30:])}")

    def swallow(self):
        """Its further words go to a file, read by a process that ends with it."""
        self.reader = subprocess.Popen(["cat"], stdin=self.process.stdout, stdout=self.log, preexec_fn=self.become)
        self.process.stdout.close()

    def children(self):
        listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True, text=True)
        return [int(pid) for pid in listed.stdout.split()]

    def kill(self):
        """End it at once, with all its processes, as a power cut does."""
        for pid in [self.process.pid, *self.children()]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()

    def revive(self):
        """Start it again on its folder and port."""
        self.launch()

    def stop(self):
        """Stop it and remove its folder."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(self.stop_signal)
            try:
                self.process.wait(self.stop_seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
