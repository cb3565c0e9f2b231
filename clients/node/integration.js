'use strict';
// The integration under test: it creates customer groups with the package
// node-bigcommerce, and gets along with limits and lost answers.

// createGroup creates a group of a name and returns it. If the answer is lost, it looks
// whether the group is there before it tries again, so it never creates two.
async function createGroup(client, name, wait = defaultWait) {
  for (let left = 3; ; left--) {
    try {
      return await client.post('/customer_groups', { name });
    } catch (error) {
      if (left === 0 || (error.code && Number(error.code) < 500)) throw error;
      await wait(error.retryAfter || 0);
      const [existing] = (await client.get('/customer_groups?name=' + encodeURIComponent(name))) || [];
      if (existing) return existing;
    }
  }
}

function defaultWait(seconds) {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}

module.exports = { createGroup };
