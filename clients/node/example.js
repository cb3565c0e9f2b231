const assert = require('node:assert');
const cohort = (process.env.COHORT_URL || 'http://127.0.0.1:8080') + '/_cohort/v1/stores';
const send = (method, url, body, headers) => fetch(url, { method, headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(body) });

require('node:test')('a group is created although the server was down for a moment', async () => {
  const store = await (await send('POST', cohort, { ttl: '10m' })).json();
  await send('PUT', `${cohort}/${store.hash}/faults`, { faults: [{ operation: 'createGroup', times: 1, action: { status: 503 } }] });
  const create = () => send('POST', store.url_v2 + '/customer_groups', { name: 'Wholesale' }, { 'X-Auth-Token': store.token });
  assert.strictEqual((await create()).status, 503);
  assert.strictEqual((await create()).status, 200);
  assert.ok((await send('POST', `${cohort}/${store.hash}/requests/verify`, { criteria: { operation: 'createGroup' }, times: 2 })).ok);
});
