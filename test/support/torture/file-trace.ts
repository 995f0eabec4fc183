/**
 * Reads what `file-trace.c` wrote down, and builds that library. Decides nothing.
 *
 * Called by the power part of the torture and by the test of the model.
 */

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** One change, or one end of an fsync, in the order in which they took effect. Paths are absolute. */
export type TraceEvent =
  | { readonly type: 'create' | 'mkdir'; readonly inode: bigint; readonly path: string }
  | { readonly type: 'write'; readonly inode: bigint; readonly at: number; readonly data: Buffer }
  | { readonly type: 'truncate'; readonly inode: bigint; readonly size: number }
  | { readonly type: 'rename' | 'link'; readonly path: string; readonly to: string }
  | { readonly type: 'unlink' | 'rmdir'; readonly path: string }
  | { readonly type: 'sync-begin' | 'sync-end'; readonly inode: bigint; readonly token: number }

const TYPES = [
  undefined,
  'create',
  'write',
  'truncate',
  'rename',
  'link',
  'unlink',
  'mkdir',
  'rmdir',
  'sync-begin',
  'sync-end',
] as const
const HEAD_BYTES = 32

/** Errors: throws on a type that nobody knows. A last record that was cut short is left out: its change was told to nobody. */
export function readTrace(file: string): TraceEvent[] {
  const bytes = readFileSync(file)
  const events: TraceEvent[] = []
  for (let from = 0; from + HEAD_BYTES <= bytes.length; ) {
    const inode = bytes.readBigUInt64LE(from + 8)
    const number = Number(bytes.readBigUInt64LE(from + 16))
    const end = from + HEAD_BYTES + Number(bytes.readBigUInt64LE(from + 24))
    if (end > bytes.length) break
    events.push(eventOf({ type: bytes[from] as number, inode, number, data: bytes.subarray(from + HEAD_BYTES, end) }))
    from = end
  }
  return events
}

function eventOf(record: { type: number; inode: bigint; number: number; data: Buffer }): TraceEvent {
  const { inode, number, data } = record
  const type = TYPES[record.type]
  const [path = '', to = ''] = type === 'write' ? [] : data.toString('utf8').split('\0')
  switch (type) {
    case 'create':
    case 'mkdir':
      return { type, inode, path }
    case 'write':
      return { type, inode, at: number, data }
    case 'truncate':
      return { type, inode, size: number }
    case 'rename':
    case 'link':
      return { type, path, to }
    case 'unlink':
    case 'rmdir':
      return { type, path }
    case 'sync-begin':
    case 'sync-end':
      return { type, inode, token: number }
    case undefined:
      throw new Error(`the trace has a record of type ${record.type}`)
    default:
      return type satisfies never
  }
}

/** Builds the library below `folder`. Shape: its path, or why it cannot be had on this machine. */
export function buildTracer(folder: string): { readonly library: string } | { readonly missing: string } {
  if (process.platform !== 'linux') return { missing: `LD_PRELOAD is Linux's; this is ${process.platform}` }
  const library = join(folder, 'file-trace.so')
  // The sources lie beside this file, four folders above where it is compiled to.
  const source = fileURLToPath(new URL('../../../../test/support/torture/file-trace.c', import.meta.url))
  for (const compiler of ['cc', 'gcc', 'clang']) {
    const arguments_ = ['-Wall', '-O2', '-shared', '-fPIC', '-o', library, source, '-ldl', '-lpthread']
    const built = spawnSync(compiler, arguments_, { encoding: 'utf8' })
    if (built.error !== undefined) continue
    if (built.status !== 0) throw new Error(`${compiler} did not build ${source}:\n${built.stderr}`)
    return { library }
  }
  return { missing: 'there is no C compiler (cc, gcc or clang)' }
}

/** The environment of a process that is traced. */
export function tracedEnvironment(options: {
  readonly library: string
  readonly root: string
  readonly trace: string
  readonly bootIdFile: string
}): NodeJS.ProcessEnv {
  return {
    ...process.env,
    LD_PRELOAD: options.library,
    COTERIE_TRACE_ROOT: options.root,
    COTERIE_TRACE_FILE: options.trace,
    COTERIE_TRACE_BOOT_ID: options.bootIdFile,
    // What goes through a ring passes no function that can be traced.
    UV_USE_IO_URING: '0',
  }
}
