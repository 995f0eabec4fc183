/**
 * The cluster's events as lines of text. Events that can come by the thousand (read repairs, hints handed back, records
 * moved) are gathered for a second and told as one line. It only listens.
 */

import type { Cluster } from '../../shared/api.js'
import type { ClusterEvents } from '../../shared/cluster-events.js'
import { bytesText, count, duration, plural, truncate } from './format.js'
import type { Style } from './style.js'

export interface LogLine {
  readonly at: Date
  readonly style: Style
  /** The event's name. */
  readonly event: EventName
  readonly text: string
  /** What the text tells, for programs; of gathered events their figures. */
  readonly facts: object
}

type EventName = keyof ClusterEvents
type Told = { readonly style: Style; readonly text: string }

const GATHER_MS = 1_000
const RECENT_MAX = 200
/** Of one node in a second that are told one by one: where there are many nodes, all of them come to suspect one that dies. */
const SUSPICIONS_MAX = 4
/** Distinct gathered lines a second; what is past it is counted in the last one. */
const GATHERED_MAX = 64

/** Events that are told one by one. */
const TELL: { readonly [Name in Exclude<EventName, keyof typeof GATHER>]: (...args: ClusterEvents[Name]) => Told } = {
  'node:exit': ({ node, incarnation, code, reason }) => ({
    style: 'red',
    text: `${node} (life ${incarnation}) ended${code === null ? '' : ` with code ${code}`}: ${reason}`,
  }),
  failpoint: ({ node, incarnation, point }) => ({
    style: 'yellow',
    text: `${node} (life ${incarnation}) came by the failpoint ${point}`,
  }),
  'node:up': ({ node, incarnation, readyMs }) => ({
    style: 'green',
    text: `${node} (life ${incarnation}) is up, ready after ${duration(readyMs)}`,
  }),
  'node:suspect': ({ node, by, reason }) => ({ style: 'yellow', text: `${node} is suspected by ${by}: ${reason}` }),
  'node:down': ({ node, reason }) => ({ style: 'red', text: `${node} is down for good: ${reason}` }),
  'node:hung': ({ node, silentMs }) => ({
    style: 'red',
    text: `${node} has not answered for ${duration(silentMs)} and is terminated`,
  }),
  'node:joined': ({ node }) => ({ style: 'green', text: `${node} has joined and owns its share` }),
  'node:promoted': ({ node }) => ({ style: 'green', text: `${node} was a standby and is a member now` }),
  'node:removed': ({ node }) => ({ style: 'cyan', text: `${node} has left; its store is deleted` }),
  'node:full': ({ node, reason }) => ({ style: 'red', text: `${node} takes no writes, its disk is full: ${reason}` }),
  'node:room': ({ node }) => ({ style: 'green', text: `${node} has room again and opens its store anew` }),
  scrub: ({ node, tables, bytes, problems, error }) => ({
    style: problems.length > 0 ? 'red' : 'dim',
    text:
      `${node}: ${plural(tables, 'table')} verified (${count(bytes)} bytes)` +
      `${problems.length === 0 ? '' : `, damaged: ${problems.map(({ file, detail }) => `${file} (${detail})`).join(', ')}`}` +
      `${error === undefined ? '' : `, not to the end: ${error.message}`}`,
  }),
  'node:quarantine': ({ node, folder, reason }) => ({
    style: 'yellow',
    text: `${node}'s store was set aside in ${folder}: ${reason}`,
  }),
  'node:amnesia': ({ node, reason }) => ({
    style: 'yellow',
    text: `${node} may have forgotten writes and is filled again before it counts: ${reason}`,
  }),
  'node:lost-tail': ({ node, reason }) => ({
    style: 'yellow',
    text: `${node} may have lost its last writes and compares with the other owners: ${reason}`,
  }),
  epoch: ({ epoch, reason, partitionsChanged }) => ({
    style: 'cyan',
    text: `table ${epoch}: ${reason} (${plural(partitionsChanged, 'partition')} changed)`,
  }),
  'partition:lost': ({ partitions }) => ({
    style: 'red',
    text: `${plural(partitions.length, 'partition')} lost too many stores: ${truncate(partitions.join(', '), 60)}`,
  }),
  'supervisor:restart': ({ error }) => ({ style: 'red', text: `the supervisor was rebuilt after: ${error.message}` }),
  'folder:full': ({ error }) => ({
    style: 'red',
    text: `the cluster folder waits for room on a full disk: ${error.message}`,
  }),
  migration: ({ stage, to, paused }) => ({
    style: paused ? 'yellow' : stage === 'done' ? 'green' : 'cyan',
    text: paused ? `the migration to ${to} is paused: it is away` : `migration to ${to}: ${stage}`,
  }),
  fatal: ({ error }) => ({ style: 'red', text: `the cluster folder cannot be written: ${error.message}` }),
  converged: ({ epoch }) => ({ style: 'green', text: `every node knows table ${epoch} and the same members` }),
  close: () => ({ style: 'dim', text: 'the cluster is closed' }),
}

/** What is gathered: `group` says which events make one line together, `sums` is added up, `last` is kept. */
interface Gathered {
  readonly group: string
  /** Whom the group is about, for programs. */
  readonly about?: Readonly<Record<string, string>>
  readonly sums: Readonly<Record<string, number>>
  readonly last: Readonly<Record<string, number>>
  readonly quiet?: boolean
  readonly tell: (figures: Readonly<Record<string, number>>) => Told
}

const GATHER = {
  repair: ({ blocking }) => ({
    group: '',
    sums: { keys: 1, blocking: blocking ? 1 : 0 },
    last: {},
    tell: ({ keys = 0, blocking: before = 0 }) => ({
      style: 'dim',
      text: `${plural(keys, 'key')} brought up to date${before === 0 ? '' : `, ${count(before)} before the read was answered`}`,
    }),
  }),
  handoff: ({ node, target, hints, remaining }) => ({
    group: `${node} → ${target}`,
    about: { node, target },
    sums: { hints },
    last: { remaining },
    tell: (figures) => ({
      style: 'dim',
      text: `${node} → ${target}: ${plural(figures['hints'] ?? 0, 'hint')} handed back, ${count(figures['remaining'] ?? 0)} left`,
    }),
  }),
  transfer: ({ node, source, partitions, records, done }) => ({
    group: `${node} ← ${source}`,
    about: { node, source },
    sums: {},
    last: { partitions, records, done: done ? 1 : 0 },
    // The table's own event tells that partitions changed; a transfer that found nothing adds nothing.
    quiet: records === 0,
    tell: (figures) => ({
      style: 'dim',
      text:
        `${node} ← ${source}: ${plural(figures['records'] ?? 0, 'record')} of ` +
        `${plural(figures['partitions'] ?? 0, 'partition')}${figures['done'] === 1 ? ', done' : ''}`,
    }),
  }),
  'tombstones:dropped': ({ node, keys }) => ({
    group: node,
    about: { node },
    sums: { keys },
    last: {},
    tell: ({ keys: forgotten = 0 }) => ({
      style: 'dim',
      text: `${node}: ${plural(forgotten, 'delete')} forgotten that every copy held`,
    }),
  }),
  'transfer:progress': ({ node, partitions, partitionsDone, records, bytes }) => ({
    group: node,
    about: { node },
    sums: {},
    last: { partitions, partitionsDone, records, bytes },
    // What is compared and found to be the same adds nothing.
    quiet: records === 0,
    tell: (figures) => ({ style: 'dim', text: `${node}: ${fillText(figures)}` }),
  }),
  exchange: ({ node, peer, keysDiffering }) => ({
    group: `${node} ↔ ${peer}`,
    about: { node, peer },
    sums: { keysDiffering },
    last: {},
    // Exchanges never end; those that find nothing are the normal state.
    quiet: keysDiffering === 0,
    tell: (figures) => ({
      style: 'dim',
      text: `${node} ↔ ${peer}: ${plural(figures['keysDiffering'] ?? 0, 'key')} differed`,
    }),
  }),
  'record:damaged': ({ node, key }) => ({
    group: node,
    about: { node },
    sums: { records: 1 },
    last: {},
    tell: ({ records = 0 }) => ({
      style: 'yellow',
      text: `${node}: ${plural(records, 'record')} with a wrong checksum, not served; the last: ${truncate(bytesText(key), 40)}`,
    }),
  }),
  'record:stuck': ({ node, key }) => ({
    group: node,
    about: { node },
    sums: { records: 1 },
    last: {},
    tell: ({ records = 0 }) => ({
      style: 'red',
      text: `${node}: ${plural(records, 'damaged record')} that too few others can replace; the last: ${truncate(bytesText(key), 40)}`,
    }),
  }),
} as const satisfies { readonly [Name in EventName]?: (...args: ClusterEvents[Name]) => Gathered }

interface Pending {
  readonly event: EventName
  readonly about: Readonly<Record<string, string>>
  figures: Record<string, number>
  tell: Gathered['tell']
}

/** Hands each line to `sink` and keeps the last 200. */
export class EventLog {
  readonly recent: LogLine[] = []
  readonly #sink: (line: LogLine) => void
  readonly #pending = new Map<string, Pending>()
  /** In this second, by the node that they are of. */
  readonly #suspicions = new Map<string, number>()
  readonly #stopListening: (() => void)[] = []
  #timer: NodeJS.Timeout | undefined

  constructor(cluster: Cluster, sink: (line: LogLine) => void) {
    this.#sink = sink
    for (const name of Object.keys(TELL) as (keyof typeof TELL)[]) this.#tellOneByOne(cluster, name)
    for (const name of Object.keys(GATHER) as (keyof typeof GATHER)[]) this.#gather(cluster, name)
    // While it opened nobody could listen yet.
    for (const { id: node, quarantined } of cluster.status().nodes)
      for (const { folder, reason } of quarantined)
        this.#add('node:quarantine', TELL['node:quarantine']({ node, folder, reason }), { node, folder, reason })
  }

  /** Tells what is still gathered and stops listening. */
  close(): void {
    for (const stop of this.#stopListening) stop()
    clearTimeout(this.#timer)
    this.#flush()
  }

  #tellOneByOne<Name extends keyof typeof TELL>(cluster: Cluster, name: Name): void {
    const tell: (...args: ClusterEvents[Name]) => Told = TELL[name]
    this.#listen(cluster, name, (...args) => {
      if (name === 'node:suspect' && this.#isEcho(...(args as unknown as ClusterEvents['node:suspect']))) return
      this.#add(name, tell(...args), args[0] ?? {})
    })
  }

  #isEcho({ node }: ClusterEvents['node:suspect'][0]): boolean {
    const told = (this.#suspicions.get(node) ?? 0) + 1
    this.#suspicions.set(node, told)
    this.#flushLater()
    if (told <= SUSPICIONS_MAX) return false
    this.#merge('node:suspect', {
      group: node,
      about: { node },
      sums: { others: 1 },
      last: {},
      tell: ({ others = 0 }) => ({ style: 'yellow', text: `${node} is suspected by ${count(others)} more` }),
    })
    return true
  }

  #gather<Name extends keyof typeof GATHER>(cluster: Cluster, name: Name): void {
    const gather = GATHER[name] as unknown as (...args: ClusterEvents[Name]) => Gathered
    this.#listen(cluster, name, (...args) => {
      const gathered = gather(...args)
      if (gathered.quiet !== true) this.#merge(name, gathered)
    })
  }

  #listen<Name extends EventName>(
    cluster: Cluster,
    name: Name,
    listener: (...args: ClusterEvents[Name]) => void,
  ): void {
    cluster.on(name, listener)
    this.#stopListening.push(() => cluster.off(name, listener))
  }

  #merge(event: EventName, { group, about = {}, sums, last, tell }: Gathered): void {
    const overflows = this.#pending.size >= GATHERED_MAX && !this.#pending.has(`${event} ${group}`)
    const id = overflows ? event : `${event} ${group}`
    const pending = this.#pending.get(id) ?? { event, about: overflows ? {} : about, figures: {}, tell }
    for (const [name, value] of Object.entries(sums)) pending.figures[name] = (pending.figures[name] ?? 0) + value
    pending.figures = { ...pending.figures, ...last }
    pending.tell = tell
    this.#pending.set(id, pending)
    this.#flushLater()
  }

  #flushLater(): void {
    this.#timer ??= setTimeout(() => this.#flush(), GATHER_MS).unref()
  }

  #flush(): void {
    this.#timer = undefined
    const gathered = [...this.#pending.values()]
    this.#pending.clear()
    this.#suspicions.clear()
    for (const { event, about, figures, tell } of gathered) this.#add(event, tell(figures), { ...about, ...figures })
  }

  #add(event: EventName, { style, text }: Told, facts: object): void {
    const line = { at: new Date(), style, event, text, facts }
    this.recent.push(line)
    if (this.recent.length > RECENT_MAX) this.recent.shift()
    this.#sink(line)
  }
}

/** How far a fill is. */
function fillText(figures: Readonly<Record<string, number>>): string {
  const { partitions = 0, partitionsDone = 0, records = 0, bytes = 0 } = figures
  return `${count(partitionsDone)} of ${plural(partitions, 'partition')} filled, ${plural(records, 'record')}, ${count(bytes)} bytes`
}

/** `12:04:05.123`, local time: for eyes. */
export function clockTime(at: Date): string {
  const two = (value: number) => String(value).padStart(2, '0')
  const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(':')
  return `${time}.${String(at.getMilliseconds()).padStart(3, '0')}`
}
