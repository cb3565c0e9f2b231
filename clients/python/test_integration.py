import unittest

import requests

from cohort import Cohort
from integration import Client


class IntegrationTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cohort = cls.enterClassContext(Cohort())

    def setUp(self):
        self.store, self.waits = self.cohort.create_store(), []
        self.client = self.client_of(self.store)

    def client_of(self, store):
        client = Client(store.url, store.token, wait=self.waits.append)
        self.addCleanup(client.close)
        return client

    def want_verified(self, criteria, **expectation):
        response = self.store.verify(criteria, **expectation)
        self.assertEqual(response.status_code, 200, response.text)

    def test_a_store_of_its_own_sees_nothing_of_another(self):
        other = self.client_of(self.cohort.create_store())
        self.assertEqual(self.client.create_group("Wholesale")["id"], 1)
        self.assertEqual(other.create_group("Wholesale")["id"], 1)
        self.assertEqual(len(self.client.call("GET", "/customer_groups")), 1)

    def test_it_waits_as_long_as_a_429_says(self):
        self.store.set_faults({"operation": "createGroup", "times": 2, "action": {"status": 429, "retry_after": 7}})
        self.client.create_group("Wholesale")
        self.assertEqual(self.waits, [7, 7])
        self.want_verified({"operation": "createGroup", "status": 429}, times=2)
        self.want_verified({"operation": "createGroup", "status": 200}, times=1)

    def test_a_lost_answer_does_not_make_a_second_group(self):
        self.store.set_faults({"operation": "createGroup", "times": 1, "action": {"commit_then": "reset"}})
        self.assertEqual(self.client.create_group("Wholesale")["id"], 1)
        self.want_verified({"operation": "createGroup"}, times=1)
        self.want_verified({"operation": "listGroups", "query": {"name": "Wholesale"}}, times=1)

    def test_a_lost_answer_of_a_client_without_that_care(self):
        self.store.set_faults({"operation": "createGroup", "times": 1, "action": {"commit_then": "empty"}})
        with self.assertRaises(requests.ConnectionError):
            self.client.call("POST", "/customer_groups", json={"name": "Wholesale"})
        self.assertEqual(self.client.call("GET", "/customer_groups")[0]["name"], "Wholesale")

    def test_a_server_that_is_down(self):
        self.store.set_faults({"operation": "createGroup", "action": {"status": 503}})
        with self.assertRaises(requests.HTTPError):
            self.client.create_group("Wholesale")
        self.want_verified({"operation": "createGroup", "status": 503}, times=3)

    def test_a_used_up_quota(self):
        self.store.control("PUT", "/limits", {"plan": "standard", "quota": 20}).raise_for_status()
        self.store.control("POST", "/limits/exhaust").raise_for_status()

        def wait(seconds):
            self.assertTrue(0 < seconds <= 30, seconds)
            self.store.control("POST", "/limits/refill").raise_for_status()

        self.client.wait = wait
        self.assertEqual(self.client.create_group("Wholesale")["id"], 1)
        self.want_verified({"status": 429}, times=1)

    def test_verify_names_the_nearest_miss(self):
        self.client.create_group("Retail")
        response = self.store.verify({"operation": "createGroup", "body": {"name": "Wholesale"}}, times=1)
        self.assertEqual(response.status_code, 409)
        miss = response.json()["nearest_misses"][0]
        self.assertEqual(miss["differences"], [{"field": "body.name", "wanted": '"Wholesale"', "got": '"Retail"'}])


if __name__ == "__main__":
    unittest.main()
