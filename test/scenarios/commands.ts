/**
 * The commands of the scenarios' language: what each does to the simulated cluster, and for how long it lets time pass.
 *
 * Faults take no time: what they cause is seen in the commands after them. Called by `language.ts`, one for each file.
 */

import type { OperationOutcome } from '../../src/protocol/coordinator/request.js'
import type { Key, PartitionId } from '../../src/protocol/ids.js'
import { partitionOf } from '../../src/protocol/ring/slot.js'
import { type CausalContext, dvvContextOf } from '../../src/protocol/versions/dvv.js'
import { textsOf } from '../../src/sim/checkers/checker.js'
import { isSettled } from '../../src/sim/settled.js'
import type { CallSpec, SimGateway } from '../../src/sim/sim-gateway.js'
import type { SimWorld } from '../../src/sim/world.js'
import { applyFault } from './faults.js'
import { Focus } from './focus.js'
import { worldOf } from './scenario-world.js'
import { Transcript } from './transcript.js'
import { nameOf, viewHints, viewMembers, viewOwners, viewStamps, viewStores } from './views.js'

/** After a call has ended: what it leaves to be done is mostly done by then. */
const AFTER_CALL_MS = 3
/** Virtual time that anything may take. */
const SETTLING_MS = 60_000

/** Words of a command: `name=value` pairs are options, the rest stand for themselves. */
interface Words {
  readonly words: readonly string[]
  readonly options: Readonly<Record<string, string>>
}

export class Commands {
  readonly #transcript = new Transcript()
  #world: SimWorld | undefined
  /** What was last read of a key, under `siblings`. */
  readonly #contexts = new Map<Key, CausalContext>()

  /** The commands of one block. Shape: the lines that they show; never none. Errors: RangeError for what is no command. */
  run(commands: readonly string[]): readonly string[] {
    this.#transcript.begin()
    for (const command of commands) this.#command(command)
    const lines = this.#transcript.text()
    return lines.length === 0 ? ['(nothing)'] : lines.map((line) => line.trimEnd())
  }

  #command(command: string): void {
    const all = command.split(/\s+/)
    const options = Object.fromEntries(all.flatMap((word) => (word.includes('=') ? [word.split('=', 2)] : [])))
    const [verb = '', ...words] = all.filter((word) => !word.includes('='))
    const arms = [this.#onCluster, this.#onCall, this.#onTime, this.#onFault, this.#onView]
    if (!arms.some((arm) => arm.call(this, verb, { words, options })))
      throw new RangeError(`"${command}" is no command`)
  }

  get #it(): SimWorld {
    if (this.#world === undefined) throw new RangeError('a scenario begins with `cluster`')
    return this.#world
  }

  #onCluster(verb: string, { words, options }: Words): boolean {
    switch (verb) {
      case 'cluster':
        this.#open(options)
        return true
      case 'gateway':
        this.#addGateway()
        return true
      case 'join':
        this.#it.grow(words[0] === 'standby' ? 'standby' : 'member')
        return true
      case 'leave':
        this.#it.supervisor.leave(words[0] ?? '')
        return true
      case 'promote':
        this.#it.supervisor.promote(words[0] ?? '')
        return true
      case 'focus':
        this.#transcript.focus = new Focus(this.#partitionOf(words[0] ?? ''))
        return true
      case 'show':
      case 'hide':
      case 'only':
        this.#transcript.choose(verb, words)
        return true
      default:
        return false
    }
  }

  /** It is told of every node first. */
  #addGateway(): void {
    const world = this.#it
    this.#transcript.quietly(() => {
      world.addGateway()
      world.run(1)
    })
    this.#transcript.say(`${[...world.gateways.keys()].at(-1)} is there`)
  }

  #partitionOf(key: Key): PartitionId {
    return partitionOf(key, this.#it.options.config.partitions)
  }

  #open(options: Words['options']): void {
    const numberOf = (name: string, byDefault: number): number => Number(options[name] ?? byDefault)
    const n = numberOf('n', 3)
    const conflict = options['conflict'] === 'siblings' ? 'siblings' : 'lww'
    const coordination = options['coordination'] === 'server' ? 'server' : 'client'
    const quorums = { n, r: numberOf('r', 2), w: numberOf('w', 2) }
    const nodes = numberOf('nodes', 5)
    const hintWindowMs = numberOf('hintWindow', 10_800_000)
    const tombstoneGraceMs = numberOf('grace', 0)
    const hedgeBudgetPercent = numberOf('hedge', 0)
    const standbys = numberOf('standbys', 0)
    const sharedClock = options['clock'] !== 'own'
    const rest = { conflict, coordination, hintWindowMs, tombstoneGraceMs, hedgeBudgetPercent, sharedClock } as const
    const world = worldOf({ nodes, standbys, ...quorums, ...rest }, this.#transcript)
    this.#world = world
    this.#transcript.now = () => world.nowMs
    this.#settle()
    for (let gateway = numberOf('gateways', 1); gateway > 0; gateway--) world.addGateway()
    this.#settle()
    // How a cluster comes up is a scenario of its own: a restart.
    this.#transcript.begin()
    this.#transcript.say(
      `${[...world.ids, ...world.gateways.keys()].join(' ')} are up, with epoch ${world.supervisor.table.epoch}`,
    )
  }

  // --- calls ----------------------------------------------------------------------------------------------------------

  #onCall(verb: string, { words, options }: Words): boolean {
    if (verb === 'start') {
      const [call = '', ...rest] = words
      return this.#begin(call, { words: rest, options }) !== undefined
    }
    const call = this.#begin(verb, { words, options })
    if (call === undefined) return false
    const isEnded = this.#it.runUntil(() => call.outcome !== undefined, SETTLING_MS)
    if (!isEnded) throw new RangeError(`${verb} ${words.join(' ')} does not end`)
    this.#it.run(AFTER_CALL_MS)
    return true
  }

  /** Undefined: that is no call. */
  #begin(verb: string, { words, options }: Words): { outcome: OperationOutcome | undefined } | undefined {
    const spec = this.#specOf(verb, words, options)
    if (spec === undefined) return undefined
    const call: { outcome: OperationOutcome | undefined } = { outcome: undefined }
    this.#gatewayOf(options).call(spec, (outcome) => {
      // Its gateway has vanished: the call will never end.
      if (outcome === undefined) return
      call.outcome = outcome
      this.#onEnd(verb, spec.keys[0] ?? '', outcome)
    })
    return call
  }

  #specOf(verb: string, [key = '', ...rest]: readonly string[], options: Words['options']): CallSpec | undefined {
    const timeout = options['timeout']
    const context = rest.includes('context') ? this.#contexts.get(key) : undefined
    if (rest.includes('context') && context === undefined) throw new RangeError(`${key} has not been read`)
    const quorum = options['r'] ?? options['w']
    const common = {
      sloppy: rest.includes('sloppy'),
      ...(timeout === undefined ? {} : { timeoutMs: Number(timeout) }),
      ...(quorum === undefined ? {} : { quorum: Number(quorum) }),
      ...(context === undefined ? {} : { context }),
    }
    switch (verb) {
      case 'put':
        return { kind: 'put', keys: [key], texts: [rest[0] ?? ''], ...common }
      case 'delete':
        return { kind: 'put', keys: [key], texts: [null], ...common }
      case 'batch':
        return { kind: 'put', ...pairsOf([key, ...rest].filter((word) => word !== 'sloppy')), ...common }
      case 'get':
      case 'read':
        return { kind: 'get', keys: [key], texts: [], ...common }
      case 'scan':
        return { kind: 'scan', keys: [], texts: [], ...common }
      default:
        return undefined
    }
  }

  #onEnd(verb: string, key: Key, outcome: OperationOutcome): void {
    if (outcome.type === 'page') return this.#transcript.say(`  its keys: ${outcome.page.keys.join(', ')}`)
    if (outcome.type !== 'value' || outcome.record?.kind !== 'siblings') return
    const context = dvvContextOf(outcome.record.set)
    this.#contexts.set(key, context)
    const dots = Object.entries(context).map(([actor, counter]) => `${nameOf(actor)}:${counter}`)
    if (verb === 'read')
      this.#transcript.say(`  values ${textsOf(outcome.record).join(' | ')}; context ${dots.join(' ')}`)
  }

  #gatewayOf({ via }: Words['options']): SimGateway {
    const gateways = [...this.#it.gateways.values()]
    const gateway = via === undefined ? gateways[0] : gateways.find(({ id }) => id === via)
    if (gateway === undefined) throw new RangeError(`there is no gateway ${via ?? ''}`)
    return gateway
  }

  // --- time -----------------------------------------------------------------------------------------------------------

  #onTime(verb: string, { words: [word = ''] }: Words): boolean {
    switch (verb) {
      case 'run':
        this.#it.run(Number(word))
        return true
      case 'settle':
        this.#settle()
        return true
      default:
        return false
    }
  }

  /** Until nothing is left to be done; time passes in small steps, for what has just begun to be seen. */
  #settle(): void {
    const world = this.#it
    const untilMs = world.nowMs + SETTLING_MS
    do {
      if (world.nowMs > untilMs) throw new RangeError('it does not settle')
      world.run(5)
    } while (!isSettled(world))
  }

  #onFault(verb: string, { words }: Words): boolean {
    return applyFault(this.#it, this.#transcript, verb, words)
  }

  // --- what can be looked at ------------------------------------------------------------------------------------------

  #onView(verb: string, { words: [word = ''] }: Words): boolean {
    const lines = this.#viewOf(verb, word)
    for (const line of lines ?? []) this.#transcript.say(line)
    return lines !== undefined
  }

  #viewOf(verb: string, word: string): string[] | undefined {
    switch (verb) {
      case 'owners':
        return viewOwners(this.#it, word)
      case 'stores':
        return viewStores(this.#it, word)
      case 'stamps':
        return viewStamps(this.#it, word)
      case 'hints':
        return viewHints(this.#it)
      case 'members':
        return viewMembers(this.#it, word)
      default:
        return undefined
    }
  }
}

/** Keys and values of a batch, one after the other. */
function pairsOf(words: readonly string[]): { keys: string[]; texts: string[] } {
  if (words.length % 2 > 0) throw new RangeError(`a batch is keys and values: ${words.join(' ')}`)
  const isKey = (_: string, place: number) => place % 2 === 0
  return { keys: words.filter(isKey), texts: words.filter((word, place) => !isKey(word, place)) }
}
