/** The supervisor on real threads, with a pool that verifies as the test says: lives that fail before a store is opened. */

import { test } from 'tap'
import { type Pool, PoolError } from '../../actors/pool.js'
import type { SupervisorObserver } from '../../actors/runtime/supervisor-contract.js'
import { SupervisorActor } from '../../actors/supervisor.actor.js'
import { openCluster } from '../../src/index.js'
import { type Prepared, prepare } from '../../src/opening/prepare.js'
import { protocolConfigOf, supervisionConfigOf } from '../../src/opening/wiring.js'
import type { Message } from '../../src/protocol/messages.js'
import type { NodePhase } from '../../src/protocol/supervision/supervised.js'
import { validateOptions } from '../../src/shared/options.js'
import { type ScrubReport, type ScrubSlice, scrubStoreTables } from '../../src/storage/scrub-store.js'
import type { VerifyReport } from '../../src/storage/verify-store.js'
import { verifyStoreFiles } from '../../src/storage/verify-store.js'
import { folderForTest, type TestContext } from '../support/cluster.js'

const nodeUrl = new URL('../../actors/node.actor.js', import.meta.url)

/** Verifies in this thread; a test may put something else in front. */
class TestPool implements Pool {
  readonly calls: string[] = []
  /** By node: what its next verifications do instead, one after the other. */
  readonly instead = new Map<string, (() => Promise<VerifyReport>)[]>()

  async verifyStore(folder: string): Promise<VerifyReport> {
    const node = /node\d+/.exec(folder)?.[0] ?? ''
    this.calls.push(node)
    return this.instead.get(node)?.shift()?.() ?? verifyStoreFiles(folder)
  }

  async scrubTables(folder: string, slice: ScrubSlice): Promise<ScrubReport> {
    return scrubStoreTables(folder, slice)
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

interface Watched {
  readonly supervisor: SupervisorActor
  readonly prepared: Prepared
  readonly exits: Parameters<SupervisorObserver['onExit']>[0][]
  readonly fatal: Error[]
  /** Resolves once the node is in that phase of a life at least so late. */
  reached(node: string, phase: NodePhase, incarnation: number): Promise<void>
}

/** A cluster that exists already, reopened with that pool. */
async function supervise(t: TestContext, pool: Pool, openTimeoutMs = 30_000): Promise<Watched> {
  const location = await folderForTest(t)
  await (await openCluster({ location, nodes: 3 })).close()
  const prepared = await prepare(validateOptions({ location, openTimeoutMs }))
  const { config, folder, metadata, table, clock } = prepared
  const exits: Watched['exits'] = []
  const fatal: Error[] = []
  let changed = (): void => undefined
  const supervisor = new SupervisorActor({
    ...{ config, folder, metadata, table, clock, pool, nodeUrl, suspects: prepared.suspects },
    protocol: protocolConfigOf(prepared),
    supervision: supervisionConfigOf(prepared),
    isReapingHeld: () => false,
    marks: undefined,
    observer: {
      onNotice: () => changed(),
      onNodeNotice: () => undefined,
      onExit: (exit) => {
        exits.push(exit)
        changed()
      },
      onReady: () => changed(),
      onQuarantine: () => undefined,
      onRestart: () => changed(),
      onFolderFull: () => undefined,
      onFatal: (error) => fatal.push(error),
    },
  })
  t.teardown(async () => {
    await supervisor.stop(2_000)
    await prepared.lock.release()
  })
  const reached: Watched['reached'] = (node, phase, incarnation) =>
    new Promise((resolve) => {
      const look = (): void => {
        const view = supervisor.nodes().find(({ id }) => id === node)
        if (view === undefined || view.phase !== phase || view.incarnation < incarnation) return
        resolve()
      }
      const before = changed
      changed = () => {
        before()
        look()
      }
      look()
    })
  return { supervisor, prepared, exits, fatal, reached }
}

test('a verification that fails is the end of that life, not of the node', async (t) => {
  const pool = new TestPool()
  const lacks = () => Promise.reject(new PoolError('POOL_SYSTEM', 'too many open files', { systemCode: 'EMFILE' }))
  pool.instead.set('node2', [lacks, lacks])
  const { supervisor, exits, fatal, reached } = await supervise(t, pool)
  supervisor.start(false)
  await reached('node2', 'up', 3)
  t.same(
    exits.map(({ node, incarnation }) => [node, incarnation]),
    [
      ['node2', 1],
      ['node2', 2],
    ],
  )
  t.match(exits[0]?.end.reason, /too many open files/)
  t.same(fatal, [], 'nothing that an operator must mend')
})

test('a verification that hangs is ended with its thread when the time for opening is over', async (t) => {
  const pool = new TestPool()
  pool.instead.set('node2', [() => new Promise(() => undefined)])
  const { supervisor, exits, reached } = await supervise(t, pool, 1_000)
  supervisor.start(false)
  await reached('node2', 'up', 2)
  // On a busy machine another may not be open in time either.
  const [first] = exits.filter(({ node }) => node === 'node2')
  t.equal(first?.incarnation, 1)
  t.match(first?.end.reason, /was not open after 1000 ms/)
})

test('a core that is rebuilt while a node is being verified does not take it for one that is up', async (t) => {
  const pool = new TestPool()
  const { supervisor, exits, reached } = await supervise(t, pool)
  supervisor.start(false)
  await Promise.all(['node1', 'node2', 'node3'].map((node) => reached(node, 'up', 1)))
  // node2's second life stands in verification; its gauges are still those of the first.
  const verifying = new Promise<void>((resolve) => {
    pool.instead.set('node2', [
      () => {
        resolve()
        return new Promise(() => undefined)
      },
    ])
  })
  await supervisor.factsOf('node2')?.thread?.terminate('a test')
  await verifying
  supervisor.onMail('gateway9', [{ type: 'hint/lost', targets: undefined } as unknown as Message])
  await reached('node2', 'up', 3)
  t.same(
    exits.map(({ node, incarnation }) => [node, incarnation]),
    [
      ['node2', 1],
      ['node2', 2],
    ],
    'the life that was being verified has ended under its own number',
  )
  t.same(
    supervisor.nodes().map(({ id, incarnation }) => [id, incarnation]),
    [
      ['node1', 1],
      ['node2', 3],
      ['node3', 1],
    ],
    'the others did not notice',
  )
})
