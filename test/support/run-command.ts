/** The command `coterie` in a process of its own, as a user runs it. Called by tests. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

const BIN = fileURLToPath(new URL('../../src/cli/coterie.cjs', import.meta.url))

export interface Result {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export function start(folder: string, args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [BIN, ...args], { cwd: folder, stdio: ['pipe', 'pipe', 'pipe'] })
}

export async function finished(child: ChildProcess): Promise<Result> {
  const { stdout, stderr } = child
  if (stdout === null || stderr === null) throw new Error('the child has no pipes')
  const [out, err, [code]] = await Promise.all([text(stdout), text(stderr), once(child, 'close')])
  return { code: code as number | null, stdout: out, stderr: err }
}

export async function run(folder: string, args: readonly string[], input = ''): Promise<Result> {
  const child = start(folder, args)
  child.stdin?.end(input)
  return finished(child)
}
