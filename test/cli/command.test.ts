/** The command as a user runs it: a process of its own, no terminal. */

import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { finished, run, start } from '../support/run-command.js'

/** Resolves once the output so far matches. */
async function printed(child: ChildProcess, pattern: RegExp): Promise<void> {
  let output = ''
  for (;;) {
    if (child.stdout === null) throw new Error('the child has no stdout')
    const [chunk] = (await once(child.stdout, 'data')) as [Buffer]
    output += chunk.toString()
    if (pattern.test(output)) return
  }
}

test('wrong usage: exit code 2, the message names what is allowed', async (t) => {
  const { code, stdout, stderr } = await run(t.testdir(), ['start', '--nodez', '3'])
  t.equal(code, 2)
  t.equal(stdout, '')
  t.match(stderr, /unknown option --nodez; start knows --location/)
  t.match(stderr, /coterie start --help/)
})

test('looking into a folder without a cluster fails and leaves nothing behind', async (t) => {
  const folder = t.testdir()
  const { code, stderr } = await run(folder, ['get', 'k'])
  t.equal(code, 4)
  t.match(stderr, /there is no cluster in .\/data/)
  t.notOk(existsSync(join(folder, 'data')))
})

test('start without a terminal: log lines, clean stop with exit code 0', async (t) => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const child = start(t.testdir(), ['start'])
    child.stdin?.end()
    const result = finished(child)
    await printed(child, / status .*5 of 5 nodes up/)
    child.kill(signal)
    const { code, stdout, stderr } = await result
    t.equal(code, 0, signal)
    t.equal(stderr, '')
    for (const line of stdout.trimEnd().split('\n')) t.match(line, /^\d{4}-\d\d-\d\dT[\d:.]+Z [\w:]+ /)
    t.match(stdout, new RegExp(`stop ${signal}: closing`))
    t.match(stdout, /stop closed after/)
  }
})

test('load, get, put, del, scan, locate, status on one folder', async (t) => {
  const folder = t.testdir()
  writeFileSync(join(folder, 'in.csv'), 'id,name\n1,"One, and ""only"""\n2,Two\n3,Three\n')
  const load = await run(folder, ['load', 'in.csv', '--value', 'name'])
  t.match(load, { code: 0, stdout: /^3 records/ })
  t.match(await run(folder, ['get', '1']), { code: 0, stdout: 'One, and "only"' })
  t.match(await run(folder, ['put', '4', '-'], 'from a pipe'), { code: 0 })
  t.match(await run(folder, ['del', '2']), { code: 0 })
  t.match(await run(folder, ['get', '2']), { code: 3, stdout: '', stderr: /not found/ })
  t.equal((await run(folder, ['scan'])).stdout, '1\tOne, and "only"\n3\tThree\n4\tfrom a pipe\n')
  t.equal((await run(folder, ['scan', '3', '--json'])).stdout, '{"key":"3","value":"Three"}\n')
  t.match(await run(folder, ['locate', '1']), { stdout: /^slot \d+, partition \d+, owners node\d, node\d, node\d\n$/ })
  t.match(JSON.parse((await run(folder, ['status', '--json'])).stdout), { nodes: { length: 5 }, partitions: 128 })
})

test('load: a bad line stops it with its number; --max-errors skips it', async (t) => {
  const folder = t.testdir()
  const input = 'id\tname\n1\tOne\n2\n3\tThree\n'
  const stopped = await run(folder, ['load', '-', '--format', 'tsv'], input)
  t.match(stopped, {
    code: 1,
    stderr: /-:3 has 1 field, not 2/,
    stdout: /^1 record .*\n.*\nstopped at the first bad line/,
  })
  const skipped = await run(folder, ['load', '-', '--format', 'tsv', '--max-errors', '1'], input)
  t.match(skipped, { code: 0, stdout: /^2 records .*\n1 bad line skipped/ })
})

test('load: a missing file leaves no cluster behind', async (t) => {
  const folder = t.testdir()
  t.match(await run(folder, ['load', 'none.csv']), { code: 1, stderr: /ENOENT/ })
  t.notOk(existsSync(join(folder, 'data')))
})

test('--json: lines of JSON from start, errors as JSON from every command', async (t) => {
  const folder = t.testdir()
  const child = start(folder, ['start', '--json', '--nodes', '3'])
  child.stdin?.end()
  const result = finished(child)
  await printed(child, /"event":"open".*"msg":"ready/)
  t.equal((await run(folder, ['put', 'k', 'v', '--json'])).stdout, '{"key":"k","put":true}\n')
  t.equal((await run(folder, ['del', 'k', '--json'])).stdout, '{"key":"k","deleted":true}\n')
  t.match(await run(folder, ['get', 'k', '--json']), { code: 3, stdout: '{"key":"k","found":false}\n', stderr: '' })
  child.kill('SIGTERM')
  const { code, stdout } = await result
  t.equal(code, 0)
  for (const line of stdout.trimEnd().split('\n'))
    t.match(JSON.parse(line), { level: /^(info|warn|debug)$/, time: /^20/, event: String, msg: String })
  const wrong = await run(folder, ['get', '--json'])
  t.match({ ...wrong, stderr: JSON.parse(wrong.stderr) }, { code: 2, stderr: { error: { message: 'KEY is missing' } } })
})
