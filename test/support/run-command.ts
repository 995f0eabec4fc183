/** The command `coterie` in a process of its own, as a user runs it. Called by tests. */

import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { TestContext } from './cluster.js'

export const BIN = fileURLToPath(new URL('../../src/cli/coterie.cjs', import.meta.url))

export interface Result {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

type Variables = Readonly<Record<string, string>>

export function start(folder: string, args: readonly string[], env: Variables = {}): ChildProcess {
  const stdio: StdioOptions = ['pipe', 'pipe', 'pipe']
  return spawn(process.execPath, [BIN, ...args], { cwd: folder, env: { ...process.env, ...env }, stdio })
}

export async function finished(child: ChildProcess): Promise<Result> {
  const { stdout, stderr } = child
  if (stdout === null || stderr === null) throw new Error('the child has no pipes')
  const [out, err, [code]] = await Promise.all([text(stdout), text(stderr), once(child, 'close')])
  return { code: code as number | null, stdout: out, stderr: err }
}

export async function run(folder: string, args: readonly string[], input = '', env: Variables = {}): Promise<Result> {
  const child = start(folder, args, env)
  child.stdin?.end(input)
  return finished(child)
}

/** Of a new cluster that is soon open; nothing in it is about slowness. */
export const SMALL = ['--nodes', '3', '--partitions', '16', '--set', 'hungAfterMs=10000']

export interface Running {
  readonly child: ChildProcess
  readonly stopped: Promise<Result>
  stop(): Promise<Result>
}

/** `coterie start`, once it listens. */
export async function running(t: TestContext, folder: string, args: readonly string[] = []): Promise<Running> {
  const child = start(folder, ['start', '--no-parent', ...SMALL, ...args])
  const stopped = finished(child)
  t.teardown(async () => {
    child.kill('SIGKILL')
    await stopped
  })
  let output = ''
  while (!/ open ready/.test(output)) {
    if (child.exitCode !== null || child.stdout === null) throw new Error(`it has ended: ${output}`)
    output += String((await once(child.stdout, 'data'))[0])
  }
  const stop = (): Promise<Result> => {
    child.kill('SIGTERM')
    return stopped
  }
  return { child, stopped, stop }
}
