/**
 * many-level: a database that another process has, over a loopback socket, as its README shows it. Its newest version speaks
 * abstract-level 1, and so its host has a classic-level of that time.
 */

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { pipeline } from 'node:stream'
import { ManyLevelGuest } from 'many-level'
import { levelReads } from './level-reads.js'
import { asBuffer, type Host, type HostInput, loadBatches, type Subject } from './subject.js'

/** Starts the host and connects to it. */
export async function openManyLevel({ folder, data }: HostInput, blockCacheBytes: number): Promise<Host> {
  const script = new URL('./many-level.child.js', import.meta.url)
  const child = fork(script, [folder, String(blockCacheBytes)])
  const [port] = (await once(child, 'message')) as [number]
  const db = new ManyLevelGuest<string, Buffer>({ keyEncoding: 'utf8', valueEncoding: 'buffer' })
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  pipeline(socket, db.createRpcStream(), socket, () => undefined)
  await db.open()
  const put = async (key: string, value: Uint8Array) => {
    await db.put(key, asBuffer(value))
    return 1
  }
  const subject: Subject = {
    name: 'many-level',
    scans: true,
    hasAtomicBatches: true,
    isTwinInWrites: false,
    warmUpMs: 0,
    ...levelReads(db, data),
    put,
    insert: put,
    batch: async (keys, value) => {
      await db.batch(keys.map((key) => ({ type: 'put', key, value: asBuffer(value) })))
      return keys.length
    },
  }
  return {
    subjects: [subject],
    load: async () => {
      for (const records of loadBatches(data))
        await db.batch(records.map(({ key, value }) => ({ type: 'put', key, value: asBuffer(value) })))
    },
    close: async () => {
      const exit = once(child, 'exit')
      await db.close()
      socket.destroy()
      child.disconnect()
      await exit
    },
  }
}
