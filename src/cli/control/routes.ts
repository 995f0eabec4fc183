/**
 * What can be asked over the control socket, as a table: `GET /v1/status`, `POST /v1/get`, … Each takes the members of a JSON
 * object and gives back a JSON value; those that stream write lines first.
 *
 * It is no second door: what a call takes and refuses is the cluster's own to say. Called by `control-server.ts`.
 */

import { isAbsolute } from 'node:path'
import type { BatchOperation, Cluster } from '../../shared/api.js'
import type { BulkProgress } from '../../shared/backup-shapes.js'
import { CoterieError } from '../../shared/errors.js'
import type { Ids } from '../../shared/fault-calls.js'
import { checkNames, invalid } from '../../shared/options.js'
import { prefixRange } from '../terminal/prefix-range.js'
import type { EventFeed } from './event-json.js'
import { joinReplicas, withFillProgress } from './fill-progress.js'
import { boundOfJson, bytesOfJson, jsonOfBytes } from './json-bytes.js'

export type Members = Readonly<Record<string, unknown>>

/** What a stream is written with. */
export interface LineWriter {
  /** Lets the reader know that lines will come. */
  begin(): void
  /** Resolves once there is room for more; false: nobody reads any more. */
  write(value: unknown): Promise<boolean>
  /** False: the reader is too slow, the line is left out. */
  writeIfRoom(value: unknown): boolean
  /** The reader has gone, or the cluster closes. */
  readonly signal: AbortSignal
}

export interface RouteContext {
  readonly cluster: Cluster
  readonly events: EventFeed
  /** The process, for `GET /v1`. */
  readonly about: Readonly<Record<string, unknown>>
  /** `--faults` was said: also what deletes data is allowed. */
  readonly mayDestroy: boolean
}

export interface Route {
  /** Members of the body. */
  readonly members: readonly string[]
  /** A stream's result is its last line, `{ "result": … }`, if it has one. */
  readonly streams?: boolean
  readonly answer: (context: RouteContext, members: Members, lines: LineWriter) => unknown
}

const GET_MEMBERS = ['key', 'r', 'sloppy', 'timeoutMs'] as const
const PUT_MEMBERS = ['key', 'value', 'w', 'sloppy', 'context', 'timeoutMs'] as const

export const ROUTES: Readonly<Record<string, Route>> = {
  'GET /v1': { members: [], answer: ({ about }) => about },
  'GET /v1/status': { members: [], answer: ({ cluster }) => cluster.status() },
  'GET /v1/ring': { members: [], answer: ({ cluster }) => cluster.ring() },
  'GET /v1/metrics': { members: [], answer: ({ cluster }) => cluster.metrics() },
  'GET /v1/watch': {
    members: [],
    streams: true,
    answer: async ({ events }, _members, lines) => {
      let missed = 0
      lines.begin()
      const end = events.watch((event) => {
        const line = missed === 0 ? event : { ...event, missedBefore: missed }
        missed = lines.writeIfRoom(line) ? 0 : missed + 1
      })
      await aborted(lines.signal)
      end()
    },
  },
  'GET /v1/views': { members: [], answer: ({ cluster }) => cluster.views() },
  'POST /v1/versions': {
    members: ['key', 'timeoutMs'],
    answer: ({ cluster }, { key, ...options }) => cluster.versions(bytesOfJson('key', key), options),
  },
  'POST /v1/get': {
    members: GET_MEMBERS,
    answer: async ({ cluster }, { key, ...options }) => {
      const value = await cluster.get(bytesOfJson('key', key), options)
      return value === undefined ? { found: false } : { found: true, value: jsonOfBytes(value) }
    },
  },
  'POST /v1/read': {
    members: GET_MEMBERS,
    answer: async ({ cluster }, { key, ...options }) => {
      const { values, context } = await cluster.read(bytesOfJson('key', key), options)
      return { values: values.map(jsonOfBytes), context }
    },
  },
  'POST /v1/put': {
    members: PUT_MEMBERS,
    answer: async ({ cluster }, { key, value, ...options }) => {
      await cluster.put(bytesOfJson('key', key), bytesOfJson('value', value), options)
      return {}
    },
  },
  'POST /v1/delete': {
    members: PUT_MEMBERS.filter((name) => name !== 'value'),
    answer: async ({ cluster }, { key, ...options }) => {
      await cluster.delete(bytesOfJson('key', key), options)
      return {}
    },
  },
  'POST /v1/batch': {
    members: ['operations', 'w', 'sloppy', 'timeoutMs', 'logged'],
    answer: async ({ cluster }, { operations, ...options }) => {
      if (!Array.isArray(operations)) throw invalid('operations', operations, 'an array of { type, key, value? }')
      await cluster.batch(operations.map(operationOf), options)
      return {}
    },
  },
  'POST /v1/locate': { members: ['key'], answer: ({ cluster }, { key }) => cluster.locate(bytesOfJson('key', key)) },
  'POST /v1/scan': {
    members: ['prefix', 'gt', 'gte', 'lt', 'lte', 'limit', 'reverse', 'r', 'timeoutMs'],
    streams: true,
    answer: async ({ cluster }, members, lines) => {
      for await (const [key, value] of cluster.scan(rangeOf(members)))
        if (!(await lines.write({ key: jsonOfBytes(key), value: jsonOfBytes(value) }))) return
    },
  },
  'POST /v1/plan': { members: ['join', 'leave'], answer: ({ cluster }, change) => cluster.plan(change) },
  'POST /v1/join': {
    members: ['count', 'role', 'from'],
    streams: true,
    answer: async ({ cluster }, options, lines) => {
      if (options['from'] !== undefined) checkAbsolute('from', options['from'])
      const replicas = await joinReplicas(cluster, options)
      return withFillProgress(cluster, { replicas, onProgress: progressOf(lines) }, () => cluster.join(options))
    },
  },
  'POST /v1/leave': {
    members: ['node'],
    streams: true,
    answer: async ({ cluster }, { node }, lines) => {
      const { moves } = await cluster.plan({ leave: textOf('node', node) })
      const replicas = moves.length
      await withFillProgress(cluster, { replicas, onProgress: progressOf(lines) }, () =>
        cluster.leave(textOf('node', node)),
      )
    },
  },
  'POST /v1/promote': {
    members: ['node'],
    answer: async ({ cluster }, { node }) => {
      await cluster.promote(textOf('node', node))
      return {}
    },
  },
  'POST /v1/settled': {
    members: ['timeoutMs'],
    answer: async ({ cluster }, options) => {
      await cluster.settled(options)
      return {}
    },
  },
  'POST /v1/backup': {
    members: ['dir', 'freezeTimeoutMs'],
    streams: true,
    answer: ({ cluster }, { dir, ...options }, lines) => {
      checkAbsolute('dir', dir)
      return cluster.backup(textOf('dir', dir), { ...options, onProgress: progressOf(lines) })
    },
  },
  'POST /v1/crash': {
    members: ['node', 'permanent'],
    answer: async ({ cluster, mayDestroy }, { node, permanent = false }) => {
      if (permanent && !mayDestroy)
        throw new CoterieError(
          'FAULTS_DISABLED',
          'this destroys a copy of the data; `coterie start --faults` allows it',
        )
      await cluster.faults.crash(textOf('node', node), { permanent: permanent === true })
      return {}
    },
  },
  'POST /v1/hang': {
    members: ['node', 'ms'],
    answer: async ({ cluster }, { node, ms }) => {
      await cluster.faults.hang(textOf('node', node), ms as number)
      return {}
    },
  },
  'POST /v1/cut': {
    members: ['idsA', 'idsB'],
    answer: async ({ cluster }, { idsA, idsB }) => {
      await cluster.faults.cut(idsA as Ids, idsB as Ids)
      return {}
    },
  },
  'POST /v1/heal': {
    members: [],
    answer: async ({ cluster }) => {
      await cluster.faults.heal()
      return {}
    },
  },
}

/** Errors: INVALID_OPTION for what is no object, or has members that the route does not know. */
export function membersFor(route: Route, body: unknown): Members {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw invalid('body', body, 'a JSON object')
  checkNames(body, route.members)
  return body as Members
}

function operationOf(operation: unknown): BatchOperation {
  const { type, key, value } = (operation ?? {}) as Members
  // Another type is the cluster's to refuse.
  if (type !== 'put') return { type: type as 'del', key: bytesOfJson('key', key) }
  return { type, key: bytesOfJson('key', key), value: bytesOfJson('value', value) }
}

function rangeOf({ prefix, gt, gte, lt, lte, ...options }: Members) {
  const bounds = {
    gt: boundOfJson('gt', gt),
    gte: boundOfJson('gte', gte),
    lt: boundOfJson('lt', lt),
    lte: boundOfJson('lte', lte),
  }
  const said = Object.fromEntries(Object.entries(bounds).filter(([, bound]) => bound !== undefined))
  if (prefix === undefined) return { ...options, ...said }
  if (Object.keys(said).length > 0) throw invalid('prefix', prefix, 'nothing beside gt, gte, lt or lte')
  return { ...options, ...prefixRange(textOf('prefix', prefix)) }
}

/** A reader who is slow misses some of it. */
function progressOf(lines: LineWriter): (progress: BulkProgress) => void {
  return (progress) => void lines.writeIfRoom({ progress })
}

function textOf(name: string, value: unknown): string {
  if (typeof value !== 'string' || value === '') throw invalid(name, value, 'text')
  return value
}

/** Whoever asks may be in another folder than the cluster's process. */
function checkAbsolute(name: string, value: unknown): void {
  if (!isAbsolute(textOf(name, value))) throw invalid(name, value, 'an absolute path')
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
