"""The integration under test: it creates customer groups, and gets along with limits and
lost answers."""

import time

import requests


class Client:
    def __init__(self, url, token, wait=time.sleep):
        self.url, self.wait = url, wait
        self.session = requests.Session()
        self.session.headers.update({"X-Auth-Token": token, "Accept": "application/json"})

    def close(self):
        self.session.close()

    def call(self, method, path, **arguments):
        """Call the API and return the decoded response, None for an empty one. It waits
        as long as a 429 says."""
        while True:
            response = self.session.request(method, self.url + path, timeout=30, **arguments)
            if response.status_code == 429:
                self.wait(int(response.headers["X-Retry-After"]))
                continue
            response.raise_for_status()
            return response.json() if response.content else None

    def create_group(self, name):
        """Create a group of a name and return it. If the answer is lost, look whether the
        group is there before another try."""
        for last in False, False, True:
            try:
                return self.call("POST", "/customer_groups", json={"name": name})
            except (requests.ConnectionError, requests.HTTPError) as error:
                if last or error.response is not None and error.response.status_code < 500:
                    raise
            if existing := self.call("GET", "/customer_groups", params={"name": name}):
                return existing[0]
