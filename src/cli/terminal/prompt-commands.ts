/** What can be typed at the prompt, as a table: usage, help, what it does, what TAB offers for its words. */

import type { Cluster } from '../../shared/api.js'
import { backupLines } from '../bulk/backup-lines.js'
import { planLines } from '../shape/plan-lines.js'
import { bytesText, count, duration, plural, truncate } from './format.js'
import { longStatus } from './live-status.js'
import { clockTime, type LogLine } from './log-lines.js'
import { prefixRange } from './prefix-range.js'
import type { Styler } from './style.js'

/** What a command works with. */
export interface PromptContext {
  readonly cluster: Cluster
  readonly style: Styler
  readonly columns: () => number
  /** `--faults` was said: also what deletes data is allowed. */
  readonly mayDestroy: boolean
  readonly recentEvents: () => readonly LogLine[]
  readonly setWatch: (on: boolean) => void
  readonly exit: () => void
}

/** The words cannot be understood; the prompt shows the command's usage. */
export class PromptUsageError extends Error {}

export interface PromptCommand {
  readonly usage: string
  readonly about: string
  /** What TAB offers for the second word. */
  readonly completes?: 'keys' | 'nodes' | 'commands' | readonly string[]
  /** Gives what is printed; an empty list prints nothing. */
  readonly run: (words: readonly string[], context: PromptContext) => Promise<readonly string[]> | readonly string[]
}

const SCAN_LIMIT = 20
const EVENTS_LIMIT = 20
const HANG_MS = 3_000
const HANG_MS_MAX = 600_000
const SLOW_MS = 100
const DROP_PERCENT = 20
const SETTLED_TIMEOUT_MS = 60_000

export const PROMPT_COMMANDS: Readonly<Record<string, PromptCommand>> = {
  get: {
    usage: 'get KEY',
    about: 'the value of a key',
    completes: 'keys',
    run: async ([key = missing('KEY')], { cluster, style }) => {
      const started = performance.now()
      const value = await cluster.get(key)
      const took = style('dim', `(${duration(performance.now() - started)})`)
      return [value === undefined ? `${style('yellow', 'not found')} ${took}` : `${bytesText(value)} ${took}`]
    },
  },
  put: {
    usage: 'put KEY VALUE',
    about: 'set a value; words after KEY are joined by spaces',
    completes: 'keys',
    run: async ([key = missing('KEY'), ...value], { cluster, style }) => {
      if (value.length === 0) missing('VALUE')
      const started = performance.now()
      await cluster.put(key, value.join(' '))
      return [`${style('green', 'ok')} ${style('dim', `(${duration(performance.now() - started)})`)}`]
    },
  },
  del: {
    usage: 'del KEY',
    about: 'delete a key',
    completes: 'keys',
    run: async ([key = missing('KEY')], { cluster, style }) => {
      const started = performance.now()
      await cluster.delete(key)
      return [`${style('green', 'ok')} ${style('dim', `(${duration(performance.now() - started)})`)}`]
    },
  },
  scan: {
    usage: 'scan [PREFIX] [LIMIT]',
    about: `keys and values in key order (${SCAN_LIMIT} at most, unless you say more)`,
    completes: 'keys',
    run: async ([prefix = '', limitText], { cluster, style, columns }) => {
      const limit = limitText === undefined ? SCAN_LIMIT : whole(limitText, 1, 10_000)
      const lines: string[] = []
      for await (const [key, value] of cluster.scan({ ...prefixRange(prefix), limit: limit + 1 })) {
        if (lines.length === limit) return [...lines, style('dim', `… and more: scan ${prefix || '""'} ${limit * 5}`)]
        const keyText = truncate(bytesText(key), Math.max(20, Math.floor(columns() / 2)))
        lines.push(
          `${style('cyan', keyText)}  ${truncate(bytesText(value), Math.max(20, columns() - keyText.length - 3))}`,
        )
      }
      return lines.length === 0 ? [style('yellow', 'no keys')] : lines
    },
  },
  locate: {
    usage: 'locate KEY',
    about: 'slot, partition and owners of a key',
    completes: 'keys',
    run: ([key = missing('KEY')], { cluster }) => {
      const { slot, partition, owners } = cluster.locate(key)
      return [`slot ${slot}, partition ${partition}, owners ${owners.join(', ')}`]
    },
  },
  status: {
    usage: 'status',
    about: 'who owns what, the nodes, why they last ended, which stores were set aside',
    run: (_words, { cluster, style, columns }) =>
      longStatus(cluster.status(), cluster.ring(), { columns: columns(), style }),
  },
  events: {
    usage: 'events [COUNT]',
    about: `the last events (${EVENTS_LIMIT})`,
    run: ([countText], { recentEvents, style }) => {
      const wanted = countText === undefined ? EVENTS_LIMIT : whole(countText, 1, 200)
      const lines = recentEvents().slice(-wanted)
      return lines.length === 0 ? ['nothing has happened yet'] : lines.map((line) => eventLine(line, style))
    },
  },
  backup: {
    usage: 'backup DIR',
    about: 'write one consistent cut of the cluster into a new folder',
    run: async ([dir = missing('DIR')], { cluster }) => backupLines(await cluster.backup(dir)),
  },
  crash: {
    usage: 'crash NODE [--permanent]',
    about: 'end the thread of a node; with --permanent it does not come back and others take over',
    completes: 'nodes',
    run: async ([node = missing('NODE'), option], { cluster, mayDestroy }) => {
      if (option !== undefined && option !== '--permanent') throw new PromptUsageError(`unknown option ${option}`)
      const permanent = option === '--permanent'
      if (permanent) checkMayDestroy(mayDestroy)
      await cluster.faults.crash(node, { permanent })
      return [
        permanent ? `${node} is gone for good; watch its partitions move` : `${node} has crashed; watch it come back`,
      ]
    },
  },
  plan: {
    usage: 'plan +COUNT | -NODE …',
    about: 'what joins and leaves would move: plan +2, plan -node3, plan +1 -node3',
    run: async (words, { cluster }) => {
      return planLines(await cluster.plan(changeOf(words)), cluster.status())
    },
  },
  join: {
    usage: 'join [COUNT] [standby] [from DIR]',
    about:
      'start new nodes (1) and give them their share; a standby gets every write and serves nothing, and may be made of a backup',
    completes: ['standby', 'from'],
    run: async (words, { cluster }) => {
      const [dir] = words.at(-2) === 'from' ? words.slice(-1) : []
      const rest = dir === undefined ? words : words.slice(0, -2)
      const role = rest.at(-1) === 'standby' ? 'standby' : 'member'
      const [countText, more] = role === 'standby' ? rest.slice(0, -1) : rest
      if (more !== undefined) throw new PromptUsageError(`unknown word ${more}`)
      const started = performance.now()
      const ids = await cluster.join({
        count: countText === undefined ? 1 : whole(countText, 1, 64),
        role,
        ...(dir === undefined ? {} : { from: dir }),
      })
      return [`${ids.join(', ')} joined after ${duration(performance.now() - started)}`]
    },
  },
  leave: {
    usage: 'leave NODE',
    about: 'give the partitions of a node to the others, end it, delete its store',
    completes: 'nodes',
    run: async ([node = missing('NODE')], { cluster }) => {
      const started = performance.now()
      await cluster.leave(node)
      return [`${node} left after ${duration(performance.now() - started)}`]
    },
  },
  promote: {
    usage: 'promote NODE',
    about: 'make a standby a member with its share of the partitions',
    completes: 'nodes',
    run: async ([node = missing('NODE')], { cluster }) => {
      await cluster.promote(node)
      return [`${node} is a member`]
    },
  },
  hang: {
    usage: 'hang NODE [MS]',
    about: `send a node into an endless loop (${count(HANG_MS)} ms)`,
    completes: 'nodes',
    run: async ([node = missing('NODE'), ms], { cluster }) => {
      const hangMs = ms === undefined ? HANG_MS : whole(ms, 1, HANG_MS_MAX)
      await cluster.faults.hang(node, hangMs)
      return [`${node} hangs for ${duration(hangMs)}; past hungAfterMs it is terminated and restarted`]
    },
  },
  pause: {
    usage: 'pause NODE [MS]',
    about: `let a node stand still without using the CPU (${count(HANG_MS)} ms)`,
    completes: 'nodes',
    run: async ([node = missing('NODE'), ms], { cluster }) => {
      const pauseMs = ms === undefined ? HANG_MS : whole(ms, 1, HANG_MS_MAX)
      await cluster.faults.pause(node, pauseMs)
      return [`${node} stands still for ${duration(pauseMs)}`]
    },
  },
  wipe: {
    usage: 'wipe NODE',
    about: 'delete the store of a node; the others fill it again',
    completes: 'nodes',
    run: async ([node = missing('NODE')], { cluster, mayDestroy }) => {
      checkMayDestroy(mayDestroy)
      await cluster.faults.wipe(node)
      return [`the store of ${node} is deleted; watch it being filled`]
    },
  },
  corrupt: {
    usage: 'corrupt NODE',
    about: 'flip bytes in the files of a node; it finds them, sets the store aside and is filled again',
    completes: 'nodes',
    run: async ([node = missing('NODE')], { cluster, mayDestroy }) => {
      checkMayDestroy(mayDestroy)
      await cluster.faults.corrupt(node)
      return [`bytes in the files of ${node} are flipped`]
    },
  },
  cut: {
    usage: 'cut NODE,… NODE,…',
    about: 'let no message pass between the two sides, until heal; gateway1 is this prompt',
    completes: 'nodes',
    run: async ([idsA = missing('NODE'), idsB = missing('NODE')], { cluster }) => {
      await cluster.faults.cut(idsA.split(','), idsB.split(','))
      return [`${idsA} and ${idsB} do not hear each other; heal ends it`]
    },
  },
  drop: {
    usage: 'drop FROM,… TO,… [PERCENT]',
    about: `lose messages from one side to the other, until heal (${DROP_PERCENT} %)`,
    completes: 'nodes',
    run: async ([from = missing('FROM'), to = missing('TO'), percentText], { cluster }) => {
      const percent = percentText === undefined ? DROP_PERCENT : whole(percentText, 1, 100)
      await cluster.faults.drop(from.split(','), to.split(','), { share: percent / 100 })
      return [`${percent} % of the messages from ${from} to ${to} get lost; heal ends it`]
    },
  },
  slow: {
    usage: 'slow NODE [MS]',
    about: `let the disk of a node take longer, until heal (${SLOW_MS} ms)`,
    completes: 'nodes',
    run: async ([node = missing('NODE'), ms], { cluster }) => {
      const slowMs = ms === undefined ? SLOW_MS : whole(ms, 1, HANG_MS_MAX)
      await cluster.faults.slow(node, { ms: slowMs })
      return [`the disk of ${node} takes ${duration(slowMs)} longer; heal ends it`]
    },
  },
  heal: {
    usage: 'heal',
    about: 'end every fault that is still in effect',
    run: async (_words, { cluster }) => {
      await cluster.faults.heal()
      return ['all faults ended']
    },
  },
  settled: {
    usage: 'settled',
    about: 'wait until nodes are back, hints handed over, copies filled and gossip has converged',
    run: async (_words, { cluster }) => {
      const started = performance.now()
      await cluster.settled({ timeoutMs: SETTLED_TIMEOUT_MS })
      return [`settled after ${duration(performance.now() - started)}`]
    },
  },
  watch: {
    usage: 'watch on|off',
    about: 'show or hide the live status above the prompt',
    completes: ['on', 'off'],
    run: ([mode], { setWatch }) => {
      if (mode !== 'on' && mode !== 'off') throw new PromptUsageError('say on or off')
      setWatch(mode === 'on')
      return []
    },
  },
  help: {
    usage: 'help [COMMAND]',
    about: 'this list',
    completes: 'commands',
    run: ([name], { style }) => {
      const commands = Object.entries(PROMPT_COMMANDS).filter(([known]) => name === undefined || known === name)
      if (commands.length === 0) throw new PromptUsageError(`no command "${name}"`)
      const width = Math.max(...commands.map(([, { usage }]) => usage.length))
      return commands.map(([, { usage, about }]) => `${style('cyan', usage.padEnd(width))}  ${about}`)
    },
  },
  exit: {
    usage: 'exit',
    about: 'close the cluster and leave (also Ctrl-C, Ctrl-D)',
    run: (_words, { exit }) => {
      exit()
      return []
    },
  },
}

/** An event with its time, for eyes. */
export function eventLine({ at, style: colour, event, text }: LogLine, style: Styler): string {
  return `${style('dim', clockTime(at))} ${style(colour, event)}  ${text}`
}

/** What a finished command of many lines says about its size is in `plural`; this is for the prompt's own messages. */
export function unknownCommand(name: string): string {
  const close = Object.keys(PROMPT_COMMANDS).filter((known) => known.startsWith(name.slice(0, 2)))
  const hint = close.length === 0 ? '' : ` Did you mean ${close.join(' or ')}?`
  return `no command "${name}".${hint} help lists ${plural(Object.keys(PROMPT_COMMANDS).length, 'command')}.`
}

/** `+2` joins, `-node3` leaves. */
function changeOf(words: readonly string[]): { join: number; leave: string[] } {
  if (words.length === 0) missing('+COUNT or -NODE')
  const change = { join: 0, leave: [] as string[] }
  for (const word of words) {
    if (word.startsWith('+')) change.join += whole(word.slice(1), 1, 64)
    else if (word.startsWith('-')) change.leave.push(word.slice(1))
    else throw new PromptUsageError(`"${word}" is neither +COUNT nor -NODE`)
  }
  return change
}

function missing(name: string): never {
  throw new PromptUsageError(`${name} is missing`)
}

function whole(text: string, min: number, max: number): number {
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (!(number >= min && number <= max))
    throw new PromptUsageError(`"${text}" is not a whole number from ${min} to ${max}`)
  return number
}

function checkMayDestroy(may: boolean): void {
  if (!may) throw new PromptUsageError('this destroys a copy of the data; `coterie start --faults` allows it')
}
