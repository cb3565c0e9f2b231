import os
import requests

cohort = os.environ.get("COHORT_URL", "http://127.0.0.1:8080") + "/_cohort/v1/stores"
store = requests.post(cohort, json={"ttl": "10m"}).json()
control = cohort + "/" + store["hash"]
requests.put(control + "/faults", json={"faults": [{"operation": "createGroup", "times": 1, "action": {"status": 503}}]})

client = requests.Session()
client.headers["X-Auth-Token"] = store["token"]
for expected in 503, 200:
    assert client.post(store["url_v2"] + "/customer_groups", json={"name": "Wholesale"}).status_code == expected
requests.post(control + "/requests/verify", json={"criteria": {"operation": "createGroup"}, "times": 2}).raise_for_status()
