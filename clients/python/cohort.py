"""A development server for a run of the tests, and the calls of its control API.

The program `cohort` is in PATH, or COHORT_URL names a server that runs, with
COHORT_CONTROL_TOKEN if it has one.
"""

import os
import re
import subprocess
import tempfile
import threading

import requests

TIMEOUT = 30  # seconds for a call


class Cohort:
    """A server. Use it as a context manager, which ends it."""

    def __enter__(self):
        self.session = requests.Session()
        if token := os.environ.get("COHORT_CONTROL_TOKEN"):
            self.session.headers["Authorization"] = "Bearer " + token
        self.server = None
        self.url = os.environ.get("COHORT_URL") or self._start()
        return self

    def _start(self):
        self.folder = tempfile.TemporaryDirectory()
        database = "sqlite:" + os.path.join(self.folder.name, "cohort.db")
        command = ["cohort", "serve", "--dev", "--addr", "127.0.0.1:0", "--db", database]
        self.server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        log = ""
        for line in self.server.stderr:
            log += line
            if found := re.search(r"msg=serving url=(\S+)", line):
                # Nobody reads the rest of the log, but the server must not block on it.
                self.reader = threading.Thread(target=self.server.stderr.read)
                self.reader.start()
                return found[1]
        raise RuntimeError("the server ended: " + log)

    def __exit__(self, *_):
        self.session.close()
        if self.server:
            self.server.terminate()
            self.server.wait()
            self.reader.join()
            self.server.stderr.close()
            self.folder.cleanup()

    def control(self, method, path, body=None):
        """Call the control API and return the response."""
        return self.session.request(method, self.url + "/_cohort/v1" + path, json=body, timeout=TIMEOUT)

    def create_store(self):
        """Create a store for one test. It goes by itself."""
        response = self.control("POST", "/stores", {"ttl": "10m"})
        response.raise_for_status()
        return Store(self, **response.json())


class Store:
    """A store, with its URL for V2 and its token."""

    def __init__(self, cohort, hash, url_v2, token, **_):
        self.cohort, self.hash, self.url, self.token = cohort, hash, url_v2, token

    def control(self, method, path, body=None):
        return self.cohort.control(method, f"/stores/{self.hash}{path}", body)

    def set_faults(self, *faults):
        self.control("PUT", "/faults", {"faults": faults}).raise_for_status()

    def verify(self, criteria, **expectation):
        """Return the response of a verification: 200, or 409 with the nearest misses."""
        return self.control("POST", "/requests/verify", {"criteria": criteria, **expectation})
