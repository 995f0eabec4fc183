/**
 * What is done in one step within a slot. A script is sent by its digest, and as text to a node that does not know it.
 *
 * Keys that a script makes itself (the values of a page) lie in the slot of the first one: that is what Redis Cluster asks.
 */

import { createHash } from 'node:crypto'

export interface Script {
  readonly text: string
  readonly digest: string
}

/** In ARGV a key, `1` or `0`, and a value for each of the KEYS from `first` on; `at` is before them. KEYS[1] is the index. */
const APPLY = `
local function apply(first, at)
  for k = first, #KEYS do
    if ARGV[at + 2] == '1' then
      redis.call('SET', KEYS[k], ARGV[at + 3])
      redis.call('ZADD', KEYS[1], 0, ARGV[at + 1])
    else
      redis.call('DEL', KEYS[k])
      redis.call('ZREM', KEYS[1], ARGV[at + 1])
    end
    at = at + 3
  end
end
`

/** KEYS: index, values. */
export const WRITE = script(`${APPLY}
apply(2, 0)
return 1
`)

/**
 * One partition's part of a logged batch, once, and not after its time: somebody may have done it in the meantime, and forgotten that.
 * KEYS: index, mark, values. ARGV: the time (ms), then as in APPLY.
 */
export const PART = script(`${APPLY}
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
local now = redis.call('TIME')
if tonumber(now[1]) * 1000 > tonumber(ARGV[1]) then return -1 end
apply(3, 1)
redis.call('SET', KEYS[2], '1')
return 1
`)

/**
 * A logged batch: `<until>,0,<operations>`. KEYS: the batches that began here. ARGV: id, milliseconds from now, operations. Gives until when.
 */
export const LOG = script(`
local now = redis.call('TIME')
local till = string.format('%d', tonumber(now[1]) * 1000 + tonumber(ARGV[2]))
redis.call('HSET', KEYS[1], ARGV[1], till .. ',0,' .. ARGV[3])
return till
`)

/** What is left to do of a logged batch whose parts are done. KEYS: the batches, or a mark. ARGV: which, and the id, or milliseconds. */
export const END = script(`
if ARGV[1] == 'mark' then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
if ARGV[1] == 'forget' then return redis.call('HDEL', KEYS[1], ARGV[2]) end
local entry = redis.call('HGET', KEYS[1], ARGV[2])
if not entry then return 0 end
local comma = string.find(entry, ',', 1, true)
redis.call('HSET', KEYS[1], ARGV[2], string.sub(entry, 1, comma) .. '1' .. string.sub(entry, comma + 2))
return 1
`)

/**
 * Rows of a partition. KEYS: index. ARGV: from, to, `1` for the highest first, rows at most, bytes at most, what names of values begin with.
 * Gives key, value, key, value, …, and at the end the key that was looked at last, or nothing if there is no more. While the slot
 * moves, a value may be at another node than its index: then it is nil.
 */
export const PAGE = script(`
local keys
if ARGV[3] == '1' then
  keys = redis.call('ZRANGE', KEYS[1], ARGV[2], ARGV[1], 'BYLEX', 'REV', 'LIMIT', 0, ARGV[4])
else
  keys = redis.call('ZRANGE', KEYS[1], ARGV[1], ARGV[2], 'BYLEX', 'LIMIT', 0, ARGV[4])
end
local rows = {}
local bytes = 0
for i = 1, #keys do
  local value = redis.pcall('GET', ARGV[6] .. keys[i])
  if type(value) ~= 'string' then value = false end
  rows[#rows + 1] = keys[i]
  rows[#rows + 1] = value
  bytes = bytes + (value and #value or 0)
  if bytes >= tonumber(ARGV[5]) and i < #keys then
    rows[#rows + 1] = keys[i]
    return rows
  end
end
rows[#rows + 1] = #keys == tonumber(ARGV[4]) and keys[#keys] or ''
return rows
`)

/** KEYS: meta. ARGV: format, partitions. Gives what is there, or now is, `1` if it was made, and the migration that fills it, if one does. */
export const CREATE = script(`
local made = redis.call('HSETNX', KEYS[1], 'format', ARGV[1])
if made == 1 then redis.call('HSET', KEYS[1], 'partitions', ARGV[2]) end
local format, partitions, migration = unpack(redis.call('HMGET', KEYS[1], 'format', 'partitions', 'migration'))
return { format, partitions, made, migration }
`)

export function script(text: string): Script {
  return { text, digest: createHash('sha1').update(text).digest('hex') }
}
