'use strict';
// The official client for Node.js against the MCP server: over HTTP, and over standard input
// and output through `cohort mcp --url`.
const assert = require('node:assert');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, before, test } = require('node:test');
const { Client, StreamableHTTPClientTransport } = require('@modelcontextprotocol/client');
const { StdioClientTransport } = require('@modelcontextprotocol/client/stdio');

const token = 'demo-token';
let url, stop;

before(async () => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'cohort-'));
  const args = ['serve', '--dev', '--mcp', '--mcp-allow-writes', '--addr', '127.0.0.1:0', '--db', 'sqlite:' + path.join(dir, 'cohort.db')];
  const server = spawn('cohort', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise((resolve) => server.once('close', resolve));
  stop = async () => {
    server.kill();
    await ended;
    fs.rmSync(dir, { recursive: true });
  };
  url = await new Promise((resolve, reject) => {
    let log = '';
    server.once('error', reject);
    server.once('close', () => reject(new Error('the server ended: ' + log)));
    server.stderr.on('data', (text) => {
      log += text;
      const found = /msg=serving url=(\S+)/.exec(log);
      if (found) resolve(found[1]);
    });
  });
});
after(() => stop());

async function withClient(transport, use) {
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(transport);
  try {
    await use(client);
  } finally {
    await client.close();
  }
}

function http(secret) {
  return new StreamableHTTPClientTransport(new URL(url + '/mcp'), { requestInit: { headers: { Authorization: 'Bearer ' + secret } } });
}

// call calls a tool and returns its answer, or its error.
async function call(client, name, args) {
  const { content, structuredContent, isError } = await client.callTool({ name, arguments: args });
  if (isError) return content[0].text;
  assert.deepStrictEqual(JSON.parse(content[0].text), structuredContent);
  return structuredContent;
}

test('over HTTP', () => withClient(http(token), async (client) => {
  const { tools } = await client.listTools();
  assert(tools.some((tool) => tool.name === 'move_members' && tool.annotations.destructiveHint));
  assert(tools.some((tool) => tool.name === 'list_groups' && tool.annotations.readOnlyHint));

  const { after } = await call(client, 'create_group', { name: 'Wholesale', discount_rules: [{ type: 'all', method: 'percent', amount: 10 }] });
  assert.strictEqual(after.id, 1);
  const { rows, total } = await call(client, 'list_groups', {});
  assert.deepStrictEqual([rows[0].name, rows[0].rules, total], ['Wholesale', '10 % off everything', 1]);
  assert.match(await call(client, 'get_group', { group: 'Wholesal' }), /near: Wholesale \(1\)/);
  assert.match(await call(client, 'get_group', { grup: 1 }), /grup/);

  const { confirm, done } = await call(client, 'delete_group', { group: 'Wholesale' });
  assert.strictEqual(done, false);
  assert.strictEqual((await call(client, 'delete_group', { group: 'Wholesale', confirm })).done, true);

  const { contents } = await client.readResource({ uri: 'cohort://docs/prices' });
  assert.match(contents[0].text, /^# /);
  const { messages } = await client.getPrompt({ name: 'wholesale_group', arguments: { name: 'Trade', percent: '5' } });
  assert.match(messages[0].content.text, /Trade/);
}));

test('over standard input and output', () => {
  const env = { ...process.env, COHORT_MCP_URL: url, COHORT_MCP_TOKEN: token };
  return withClient(new StdioClientTransport({ command: 'cohort', args: ['mcp'], env }), async (client) => {
    const { tools } = await client.listTools();
    assert(tools.length > 5 && tools.every((tool) => tool.annotations.readOnlyHint));
    assert.strictEqual((await call(client, 'list_groups', {})).total, 0);
    assert.match(await call(client, 'create_group', { name: 'X' }), /--allow-writes/);
  });
});

test('a wrong token is refused', () => assert.rejects(withClient(http('wrong'), async () => {})));
