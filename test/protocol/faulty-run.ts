/**
 * A few hundred requests of a seed while mail is lost and late and nodes crash and hang; then everything heals. What was
 * acknowledged is kept, so that a test can judge.
 */

import type { NodeId } from '../../src/protocol/ids.js'
import { checkLinearizability, describeViolation } from '../../src/sim/checkers/linearizability.js'
import type { Operation } from '../../src/sim/checkers/operation.js'
import { VirtualWorld } from './virtual-world.js'

export type FaultyOptions = NonNullable<ConstructorParameters<typeof VirtualWorld>[1]>

interface Put {
  readonly id: number
  readonly key: string
  readonly text: string
}

export class FaultyRun {
  readonly world: VirtualWorld
  readonly requests: number[] = []
  readonly puts: Put[] = []
  /** What each caller of a strict get or put saw; times count calls and answers. */
  readonly history: Operation[] = []
  /** Every epoch that a node acted on, in order. */
  readonly epochs = new Map<NodeId, number[]>()
  #ticks = 0
  readonly #open = new Map<number, { readonly ends: ((end: string) => void)[] }>()
  drops = 0
  crashes = 0

  constructor(seed: number, options: FaultyOptions = {}) {
    this.world = new VirtualWorld(seed, options)
    this.world.onReply = (id) => {
      for (const end of this.#open.get(id)?.ends ?? []) end(this.world.end(id))
    }
  }

  /** Reads the key, as part of the history. */
  read(key: string): string {
    const id = this.world.get(key, { timeoutMs: 5_000 })
    this.#record(id, key, 'get', undefined)
    return this.world.ended(id)
  }

  run(operations: number): this {
    const { world } = this
    const { prng, ids } = world
    world.filter = ({ message }) => {
      const chance = prng.next()
      if (chance < 0.05 && message.type !== 'table/stored') {
        this.drops += 1
        return 'drop'
      }
      return chance < 0.1 ? prng.next() * 80 : 'deliver'
    }
    for (let operation = 0; operation < operations; operation++) {
      this.#request(operation)
      const fault = prng.below(60)
      const id = prng.pick(ids) ?? 'node1'
      if (fault === 0 && ids.filter((other) => world.isAlive(other)).length > 3) this.#crash(id)
      else if (fault === 1) world.freeze(id, prng.below(120))
      else if (fault < 8 && !world.isAlive(id)) world.spawn(id)
      if (operation % 100 === 50) this.#changeRow()
      world.run(prng.next() * 4)
      world.sent.length = 0
      for (const node of ids) if (world.isAlive(node)) this.#see(node)
    }
    return this.#heal()
  }

  keys(): string[] {
    return [...new Set(this.puts.map(({ key }) => key))].sort()
  }

  /** Everything that must hold in any run and does not. Reads every key once more. */
  problems(): string[] {
    const { world, history, requests, epochs } = this
    const problems: string[] = []
    for (const key of this.keys()) if (this.read(key) === 'TIMEOUT') problems.push(`${key} is not healed`)
    for (const id of requests) {
      const count = world.outcomes.get(id)?.length ?? 0
      if (count !== 1) problems.push(`request ${id} ended ${count} times`)
    }
    if (world.gateway.running !== 0) problems.push(`${world.gateway.running} requests run`)
    if (world.config.conflict === 'lww')
      problems.push(...checkLinearizability(history).violations.map(describeViolation))
    for (const [node, seen] of epochs) {
      const grows = seen.every((epoch, index) => index === 0 || epoch > (seen[index - 1] ?? 0))
      if (!grows) problems.push(`${node} went ${seen.join(' ')}`)
      if (world.node(node).table.epoch !== world.table.epoch) problems.push(`${node} has an old table`)
    }
    return problems
  }

  #request(operation: number): void {
    const { world } = this
    const { prng } = world
    const key = `k${prng.below(12)}`
    const text = `v${operation}`
    const kind = prng.below(10)
    const timeoutMs = 100 + prng.below(400)
    if (kind < 4) this.#record(world.get(key, { timeoutMs }), key, 'get', undefined)
    else if (kind === 4) this.requests.push(world.scan(20, timeoutMs))
    // Nothing is promised for these but an end, so they have keys of their own.
    else if (kind === 5) this.requests.push(world.put(`s${prng.below(4)}`, text, { timeoutMs, sloppy: true }))
    else if (kind === 6 && world.config.conflict === 'lww') {
      const keys = [key, `k${prng.below(12)}`, `k${prng.below(12)}`]
      const id = world.putMany(
        keys,
        keys.map(() => text),
        { timeoutMs },
      )
      for (const each of new Set(keys)) this.#record(id, each, 'put', text)
    } else this.#record(world.put(key, text, { timeoutMs }), key, 'put', text)
  }

  /** The request was called just now; it may have ended in the same step. */
  #record(id: number, key: string, kind: 'get' | 'put', text: string | undefined): void {
    const { world, requests, puts, history } = this
    if (!requests.includes(id)) requests.push(id)
    if (text !== undefined) puts.push({ id, key, text })
    const invokedAt = this.#ticks++
    const onEnd = (end: string): void => {
      const returnedAt = this.#ticks++
      if (end === 'OUTCOME_UNKNOWN' && text !== undefined)
        history.push({ key, kind, value: text, invokedAt, returnedAt: Number.POSITIVE_INFINITY })
      else if (end === 'written' && text !== undefined) history.push({ key, kind, value: text, invokedAt, returnedAt })
      else if (end === 'none') history.push({ key, kind, invokedAt, returnedAt })
      else if (end.startsWith('=')) history.push({ key, kind, result: end.slice(1), invokedAt, returnedAt })
    }
    const open = this.#open.get(id) ?? { ends: [] }
    this.#open.set(id, open)
    if (world.outcome(id) !== undefined) onEnd(world.end(id))
    else open.ends.push(onEnd)
  }

  #crash(id: NodeId): void {
    if (!this.world.isAlive(id)) return
    this.crashes += 1
    this.world.crash(id)
    if (this.world.prng.below(2) === 0) this.world.spawn(id)
  }

  /** Some row is joint for a while, or not any more: the epoch grows. */
  #changeRow(): void {
    const { world } = this
    const key = `k${world.prng.below(12)}`
    const row = world.row(key)
    const other = world.ids.find((id) => !row.owners.includes(id)) ?? null
    // By now everybody has stored the last change.
    world.activate()
    const isJoint = row.pending.some((node) => node !== null)
    world.changeRow(key, { pending: [null, isJoint ? null : other, null] })
  }

  #see(node: NodeId): void {
    const { epoch } = this.world.node(node).table
    const seen = this.epochs.get(node) ?? []
    this.epochs.set(node, seen)
    if (seen.at(-1) !== epoch) seen.push(epoch)
  }

  #heal(): this {
    const { world } = this
    world.filter = () => 'deliver'
    world.activate()
    for (const id of world.ids) if (!world.isAlive(id)) world.spawn(id)
    // The last request's deadline, the lingering, the hints.
    world.run(2_500)
    for (const node of world.ids) this.#see(node)
    return this
  }
}
