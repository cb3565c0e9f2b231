'use strict';
const assert = require('node:assert');
const { after, before, beforeEach, test } = require('node:test');
const { Cohort } = require('./cohort');
const { createGroup } = require('./integration');

let cohort, store, client;
before(async () => { cohort = await Cohort.start(); });
after(() => cohort.stop());
beforeEach(async () => {
  store = await cohort.createStore();
  client = store.client();
});

async function wantVerified(criteria, expectation) {
  const { status, body } = await store.verify(criteria, expectation);
  assert.strictEqual(status, 200, JSON.stringify(body, null, 2));
}

test('a store of its own sees nothing of another', async () => {
  const other = (await cohort.createStore()).client();
  const [a, b] = await Promise.all([createGroup(client, 'Wholesale'), createGroup(other, 'Wholesale')]);
  assert.strictEqual(a.id, 1);
  assert.strictEqual(b.id, 1);
  assert.deepStrictEqual((await client.get('/customer_groups')).map((group) => group.name), ['Wholesale']);
});

test('a call with a wrong token fails with 401', async () => {
  const stranger = store.client({ accessToken: 'wrong' });
  await assert.rejects(stranger.get('/customer_groups'), { code: 401 });
});

test('V3 is there too', async () => {
  const { data } = await store.client({ apiVersion: 'v3' }).get('/channels');
  assert.strictEqual(data[0].id, 1);
});

test('the integration waits as long as a 429 says', async () => {
  await store.setFaults({ operation: 'createGroup', times: 2, action: { status: 429, retry_after: 7 } });
  const waits = [];
  const group = await createGroup(client, 'Wholesale', async (seconds) => { waits.push(seconds); });
  assert.strictEqual(group.name, 'Wholesale');
  assert.deepStrictEqual(waits, [7, 7]);
  await wantVerified({ operation: 'createGroup', status: 429 }, { times: 2 });
  await wantVerified({ operation: 'createGroup', status: 200 }, { times: 1 });
});

test('the package itself retries after a 429', async () => {
  await store.setFaults({ operation: 'createGroup', times: 1, action: { status: 429, retry_after: 1 } });
  const group = await store.client({ failOnLimitReached: false }).post('/customer_groups', { name: 'Wholesale' });
  assert.strictEqual(group.name, 'Wholesale');
  await wantVerified({ operation: 'createGroup' }, { times: 2 });
});

test('a lost answer does not make a second group', async () => {
  await store.setFaults({ operation: 'createGroup', times: 1, action: { commit_then: 'reset' } });
  const group = await createGroup(client, 'Wholesale');
  assert.strictEqual(group.id, 1);
  await wantVerified({ operation: 'createGroup' }, { times: 1 });
  await wantVerified({ operation: 'listGroups', query: { name: 'Wholesale' } }, { times: 1 });
});

test('a client without that care fails when its answer is lost', async () => {
  await store.setFaults({ operation: 'createGroup', times: 1, action: { commit_then: 'reset' } });
  await assert.rejects(client.post('/customer_groups', { name: 'Wholesale' }), { code: 'ECONNRESET' });
});

test('a server that is down for a moment', async () => {
  await store.setFaults({ operation: 'createGroup', times: 2, action: { status: 503 } });
  assert.strictEqual((await createGroup(client, 'Wholesale')).id, 1);
});

test('a used up quota', async () => {
  await store.control('PUT', '/limits', { plan: 'standard', quota: 20 });
  await store.control('POST', '/limits/exhaust');
  await assert.rejects(client.get('/customer_groups'), (error) => error.retryAfter > 0 && error.retryAfter <= 30);
  await store.control('POST', '/limits/refill');
  assert.strictEqual((await createGroup(client, 'Wholesale')).id, 1);
});

test('verify names the nearest miss', async () => {
  await createGroup(client, 'Retail');
  const { status, body } = await store.verify({ operation: 'createGroup', body: { name: 'Wholesale' } }, { times: 1 });
  assert.strictEqual(status, 409);
  assert.strictEqual(body.count, 0);
  assert.deepStrictEqual(body.nearest_misses[0].differences, [{ field: 'body.name', wanted: '"Wholesale"', got: '"Retail"' }]);
});
