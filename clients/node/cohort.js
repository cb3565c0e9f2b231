'use strict';
// A development server for a run of the tests, and the calls of its control API that
// the tests need. The program `cohort` is in PATH, or COHORT_URL names a server that
// runs, with COHORT_CONTROL_TOKEN if it has one.
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const BigCommerce = require('node-bigcommerce');

class Cohort {
  constructor(url, stop) {
    this.url = url;
    this.stop = stop;
  }

  // start runs a server on a free port and returns when it serves.
  static async start() {
    if (process.env.COHORT_URL) return new Cohort(process.env.COHORT_URL, async () => {});
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'cohort-'));
    const args = ['serve', '--dev', '--addr', '127.0.0.1:0', '--db', 'sqlite:' + path.join(dir, 'cohort.db')];
    const server = spawn('cohort', args, { stdio: ['ignore', 'ignore', 'pipe'] });
    const ended = new Promise((resolve) => server.once('close', resolve));
    const url = await new Promise((resolve, reject) => {
      let log = '';
      server.once('error', reject);
      server.once('close', () => reject(new Error('the server ended: ' + log)));
      server.stderr.on('data', (text) => {
        log += text;
        const found = /msg=serving url=(\S+)/.exec(log);
        if (found) resolve(found[1]);
      });
    });
    return new Cohort(url, async () => {
      server.kill();
      await ended;
      fs.rmSync(dir, { recursive: true });
    });
  }

  // control calls the control API and returns the status and the JSON of the response.
  async control(method, path, body) {
    const headers = { 'Content-Type': 'application/json' };
    if (process.env.COHORT_CONTROL_TOKEN) headers.Authorization = 'Bearer ' + process.env.COHORT_CONTROL_TOKEN;
    const response = await fetch(this.url + '/_cohort/v1' + path, { method, headers, body: body && JSON.stringify(body) });
    const text = await response.text();
    return { status: response.status, body: text && JSON.parse(text) };
  }

  // createStore creates a store for one test. It goes by itself.
  async createStore() {
    const { status, body } = await this.control('POST', '/stores', { ttl: '10m' });
    if (status !== 201) throw new Error(`no store: ${status} ${JSON.stringify(body)}`);
    return new Store(this, body.hash, body.token);
  }
}

// Store is a store with a client of the package node-bigcommerce.
class Store {
  constructor(cohort, hash, token) {
    Object.assign(this, { cohort, hash, token });
  }

  client(config) {
    return new BigCommerce({
      clientId: 'test', accessToken: this.token, storeHash: this.hash, failOnLimitReached: true,
      agent: agentFor(this.cohort.url), headers: { Host: 'localhost' }, ...config,
    });
  }

  control(method, path, body) {
    return this.cohort.control(method, `/stores/${this.hash}${path}`, body);
  }

  setFaults(...faults) {
    return this.control('PUT', '/faults', { faults });
  }

  verify(criteria, expectation) {
    return this.control('POST', '/requests/verify', { criteria, ...expectation });
  }
}

// agentFor returns an agent for the package, which has https://api.bigcommerce.com
// compiled in: it connects to the server instead, without TLS.
function agentFor(url) {
  const { hostname, port } = new URL(url);
  const agent = new http.Agent();
  agent.protocol = 'https:';
  agent.createConnection = () => net.connect(Number(port), hostname);
  return agent;
}

module.exports = { Cohort };
