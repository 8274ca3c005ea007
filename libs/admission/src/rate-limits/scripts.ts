/**
 * GCRA, as in `local-rate-store.ts`: a bucket is the moment at which it is full again, in milliseconds of the server's clock, and
 * is gone by then. Gives what is missing from full and how long there is no token, as text: numbers of scripts lose
 * their fractions.
 *
 * KEYS: the bucket. ARGV: what the tokens cost in milliseconds, and the policy's window.
 */
export const takeTokens = `
local time = redis.call('time')
local now = time[1] * 1000 + time[2] / 1000
local cost, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local full = math.max(now, tonumber(redis.call('get', KEYS[1])) or now)
local wanted = full + cost
if wanted - now > window + 0.001 then
  return { string.format('%.3f', full - now), string.format('%.3f', wanted - now - window) }
end
redis.call('set', KEYS[1], string.format('%.3f', wanted), 'px', math.max(1, math.ceil(wanted - now)))
return { string.format('%.3f', wanted - now), '0' }`

/**
 * Says that a node lives, and counts those that do.
 *
 * KEYS: the nodes, by when they were last heard. ARGV: the node, and the milliseconds after which one is gone.
 */
export const countNodes = `
local time = redis.call('time')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('zadd', KEYS[1], now, ARGV[1])
redis.call('zremrangebyscore', KEYS[1], '-inf', now - ARGV[2])
redis.call('pexpire', KEYS[1], ARGV[2])
return redis.call('zcard', KEYS[1])`
