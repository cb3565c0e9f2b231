-- Admits or rejects a request, like Memory, in one atomic step for all nodes. A
-- rejected request uses up nothing.
--
-- KEYS has one key for each limit that applies, in this order: concurrency, rate
-- of the path, rate of the store, quota. All have the same hash tag.
-- ARGV: 1 the time, or empty for the clock of Redis; 2 the concurrency limit,
-- 3 the request's slot, 4 its lease; 5 and 6 the rates of path and store, 7 their
-- window; 8 the quota, 9 its window; from 10 on freed slots to remove. A limit of
-- -1 does not apply. Times are in milliseconds. With "check" as slot, the script
-- counts nothing.
-- Returns the limit that rejects the request (0 none, 1 concurrency, 2 rate,
-- 3 quota), the time after which to retry, the used part of the quota, and the
-- time until the quota resets.

local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local concurrency, slot, lease = tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local per_path, per_store, minute = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local quota, window = tonumber(ARGV[8]), tonumber(ARGV[9])
local freed = 10

local used_keys = 0
local function key(limit)
  if limit < 0 then return nil end
  used_keys = used_keys + 1
  return KEYS[used_keys]
end
local slots_key = key(concurrency)
local path_key = key(per_path)
local store_key = key(per_store)
local quota_key = key(quota)

-- A window that ends later than a new one would means that the clock was set back.
local function counter(name, length)
  if not name then return nil end
  local stored = redis.call('HMGET', name, 'used', 'ends')
  local used, ends = tonumber(stored[1]), tonumber(stored[2])
  if not used or not ends or now >= ends or ends > now + length then
    used, ends = 0, now + length
  end
  return { name = name, used = used, ends = ends }
end

local function count(c)
  if not c then return end
  c.used = c.used + 1
  redis.call('HSET', c.name, 'used', c.used, 'ends', c.ends)
  if c.used == 1 then redis.call('PEXPIRE', c.name, c.ends - now) end
end

-- Expired slots are removed only when the limit is reached.
local function full()
  if not slots_key then return false end
  if ARGV[freed] then redis.call('ZREM', slots_key, unpack(ARGV, freed)) end
  if redis.call('ZCARD', slots_key) < concurrency then return false end
  redis.call('ZREMRANGEBYSCORE', slots_key, '-inf', now)
  redis.call('ZREMRANGEBYSCORE', slots_key, '(' .. (now + lease), '+inf')
  return redis.call('ZCARD', slots_key) >= concurrency
end

local of_path, of_store, of_quota = counter(path_key, minute), counter(store_key, minute), counter(quota_key, window)

local function reject()
  if full() then return 1, 0 end
  if of_path and of_path.used >= per_path then return 2, of_path.ends - now end
  if of_store and of_store.used >= per_store then return 2, of_store.ends - now end
  if of_quota and of_quota.used >= quota then return 3, of_quota.ends - now end
  return 0, 0
end

local rejected_by, retry = reject()
if rejected_by == 0 and slot ~= 'check' then
  count(of_path)
  count(of_store)
  count(of_quota)
  if slots_key then
    redis.call('ZADD', slots_key, now + lease, slot)
    redis.call('PEXPIRE', slots_key, lease)
  end
end
if not of_quota then return { rejected_by, retry, 0, 0 } end
return { rejected_by, retry, of_quota.used, of_quota.ends - now }
