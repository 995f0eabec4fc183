/** Commands that ask a cluster in another process: `coterie start` and they are processes of their own, as a user runs them. */

import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'tap'
import { CoterieError, openCluster } from '../../src/index.js'
import { folderForTest } from '../support/cluster.js'
import { finished, run, running, SMALL, start } from '../support/run-command.js'

test('control: every command reaches a cluster that another process runs', async (t) => {
  const folder = await folderForTest(t)
  const cluster = await running(t, folder)
  const json = async (...args: string[]) => JSON.parse((await run(folder, [...args, '--json'])).stdout)
  t.match(await run(folder, ['put', 'a', 'Zürich']), { code: 0, stdout: '', stderr: '' })
  t.match(await run(folder, ['get', 'a']), { code: 0, stdout: 'Zürich' })
  t.match(await run(folder, ['get', 'b']), { code: 3, stdout: '', stderr: /not found/ })
  t.same(await json('get', 'a'), { key: 'a', found: true, value: 'Zürich' })
  writeFileSync(join(folder, 'in.tsv'), 'id\tname\nb\tTwo\nc\tThree\n')
  t.match(await json('load', 'in.tsv', '--value', 'name'), { end: 'done', records: 2 })
  t.match(await run(folder, ['del', 'b']), { code: 0 })
  t.equal((await run(folder, ['scan', '--reverse'])).stdout, 'c\tThree\na\tZürich\n')
  t.match(await json('locate', 'a'), { key: 'a', owners: { length: 3 } })
  t.match(await json('plan', '--join', '1'), { joining: ['node4'], replicas: { node4: 12 } })
  t.match(await json('join', 'node4'), { joined: ['node4'] })
  t.match(await json('leave', 'node1'), { left: 'node1' })
  const status = await json('status')
  t.same(
    status.nodes.map(({ id }: { id: string }) => id),
    ['node2', 'node3', 'node4'],
  )
  t.match(status.ring, { length: 16 })
  t.match(await json('backup', 'b'), { dir: join(status.location, '..', 'b'), nodes: ['node2', 'node3', 'node4'] })
  t.match(await run(folder, ['verify', 'b']), { code: 0 })
  t.match(await cluster.stop(), { code: 0, stderr: '' })
  t.match(await run(folder, ['get', 'c']), { code: 0, stdout: 'Three' }, 'and opens the folder once it has closed')
})

test('control: what is not UTF-8 goes there and back', async (t) => {
  const folder = await folderForTest(t)
  await running(t, folder)
  const bytes = Buffer.of(0xff, 0x00, 0x80)
  const child = start(folder, ['put', 'k', '-'])
  child.stdin?.end(bytes)
  t.match(await finished(child), { code: 0 })
  t.equal((await run(folder, ['scan', '--json'])).stdout, '{"key":"k","value":{"base64":"/wCA"}}\n')
  const get = start(folder, ['get', 'k'])
  get.stdin?.end()
  const chunks: Buffer[] = []
  get.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk))
  await once(get, 'close')
  t.same(Buffer.concat(chunks), bytes)
})

test('control: errors keep their code, and have exit codes', async (t) => {
  const folder = await folderForTest(t)
  await running(t, folder)
  t.match(await run(folder, ['leave', 'node9']), { code: 1, stderr: /UNKNOWN_NODE: .*\n.*coterie status/ })
  t.match(await run(folder, ['leave', 'node1']), { code: 1, stderr: /TOO_FEW_NODES: .*\n.*coterie join/ })
  t.match(await run(folder, ['join', 'node7']), { code: 2, stderr: /never used again: the next is node4/ })
  t.match(await run(folder, ['crash', 'node1']), { code: 1, stderr: /FAULTS_DISABLED: .*\n.*Start with --faults/ })
  const { code, stderr } = await run(folder, ['get', 'k', '--r', '9', '--json'])
  t.equal(code, 2)
  t.match(JSON.parse(stderr), { error: { code: 'INVALID_OPTION', facts: { option: 'r' } } })
  t.match(await run(folder, ['get', 'k', '--durability', 'disk']), { stderr: /durability cannot be changed/ })
  t.match(await run(await folderForTest(t), ['crash', 'node1']), { code: 4, stderr: /no cluster is running/ })
})

test('control: faults where they are allowed', async (t) => {
  const folder = await folderForTest(t)
  const cluster = await running(t, folder, ['--faults'])
  t.match(await run(folder, ['crash', 'node2']), { code: 0, stdout: /node2 has crashed/ })
  t.match(await run(folder, ['hang', 'node3', '10', '--json']), { code: 0, stdout: '{"node":"node3","hangsMs":10}\n' })
  t.match((await cluster.stop()).stdout, /node:exit node2/)
})

test('lock: who has the location open is named, by a command and by openCluster', async (t) => {
  const folder = await folderForTest(t)
  const { child } = await running(t, folder)
  const { code, stderr } = await run(folder, ['start', '--no-parent'])
  t.equal(code, 5)
  t.match(stderr, new RegExp(`LOCATION_LOCKED: .*in process ${child.pid} \\(coterie start\\), since 20`))
  t.match(stderr, new RegExp(`kill ${child.pid}`))
  t.match(await run(folder, ['crash', 'node1']), { code: 1, stderr: /FAULTS_DISABLED/ }, 'which is heard as before')
  const refused = await openCluster({ location: join(folder, 'data') }).catch((error: unknown) => error)
  t.ok(refused instanceof CoterieError)
  t.match(refused, { code: 'LOCATION_LOCKED', facts: { holder: { pid: child.pid, command: 'coterie start' } } })
})

test('lock: a program that does not listen is named too', async (t) => {
  const folder = await folderForTest(t)
  const cluster = await openCluster({ location: join(folder, 'data'), nodes: 3 })
  t.teardown(() => cluster.close())
  const { code, stderr } = await run(folder, ['get', 'k'])
  t.equal(code, 5)
  t.match(stderr, new RegExp(`LOCATION_LOCKED: .*in process ${process.pid} \\(`))
  t.match(stderr, /does not listen/)
  const again = await openCluster({ location: join(folder, 'data') }).catch((error: unknown) => error)
  t.match(again, {
    code: 'LOCATION_LOCKED',
    facts: { holder: { pid: process.pid } },
    message: /in this process, since/,
  })
})

test('lock: commands wait for each other', async (t) => {
  const folder = await folderForTest(t)
  const puts = Array.from({ length: 3 }, (_, number) => run(folder, ['put', `k${number}`, 'v', ...SMALL]))
  for (const put of await Promise.all(puts)) t.match(put, { code: 0 })
  t.equal((await run(folder, ['scan'])).stdout, 'k0\tv\nk1\tv\nk2\tv\n')
})

test('control: the socket is its owner’s alone; a dead process’s is no obstacle, and replaced', async (t) => {
  const folder = await folderForTest(t)
  const { child, stopped } = await running(t, folder)
  const control = join(folder, 'data', 'cluster', 'control')
  t.equal(statSync(control).mode & 0o777, 0o700)
  t.equal(statSync(join(control, 'socket')).mode & 0o777, 0o600)
  child.kill('SIGKILL')
  await stopped
  t.ok(existsSync(join(control, 'socket')))
  t.match(await run(folder, ['put', 'k', 'v']), { code: 0 }, 'opens the folder itself')
  const next = await running(t, folder)
  t.match(await run(folder, ['crash', 'node1']), { code: 1, stderr: /FAULTS_DISABLED/ }, 'is heard by the new process')
  t.match(await next.stop(), { code: 0 })
  t.same(readdirSync(control), [])
})

test('control: a location too deep for a socket has it elsewhere, and takes it away again', async (t) => {
  const folder = join(await folderForTest(t), 'deep'.repeat(30))
  mkdirSync(folder)
  const cluster = await running(t, folder)
  const socket = readFileSync(join(folder, 'data', 'cluster', 'control', 'path'), 'utf8')
  t.equal(dirname(dirname(socket)), process.env['XDG_RUNTIME_DIR'] || tmpdir())
  t.equal(statSync(dirname(socket)).mode & 0o777, 0o700)
  t.match(await run(folder, ['crash', 'node1']), { code: 1, stderr: /FAULTS_DISABLED/ }, 'it is heard')
  t.match(await cluster.stop(), { code: 0 })
  t.notOk(existsSync(dirname(socket)))
})

test('control: a process that stands still is named, not waited for', async (t) => {
  const folder = await folderForTest(t)
  const { child } = await running(t, folder)
  child.kill('SIGSTOP')
  const { code, stderr } = await run(folder, ['get', 'k'])
  child.kill('SIGCONT')
  t.equal(code, 1)
  t.match(stderr, /TIMEOUT: the cluster's process does not answer its control socket .*; is it stopped\?/)
})
