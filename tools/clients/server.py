"""A facet-serve of its own for checks: a free port, and a copy of the library made of hard links."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import requests

CHAT = "smollm2:135m"
BASE = "gemma3:270m"


class Server:
    def __init__(self, program, *arguments, environment=None, home=None, health="/health"):
        """`environment` may say `{port}`; it then says where to listen itself."""
        self.program = program
        self.health = health
        self.arguments = arguments
        self.environment = environment or {}
        self.home = home

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="facet-check-")
        source = os.environ.get("FACET_HOME") or os.path.expanduser("~/.facet")
        self.own_home = self.home or os.path.join(self.folder, "home")
        if not self.home:
            shutil.copytree(source, self.own_home, symlinks=True, copy_function=os.link)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()
        return self

    def start(self):
        self.log = open(os.path.join(self.folder, "log"), "ab")
        environment = {name: value.format(port=self.port) for name, value in self.environment.items()}
        listen = [] if environment != self.environment else ["--listen", f"127.0.0.1:{self.port}"]
        self.process = subprocess.Popen(
            [self.program, *listen, *self.arguments],
            env={**os.environ, "FACET_HOME": self.own_home, **environment}, stdout=self.log, stderr=self.log)
        for _ in range(300):
            try:
                status = requests.get(self.url + self.health, timeout=1).status_code
                if status == 200:
                    return
                assert status == 503, f"{self.health} answers {status} before the models are loaded"
            except requests.ConnectionError:
                pass
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise SystemExit("the server did not come up:\n" + self.read_log())

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        return self.process.wait(timeout=60)

    def read_log(self):
        with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def expect_alive(self):
        assert self.process.poll() is None, "the server died:\n" + self.read_log()[-12000:]
        assert requests.get(self.url + "/health", timeout=5).status_code == 200

    def resident(self):
        """Bytes of memory in use."""
        with open(f"/proc/{self.process.pid}/status", encoding="utf-8") as file:
            for line in file:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1]) * 1024
        return 0

    def open_files(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def refuses(kind, action, *words):
    """Expects `action` to raise `kind`, with each of `words` in what it says; returns the error."""
    try:
        action()
    except kind as error:
        for word in words:
            assert word in str(error), f"{word!r} is not in {str(error)!r}"
        return error
    raise AssertionError(f"{kind.__name__} was expected")
