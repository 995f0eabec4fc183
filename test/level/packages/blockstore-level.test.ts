/** blockstore-level, the store of content-addressed blocks of Helia and IPFS, and the tests that its makers publish for block stores. */

import { LevelBlockstore } from 'blockstore-level'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'
import { test } from 'tap'
import { runMocha } from './own-tests.js'
import { type Ground, sameProgram } from './same-program.js'

test('blockstore-level: interface-blockstore-tests hold', (t) => runMocha(t, 'blockstore-level.mocha.js', 18))

test('blockstore-level: a program sees the same on a cluster of which a node dies', (t) => sameProgram(t, 800, program))

async function program({ Level, location, crash }: Ground): Promise<unknown[]> {
  const seen: unknown[] = []
  const store = new LevelBlockstore(new Level(location, { keyEncoding: 'utf8', valueEncoding: 'view' }) as never)
  await store.open()
  const blocks = await Promise.all(Array.from({ length: 300 }, (_, number) => blockOf(number)))
  for (const [number, { cid, block }] of blocks.entries()) {
    await store.put(cid, block)
    if (number === 100) await crash(store.db)
  }
  for (const { cid } of blocks) seen.push(Buffer.concat(await collect(store.get(cid))).toString('base64'))
  await crash(store.db)
  for (const [number, { cid }] of blocks.entries()) if (number % 3 === 0) await store.delete(cid)
  for (const { cid } of blocks) seen.push(await store.has(cid))
  for await (const { cid, bytes } of store.getAll()) {
    seen.push([cid.toString(), Buffer.concat(await collect(bytes)).length])
  }
  await store.close()
  return seen
}

async function blockOf(number: number): Promise<{ cid: CID; block: Uint8Array }> {
  // Up to 40 KB.
  const block = Buffer.from(`block ${number} `.repeat(1 + ((number * 37) % 4_000)))
  return { cid: CID.createV1(raw.code, await sha256.digest(block)), block }
}

async function collect(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Uint8Array[]> {
  const result: Uint8Array[] = []
  for await (const chunk of chunks) result.push(chunk)
  return result
}
