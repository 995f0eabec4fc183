/** One opener per location, in this process and in others, and none after any death. */

import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'tap'
import { lockLocation } from '../../src/storage/cluster-lock.js'
import { temporaryFolder } from './leveldb-stores.js'

const MODULE = new URL('../../src/storage/cluster-lock.js', import.meta.url).href

test('lock: a second opener in this process is refused with the location; after release it is let in', async (t) => {
  const location = temporaryFolder(t)
  const lock = await lockLocation(location)
  await t.rejects(lockLocation(location), { name: 'CoterieError', code: 'LOCATION_LOCKED', facts: { location } })
  const waiting = lockLocation(location, 5_000)
  await Promise.all([lock.release(), lock.release()])
  await (await waiting).release()
})

test('lock: another process is refused, and let in as soon as the holder is killed', async (t) => {
  const location = temporaryFolder(t)
  const code = `const { lockLocation } = await import(process.argv[1]); await lockLocation(process.argv[2])
    console.log('locked'); setInterval(() => {}, 1000)`
  const holder = spawn(process.execPath, ['--input-type=module', '--eval', code, MODULE, location], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => holder.kill('SIGKILL'))
  const [line] = await once(createInterface(holder.stdout), 'line')
  t.equal(line, 'locked')
  await t.rejects(lockLocation(location), { code: 'LOCATION_LOCKED' })
  holder.kill('SIGKILL')
  await once(holder, 'exit')
  await (await lockLocation(location)).release()
})

test('lock: a gate that another opener takes away while it is opened is made anew', async (t) => {
  for (let files = 0; files < 6; files++) {
    const location = temporaryFolder(t)
    const gate = join(location, 'cluster', `gate-${process.pid}`)
    const opening = lockLocation(location, 1_000)
    let isTaken = false
    const look = () => {
      if (isTaken) return
      isTaken = existsSync(gate) && readdirSync(gate).length > files && remove(gate)
      if (!isTaken) watching = setImmediate(look)
    }
    let watching = setImmediate(look)
    const lock = await opening
    clearImmediate(watching)
    await t.rejects(lockLocation(location), { code: 'LOCATION_LOCKED' }, `after ${files} files: ${isTaken}`)
    await lock.release()
  }
})

test('lock: a location that cannot be made is another error', async (t) => {
  await t.rejects(lockLocation('/dev/null/nowhere'), { code: 'OPEN_FAILED' })
})

test('lock: damage to its files keeps nobody out, and lets nobody in who was not', async (t) => {
  const location = temporaryFolder(t)
  const folder = join(location, 'cluster', 'lock')
  const damages: Readonly<Record<string, (path: string) => void>> = {
    'cut off': (path) => truncateSync(path, 0),
    overwritten: (path) => writeFileSync(path, 'x'.repeat(100)),
    gone: (path) => rmSync(path),
  }
  for (const [what, damage] of Object.entries(damages)) {
    for (const file of [/^MANIFEST/, /^CURRENT$/]) {
      await (await lockLocation(location)).release()
      const name = readdirSync(folder).find((one) => file.test(one)) ?? ''
      damage(join(folder, name))
      const lock = await lockLocation(location)
      await t.rejects(lockLocation(location), { code: 'LOCATION_LOCKED' }, `${name} ${what}`)
      await lock.release()
    }
  }
})

test('lock: a second opener in this process that was refused lets no other process in', async (t) => {
  const location = temporaryFolder(t)
  const lock = await lockLocation(location)
  await t.rejects(lockLocation(location), { code: 'LOCATION_LOCKED' })
  const code = `const { lockLocation } = await import(process.argv[1])
    console.log(await lockLocation(process.argv[2]).then(() => 'let in', (error) => error.code))`
  const other = spawn(process.execPath, ['--input-type=module', '--eval', code, MODULE, location], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => other.kill('SIGKILL'))
  const [line] = await once(createInterface(other.stdout), 'line')
  t.equal(line, 'LOCATION_LOCKED')
  await lock.release()
})

test('lock: a refused process is told who holds it; what a dead one has left is not believed', async (t) => {
  const location = temporaryFolder(t)
  const lock = await lockLocation(location)
  const code = `const { lockLocation } = await import(process.argv[1])
    console.log(await lockLocation(process.argv[2]).then(() => 'let in', ({ facts }) => facts.holder?.pid ?? 'nobody'))`
  const refused = () =>
    execFileSync(process.execPath, ['--input-type=module', '--eval', code, MODULE, location], {
      encoding: 'utf8',
    }).trim()
  t.equal(refused(), String(process.pid))
  const file = join(location, 'cluster', 'holder.json')
  const { pid: deadPid } = spawnSync(process.execPath, ['--version'])
  for (const text of [JSON.stringify({ pid: deadPid, since: 'then', command: 'it' }), '{"pid":', '{}']) {
    writeFileSync(file, text)
    t.equal(refused(), 'nobody', text)
  }
  await lock.release()
  t.notOk(existsSync(file))
})

/** False: it got new files meanwhile. */
function remove(folder: string): boolean {
  try {
    rmSync(folder, { recursive: true, force: true })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error
    return false
  }
}
