/**
 * Level knows the empty key, and a cluster does not: it and the keys that begin with a zero byte are kept with a zero byte in
 * front, which keeps all keys in their order. Every other key is the same on both sides.
 */

import type { Bytes } from './api.js'

const ZERO = '\0'

/** The key that the cluster has for this one of Level. */
export function clusterKey(key: Bytes): Bytes {
  if (typeof key === 'string') return key.length === 0 || key.charCodeAt(0) === 0 ? ZERO + key : key
  return key.length === 0 || key[0] === 0 ? Buffer.concat([Buffer.from(ZERO), key]) : key
}

/** The key that Level has for this one of the cluster. */
export function levelKey(key: Uint8Array): Uint8Array {
  return key[0] === 0 ? key.subarray(1) : key
}
