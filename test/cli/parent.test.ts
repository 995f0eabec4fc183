/** `coterie start` under its parent: what the child dies of, it comes back from; what ends the parent, ends the child. */

import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Test, test } from 'tap'
import { damageStore } from '../../src/storage/damage.js'

const BIN = fileURLToPath(new URL('../../src/cli/coterie.cjs', import.meta.url))
const WITH_ABORTING_CHILD = fileURLToPath(new URL('./fixtures/parent.child.js', import.meta.url))
/** Nothing here is about slowness. */
const CALM = ['--set', 'hungAfterMs=10000']

/** A process with its output so far. */
class Process {
  readonly child: ChildProcess
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>
  output = ''

  constructor(t: Test, folder: string, args: readonly string[]) {
    this.child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.output += chunk.toString()
      })
    }
    this.ended = once(this.child, 'close').then(([code, signal]) => ({ code, signal }))
    t.teardown(() => {
      this.child.kill('SIGKILL')
    })
  }

  get pid(): number {
    return this.child.pid ?? 0
  }

  /** Once it has printed so many matches. */
  async printed(pattern: RegExp, times = 1): Promise<void> {
    const matches = () => this.output.match(new RegExp(pattern, 'g'))?.length ?? 0
    while (matches() < times) {
      if (this.child.exitCode !== null) throw new Error(`it has ended: ${this.output}`)
      await once(this.child.stdout ?? this.child, 'data')
    }
  }

  /** The process that it has started. */
  childPid(): number {
    return Number(execFileSync('ps', ['-o', 'pid=', '--ppid', String(this.pid)], { encoding: 'utf8' }).trim())
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Nobody is told of the end of a process that is not its own child: looked at, a bounded number of times. */
async function gone(pid: number): Promise<void> {
  for (let looks = 0; isAlive(pid); looks++) {
    if (looks === 1_500) throw new Error(`process ${pid} is still there`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

test('parent: a child that is aborted or killed comes back, with everything that was written', async (t) => {
  const folder = t.testdir()
  writeFileSync(join(folder, 'in.tsv'), 'id\tname\n1\tOne\n2\tTwo\n')
  execFileSync(process.execPath, [BIN, 'load', 'in.tsv', '--value', 'name', ...CALM], { cwd: folder })
  const parent = new Process(t, folder, [BIN, 'start', ...CALM])
  await parent.printed(/ open ready/)
  for (const [index, signal] of (['SIGABRT', 'SIGKILL'] as const).entries()) {
    const pid = parent.childPid()
    process.kill(pid, signal)
    await parent.printed(/ open ready/, index + 2)
    t.match(parent.output, `the cluster's process ${pid} ended by ${signal}; it is started again`)
  }
  const last = parent.childPid()
  parent.child.kill('SIGTERM')
  t.match(await parent.ended, { code: 0, signal: null })
  t.match(parent.output, /stop SIGTERM: closing/)
  t.notOk(isAlive(last), 'nobody is left')
  const get = execFileSync(process.execPath, [BIN, 'get', '2', ...CALM], { cwd: folder, encoding: 'utf8' })
  t.match(get, 'Two')
})

test('parent: after a native death a damaged store is found, whatever the options say, and refilled', async (t) => {
  const folder = t.testdir()
  writeFileSync(join(folder, 'in.tsv'), 'id\tname\n1\tOne\n2\tTwo\n')
  execFileSync(process.execPath, [BIN, 'load', 'in.tsv', '--value', 'name', ...CALM], { cwd: folder })
  const parent = new Process(t, folder, [BIN, 'start', '--verification', 'never', ...CALM])
  await parent.printed(/ open ready/)
  await damageStore(join(folder, 'data', 'node2', 'store'))
  process.kill(parent.childPid(), 'SIGSEGV')
  await parent.printed(/ open ready/, 2)
  t.match(readdirSync(join(folder, 'data', 'node2', 'quarantine')), [/files-damaged/])
  await parent.printed(/node:quarantine node2's store was set aside/)
  parent.child.kill('SIGTERM')
  t.match(await parent.ended, { code: 0 })
  t.match(execFileSync(process.execPath, [BIN, 'get', '2', ...CALM], { cwd: folder, encoding: 'utf8' }), 'Two')
})

test("parent: a table whose keys are out of order makes LevelDB abort, and its node's store is refilled", async (t) => {
  const folder = t.testdir()
  const rows = Array.from({ length: 20_000 }, (_, row) => `key${String(row).padStart(6, '0')}\tvalue ${row} of a row`)
  writeFileSync(join(folder, 'in.tsv'), `id\tname\n${rows.join('\n')}\n`)
  writeFileSync(join(folder, 'few.tsv'), 'id\tname\nkey000000\tfirst\nkey019999\tlast\n')
  const small = ['--set', 'writeBufferBytes=65536', ...CALM]
  for (const file of ['in.tsv', 'few.tsv'])
    execFileSync(process.execPath, [BIN, 'load', file, '--value', 'name', ...small], { cwd: folder })
  const store = join(folder, 'data', 'node2', 'store')
  t.ok(putOutOfOrder(store) > 0, 'tables were damaged')

  // Each opening writes what the one before has left in the log as a table; the fourth or so has LevelDB merge them with the
  // others, and find that a key is less than the one before it. A `load` may be aborted as well, and has no parent.
  const unverified = ['--verification', 'never', ...small]
  const load = () =>
    spawnSync(process.execPath, [BIN, 'load', 'few.tsv', '--value', 'name', ...unverified], { cwd: folder })
  for (let loads = 0; loads < 4; loads++) load()
  let parent = new Process(t, folder, [BIN, 'start', ...unverified])
  for (let starts = 1; !(await aborts(parent)) && starts < 8; starts++) {
    parent.child.kill('SIGTERM')
    await parent.ended
    load()
    parent = new Process(t, folder, [BIN, 'start', ...unverified])
  }
  t.match(parent.output, /ended by SIGABRT/, 'LevelDB has aborted within eight starts')
  await parent.printed(/ended by SIGABRT[\s\S]* open ready/)
  t.match(parent.output, /Assertion `.*' failed/)
  t.match(parent.output, /ended by SIGABRT; it is started again/)
  t.match(readdirSync(join(folder, 'data', 'node2', 'quarantine')), [/files-damaged/])
  await parent.printed(/ converged /)
  parent.child.kill('SIGTERM')
  t.match(await parent.ended, { code: 0 })
  const get = execFileSync(process.execPath, [BIN, 'get', 'key010000', ...CALM], { cwd: folder, encoding: 'utf8' })
  t.match(get, 'value 10000 of a row')
})

/** In each table the second key that stands there in full is made less than the first. How many tables. */
function putOutOfOrder(store: string): number {
  let changed = 0
  for (const name of readdirSync(store)) {
    const bytes = name.endsWith('.ldb') ? readFileSync(join(store, name)) : Buffer.alloc(0)
    const second = bytes.indexOf('dkey', bytes.indexOf('dkey') + 1)
    if (second < 0) continue
    bytes[second] = 'a'.charCodeAt(0)
    writeFileSync(join(store, name), bytes)
    changed += 1
  }
  return changed
}

/** Once it is open and has converged, or its child was aborted before: whether that was so. */
async function aborts(parent: Process): Promise<boolean> {
  await parent.printed(/ended by SIGABRT| converged /)
  return parent.output.includes('ended by SIGABRT')
}

test('parent: when it is killed, its child closes by itself', async (t) => {
  const parent = new Process(t, t.testdir(), [BIN, 'start', ...CALM])
  await parent.printed(/ open ready/)
  const pid = parent.childPid()
  parent.child.kill('SIGKILL')
  await gone(pid)
  await parent.ended
  t.match(parent.output, /stop closed after/, 'in order')
})

test('parent: SIGINT to both, as a terminal sends it, closes in order', async (t) => {
  const parent = new Process(t, t.testdir(), [BIN, 'start', ...CALM])
  await parent.printed(/ open ready/)
  const pid = parent.childPid()
  parent.child.kill('SIGINT')
  process.kill(pid, 'SIGINT')
  t.match(await parent.ended, { code: 0 })
  t.match(parent.output, /stop closed after/)
  t.notOk(isAlive(pid))
})

test('parent: a child that dies at once is not started for ever', async (t) => {
  const parent = new Process(t, t.testdir(), [WITH_ABORTING_CHILD])
  t.match(await parent.ended, { code: 1, signal: null })
  t.equal(parent.output.match(/ended by SIGABRT/g)?.length, 6)
  t.match(parent.output, /6 times within a minute and not 10 s apart: giving up/)
})

test("parent: what the child says by its exit code is the parent's", async (t) => {
  for (const code of [0, 1, 2]) {
    const parent = new Process(t, t.testdir(), [WITH_ABORTING_CHILD, String(code)])
    t.match(await parent.ended, { code, signal: null })
    t.equal(parent.output, '')
  }
})

test('--no-parent: one process', async (t) => {
  const alone = new Process(t, t.testdir(), [BIN, 'start', '--no-parent', ...CALM])
  await alone.printed(/ open ready/)
  t.throws(() => alone.childPid(), 'ps finds nobody')
  alone.child.kill('SIGTERM')
  t.match(await alone.ended, { code: 0 })
})
