/** y-leveldb, where servers of Yjs keep the documents that people edit together, and its own tests. */

import { test } from 'tap'
import { LeveldbPersistence } from 'y-leveldb'
import * as Y from 'yjs'
import { runScript } from './own-tests.js'
import { type Ground, sameProgram } from './same-program.js'

test('y-leveldb: its own tests hold', (t) => runScript(t, 'y-leveldb', 'dist/test.cjs', /^Success: /gm, 6))

test('y-leveldb: a program sees the same on a cluster of which a node dies', (t) => sameProgram(t, 90, program))

async function program({ Level, location, crash }: Ground): Promise<unknown[]> {
  const seen: unknown[] = []
  const store = new LeveldbPersistence(location, { Level })
  const crashOne = (): Promise<void> => store._transact((db) => crash(db))
  const docs = Array.from({ length: 10 }, (_, number) => docOf(number, store))
  for (let round = 0; round < 60; round++) {
    for (const doc of docs) write(doc, round)
    if (round === 20) await crashOne()
  }
  for (const [number] of docs.entries()) {
    const name = `doc ${number}`
    await store.setMeta(name, 'title', `Title ${number}`)
    const doc = await store.getYDoc(name)
    seen.push(doc.getText('text').toString(), doc.getMap('map').toJSON(), doc.getArray('list').toJSON())
    seen.push(Buffer.from(await store.getStateVector(name)).toString('hex'), await store.getMeta(name, 'title'))
  }
  await crashOne()
  for (const number of [0, 3, 6]) await store.flushDocument(`doc ${number}`)
  await store.clearDocument('doc 9')
  seen.push((await store.getAllDocNames()).sort())
  for (const [number, doc] of docs.entries()) {
    const kept = await store.getYDoc(`doc ${number}`)
    seen.push([...kept.getText('text').toString()].length, kept.getText('text').toString() === textOf(doc))
    const known = Y.encodeStateVector(docs[0] as Y.Doc)
    seen.push(Buffer.from(await store.getDiff(`doc ${number}`, known)).toString('hex'))
    seen.push([...(await store.getMetas(`doc ${number}`))])
  }
  await store.destroy()
  return seen
}

function docOf(number: number, store: LeveldbPersistence): Y.Doc {
  const doc = new Y.Doc()
  // A random one by default; the two runs are to see the same.
  doc.clientID = number + 1
  doc.on('update', (update: Uint8Array) => void store.storeUpdate(`doc ${number}`, update))
  return doc
}

function write(doc: Y.Doc, round: number): void {
  doc.getText('text').insert(round % 5, `word ${round} `)
  doc.getMap('map').set(`key ${round % 8}`, { round })
  if (round % 3 === 0) doc.getArray('list').insert(0, [round])
}

function textOf(doc: Y.Doc): string {
  return doc.getText('text').toString()
}
