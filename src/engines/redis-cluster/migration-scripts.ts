/**
 * What is done in one step within a slot while a migration fills a store.
 *
 * Beside the values and the index, which are what they will be, each partition has a hash of stamps. Its field without a name says
 * which migration may write; the others say of each key what was written last: `+` and the stamp of a value, `-` and that of a delete.
 * So whichever of two writes comes later, the newer one stays: the rule of the cluster that is left. The hash goes with the cutover,
 * and with it the right to write: what then still comes in of the migration is refused.
 */

import { type Script, script } from './scripts.js'

/** Stamps are ordered by their bytes; Lua's own `<` goes by the locale. */
const IS_AFTER = `
local function isAfter(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then return x > y end
  end
  return #a > #b
end
`

/**
 * KEYS: index, stamps, values. ARGV: the migration, then for each of the values: key, `1` or `0` (delete), value, stamp. One of the same
 * stamp is written again. Gives how many were not older than what is there; `-1`: the migration may not write here.
 */
export const MIRROR: Script = script(`${IS_AFTER}
if redis.call('HGET', KEYS[2], '') ~= ARGV[1] then return -1 end
local written = 0
local at = 1
for k = 3, #KEYS do
  local key, stamp = ARGV[at + 1], ARGV[at + 4]
  local seen = redis.call('HGET', KEYS[2], key)
  if not seen or not isAfter(string.sub(seen, 2), stamp) then
    if ARGV[at + 2] == '1' then
      redis.call('SET', KEYS[k], ARGV[at + 3])
      redis.call('ZADD', KEYS[1], 0, key)
      redis.call('HSET', KEYS[2], key, '+' .. stamp)
    else
      redis.call('DEL', KEYS[k])
      redis.call('ZREM', KEYS[1], key)
      redis.call('HSET', KEYS[2], key, '-' .. stamp)
    end
    written = written + 1
  end
  at = at + 4
end
return written
`)

/**
 * A key that the cluster does not know any more, not even as deleted. KEYS: index, stamps, value. ARGV: the migration, key, the stamp that
 * it was seen with: a newer one stays. What is left is a delete just above it.
 */
export const FORGET: Script = script(`
if redis.call('HGET', KEYS[2], '') ~= ARGV[1] then return -1 end
if redis.call('HGET', KEYS[2], ARGV[2]) ~= '+' .. ARGV[3] then return 0 end
redis.call('DEL', KEYS[3])
redis.call('ZREM', KEYS[1], ARGV[2])
redis.call('HSET', KEYS[2], ARGV[2], '-' .. ARGV[3] .. '!')
return 1
`)

/** KEYS: index, stamps, values. ARGV: keys. Gives of each what the hash says, its value's SHA-1 and its score in the index, or nil. */
export const LOOK: Script = script(`
local found = {}
for k = 3, #KEYS do
  local key = ARGV[k - 2]
  local value = redis.call('GET', KEYS[k])
  found[#found + 1] = redis.call('HGET', KEYS[2], key)
  found[#found + 1] = value and redis.sha1hex(value)
  found[#found + 1] = redis.call('ZSCORE', KEYS[1], key)
end
return found
`)

/**
 * What a range of the index holds. KEYS: index, stamps. ARGV: from, to, keys at most, bytes of values at most, what names of values begin
 * with. Gives key, what the hash says, the value's SHA-1, …, and at the end the key that was looked at last, or nothing: there is no more.
 */
export const RANGE: Script = script(`
local keys = redis.call('ZRANGE', KEYS[1], ARGV[1], ARGV[2], 'BYLEX', 'LIMIT', 0, ARGV[3])
local found = {}
local bytes = 0
for i = 1, #keys do
  local value = redis.call('GET', ARGV[5] .. keys[i])
  found[#found + 1] = keys[i]
  found[#found + 1] = redis.call('HGET', KEYS[2], keys[i])
  found[#found + 1] = value and redis.sha1hex(value)
  bytes = bytes + (value and #value or 0)
  if bytes >= tonumber(ARGV[4]) and i < #keys then
    found[#found + 1] = keys[i]
    return found
  end
end
found[#found + 1] = #keys == tonumber(ARGV[3]) and keys[#keys] or ''
return found
`)

/** From now on the migration may write here. KEYS: stamps. ARGV: the migration. */
export const ADMIT: Script = script(`
redis.call('HSET', KEYS[1], '', ARGV[1])
return 1
`)

/** From now on no migration may write here. KEYS: stamps. */
export const DISMISS: Script = script(`
redis.call('UNLINK', KEYS[1])
return 1
`)

/** Deletes some of what a partition holds. KEYS: index. ARGV: what names of values begin with, keys at most. Gives how many are left. */
export const CLEAR: Script = script(`
local keys = redis.call('ZRANGE', KEYS[1], 0, tonumber(ARGV[2]) - 1)
for i = 1, #keys do redis.call('UNLINK', ARGV[1] .. keys[i]) end
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, tonumber(ARGV[2]) - 1)
return redis.call('ZCARD', KEYS[1])
`)

/**
 * Makes the store the migration's. KEYS: meta. ARGV: format, partitions, the migration, the cluster that it comes from. Gives the store's
 * partitions and whose it is: `ours` (now, or before), `left` (of an earlier migration of the cluster), `other`.
 */
export const CLAIM: Script = script(`
local format, partitions, migration, cluster = unpack(redis.call('HMGET', KEYS[1], 'format', 'partitions', 'migration', 'cluster'))
if not format then
  redis.call('HSET', KEYS[1], 'format', ARGV[1], 'partitions', ARGV[2], 'migration', ARGV[3], 'cluster', ARGV[4])
  return { ARGV[2], 'ours' }
end
if not migration then return { partitions, 'other' } end
if migration == ARGV[3] then return { partitions, 'ours' } end
return { partitions, cluster == ARGV[4] and 'left' or 'other' }
`)

/** The store is nobody's but its own. KEYS: meta. ARGV: the migration. */
export const RELEASE: Script = script(`
if redis.call('HGET', KEYS[1], 'migration') == ARGV[1] then redis.call('HDEL', KEYS[1], 'migration', 'cluster') end
return 1
`)

/** There is no store any more. KEYS: meta. ARGV: the migration, or the cluster, that it was of. */
export const DISSOLVE: Script = script(`
local migration, cluster = unpack(redis.call('HMGET', KEYS[1], 'migration', 'cluster'))
if migration and (migration == ARGV[1] or cluster == ARGV[1]) then redis.call('DEL', KEYS[1]) end
return 1
`)
