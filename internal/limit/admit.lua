-- Lets a request in, or refuses it and uses up nothing. This is what Memory
-- does, in one step for all nodes.
--
-- KEYS are those of the limits that hold, in this order: the gate, the rate of
-- the path, the rate of the store, the quota. All have one hash tag.
-- ARGV: the time, empty for that of Redis; the at-once limit, the request's
-- slot, the lease; both rates and their length; the quota and its length; then
-- slots of the gate that are free again. A limit of -1 does not hold. Times are
-- in milliseconds. With "peek" for a slot it only tells what it would decide.
-- Returns which limit refuses (0: none, 1: at once, 2: rate, 3: quota), after
-- what time to come again, how much of the quota is used, and when it resets.

local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local at_once, slot, lease = tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local per_path, per_store, minute = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local quota, window = tonumber(ARGV[8]), tonumber(ARGV[9])
local freed = 10

local named = 0
local function key(limit)
  if limit < 0 then return nil end
  named = named + 1
  return KEYS[named]
end
local gate = key(at_once)
local path_key = key(per_path)
local store_key = key(per_store)
local quota_key = key(quota)

-- A span that ends later than a new one would is of a clock that has gone back.
local function span(name, length)
  if not name then return nil end
  local kept = redis.call('HMGET', name, 'used', 'ends')
  local used, ends = tonumber(kept[1]), tonumber(kept[2])
  if not used or not ends or now >= ends or ends > now + length then
    used, ends = 0, now + length
  end
  return { name = name, used = used, ends = ends }
end

local function count(s)
  if not s then return end
  s.used = s.used + 1
  redis.call('HSET', s.name, 'used', s.used, 'ends', s.ends)
  if s.used == 1 then redis.call('PEXPIRE', s.name, s.ends - now) end
end

-- Slots whose lease is over are looked for only when there is no room.
local function full()
  if not gate then return false end
  if ARGV[freed] then redis.call('ZREM', gate, unpack(ARGV, freed)) end
  if redis.call('ZCARD', gate) < at_once then return false end
  redis.call('ZREMRANGEBYSCORE', gate, '-inf', now)
  redis.call('ZREMRANGEBYSCORE', gate, '(' .. (now + lease), '+inf')
  return redis.call('ZCARD', gate) >= at_once
end

local of_path, of_store, of_quota = span(path_key, minute), span(store_key, minute), span(quota_key, window)

local function refusal()
  if full() then return 1, 0 end
  if of_path and of_path.used >= per_path then return 2, of_path.ends - now end
  if of_store and of_store.used >= per_store then return 2, of_store.ends - now end
  if of_quota and of_quota.used >= quota then return 3, of_quota.ends - now end
  return 0, 0
end

local refused, retry = refusal()
if refused == 0 and slot ~= 'peek' then
  count(of_path)
  count(of_store)
  count(of_quota)
  if gate then
    redis.call('ZADD', gate, now + lease, slot)
    redis.call('PEXPIRE', gate, lease)
  end
end
if not of_quota then return { refused, retry, 0, 0 } end
return { refused, retry, of_quota.used, of_quota.ends - now }
