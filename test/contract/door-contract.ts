/**
 * What every engine behind the public door keeps. Each calls this with how a cluster is opened: `name` tells stores apart that a test
 * opens, and opening one again finds what was in it.
 */

import type { Test } from 'tap'
import { test } from 'tap'
import type { Cluster } from '../../src/index.js'
import { collect, countOutcomes, outcomeOf, textOf } from '../support/cluster.js'
import { DoorModel } from './door-model.js'

export interface DoorOptions {
  readonly partitions?: number
  readonly requestsInFlightMax?: number
  readonly bytesInFlightMax?: number
  readonly valueBytesMax?: number
}

export interface Door {
  /** As text of test names. */
  readonly engine: string
  /** Skips every test, and says why. */
  readonly skip?: string
  /** Closed when the test ends. */
  open(t: Test, name: string, options?: DoorOptions): Promise<Cluster>
}

const SEED = 20_261_128
const MODEL_STEPS = 400
const LARGE_BYTES = 1_048_576

export function doorContract(door: Door): void {
  const rule = (name: string, body: (t: Test, cluster: Cluster) => Promise<void>): void => {
    test(`${door.engine}: ${name}`, door.skip === undefined ? {} : { skip: door.skip }, async (t) =>
      body(t, await door.open(t, name)),
    )
  }
  const ruleOpening = (name: string, body: (t: Test) => Promise<void>): void => {
    test(`${door.engine}: ${name}`, door.skip === undefined ? {} : { skip: door.skip }, body)
  }

  rule('put, get, delete, put again; text and bytes are the same key', async (t, cluster) => {
    t.equal(await cluster.get('first'), undefined)
    await cluster.put('first', 'value')
    t.equal(textOf(await cluster.get(Buffer.from('first'))), 'value')
    await cluster.put(Buffer.from('first'), Uint8Array.of(0, 255, 128))
    t.same([...((await cluster.get('first')) ?? [])], [0, 255, 128])
    await cluster.delete('first')
    t.equal(await cluster.get('first'), undefined)
    await cluster.delete('first')
    await cluster.put('first', '')
    t.equal((await cluster.get('first'))?.byteLength, 0, 'an empty value is a value')
    await cluster.put('é€', 'UTF-8')
    t.equal(textOf(await cluster.get(Buffer.from('é€'))), 'UTF-8')
  })

  rule('what is passed in is copied, what comes back is the caller’s', async (t, cluster) => {
    const [key, value] = [Buffer.from('copied'), Buffer.from('before')]
    const put = cluster.put(key, value)
    value.fill('x')
    key.fill('x')
    await put
    const got = await cluster.get('copied')
    t.equal(textOf(got), 'before')
    got?.fill(0)
    t.equal(textOf(await cluster.get('copied')), 'before')
  })

  rule('values from nothing to a megabyte come back as they were', async (t, cluster) => {
    for (const bytes of [0, 1, 100, 65_536, LARGE_BYTES]) {
      const value = Buffer.alloc(bytes, `${bytes}`)
      await cluster.put(`of ${bytes}`, value)
      t.ok(value.equals((await cluster.get(`of ${bytes}`)) ?? Buffer.from('none')), `${bytes} bytes`)
    }
  })

  rule('what is no key, value, context or option is refused, and nothing is sent', async (t, cluster) => {
    t.equal(await outcomeOf(cluster.put('', 'value')), 'INVALID_KEY')
    t.equal(await outcomeOf(cluster.put('k'.repeat(65_536), 'value')), 'INVALID_KEY')
    t.equal(await outcomeOf(cluster.get(1 as never)), 'INVALID_KEY')
    t.equal(await outcomeOf(cluster.getMany('key' as never)), 'INVALID_OPTION')
    t.equal(await outcomeOf(cluster.put('key', null as never)), 'INVALID_VALUE')
    t.equal(await outcomeOf(cluster.put('key', 'value', { context: 'none' })), 'INVALID_CONTEXT')
    t.equal(await outcomeOf(cluster.batch([{ type: 'get' as never, key: 'key', value: '' }])), 'INVALID_OPTION')
    const { n } = cluster.status().replication
    for (const r of [0, n + 1, 1.5]) t.equal(await outcomeOf(cluster.get('key', { r })), 'INVALID_OPTION', `r ${r}`)
    for (const w of [0, n + 1]) t.equal(await outcomeOf(cluster.put('key', 'v', { w })), 'INVALID_OPTION', `w ${w}`)
    t.equal(await outcomeOf(cluster.get('key', { timeoutMs: 0 })), 'INVALID_OPTION')
    t.equal(await outcomeOf(cluster.get('key', { other: 1 } as never)), 'INVALID_OPTION')
    t.equal(await outcomeOf(cluster.put('key', 'v', { logged: true } as never)), 'INVALID_OPTION')
    t.equal(await outcomeOf(cluster.scan({ limit: -1 }).next()), 'INVALID_OPTION')
    t.equal(await outcomeOf(cluster.scan({ gt: 'a', gte: 'a' }).next()), 'INVALID_OPTION')
    t.throws(() => cluster.locate(''), { code: 'INVALID_KEY' })
    t.equal(await cluster.get('key'), undefined)
  })

  ruleOpening('a value that is longer than valueBytesMax is refused', async (t) => {
    const cluster = await door.open(t, 'long values', { valueBytesMax: 10 })
    t.equal(await outcomeOf(cluster.put('key', '12345678901')), 'INVALID_VALUE')
    t.equal(await outcomeOf(cluster.put('key', '1234567890')), 'ok')
  })

  rule('every r and w up to n is served', async (t, cluster) => {
    const { n } = cluster.status().replication
    for (let w = 1; w <= n; w++) {
      await cluster.put('quorums', `w=${w}`, { w })
      t.equal(textOf(await cluster.get('quorums', { r: n })), `w=${w}`)
    }
    t.equal(textOf(await cluster.get('quorums', { r: 1 })), `w=${n}`, 'all copies have it')
  })

  rule('getMany answers in the order of the keys, doubles and absent ones included', async (t, cluster) => {
    await cluster.batch(
      Array.from({ length: 500 }, (_, number) => ({ type: 'put', key: `k${number}`, value: `${number}` })),
    )
    const keys = Array.from({ length: 1_000 }, (_, index) => `k${(index * 7) % 600}`)
    const wanted = keys.map((key) => (Number(key.slice(1)) < 500 ? key.slice(1) : undefined))
    t.same((await cluster.getMany(keys)).map(textOf), wanted)
    t.same(await cluster.getMany([]), [])
  })

  for (const logged of [false, true]) {
    rule(
      `batch${logged ? ', logged' : ''}: puts and deletes; of a key named twice the last counts`,
      async (t, cluster) => {
        await cluster.put('deleted', 'value')
        await cluster.batch(
          [
            { type: 'put', key: 'twice', value: 'first' },
            { type: 'put', key: 'then deleted', value: 'value' },
            { type: 'del', key: 'deleted' },
            { type: 'del', key: 'then put' },
            { type: 'put', key: 'twice', value: 'last' },
            { type: 'del', key: 'then deleted' },
            { type: 'put', key: 'then put', value: Buffer.from([0, 255]) },
          ],
          { logged },
        )
        const keys = ['twice', 'deleted', 'then deleted', 'then put']
        const values = await cluster.getMany(keys)
        t.same(values.slice(0, 3).map(textOf), ['last', undefined, undefined])
        t.same([...(values[3] ?? [])], [0, 255])
        t.equal(await outcomeOf(cluster.batch([], { logged })), 'ok')
        t.same(
          (await collect(cluster.scan())).map(([key]) => textOf(key)),
          ['then put', 'twice'],
        )
      },
    )
  }

  rule('batches of one partition that run at once leave one of them', async (t, cluster) => {
    const keys = Array.from({ length: 20 }, (_, number) => `{same}${number}`)
    t.equal(new Set(keys.map((key) => cluster.locate(key).partition)).size, 1)
    for (let round = 0; round < 10; round++) {
      const batches = Array.from({ length: 5 }, (_, caller) =>
        cluster.batch(keys.map((key) => ({ type: 'put', key, value: `${round} ${caller}` }))),
      )
      await Promise.all(batches)
      t.equal(new Set((await cluster.getMany(keys)).map(textOf)).size, 1, `round ${round}`)
    }
  })

  rule('read gives the value and a context; nothing for an absent key; the context is taken', async (t, cluster) => {
    const absent = await cluster.read('read')
    t.same(absent.values, [])
    await cluster.put('read', 'value', { context: absent.context })
    const { values, context } = await cluster.read('read')
    t.same(values.map(textOf), ['value'])
    await cluster.delete('read', { context })
    t.same((await cluster.read('read')).values, [])
  })

  rule('scan: byte order over all partitions, whatever the bounds', async (t, cluster) => {
    const keys = ['\0', '\0\0', 'a', 'a\0', 'aa', 'b', '{b}1', 'é', '€', '😀'].map((key) => Buffer.from(key))
    keys.push(Buffer.from([0xff]), Buffer.from([0xff, 0xfe]), Buffer.from([0x80]))
    keys.sort(Buffer.compare)
    await cluster.batch(keys.map((key) => ({ type: 'put', key, value: key })))
    const seen = async (options: object): Promise<string[]> =>
      (await collect(cluster.scan(options))).map(([key]) => Buffer.from(key).toString('hex'))
    const hex = keys.map((key) => key.toString('hex'))
    t.same(await seen({}), hex)
    t.same(await seen({ reverse: true }), [...hex].reverse())
    for (const [index, key] of keys.entries()) {
      t.same(await seen({ gt: key }), hex.slice(index + 1))
      t.same(await seen({ gte: key, limit: 2 }), hex.slice(index, index + 2))
      t.same(await seen({ lt: key, reverse: true }), hex.slice(0, index).reverse())
      t.same(await seen({ lte: key }), hex.slice(0, index + 1))
    }
    t.same(await seen({ gte: 'b', lt: 'a' }), [])
    t.same(await seen({ limit: 0 }), [])
    t.same(await seen({ gte: '' }), hex, 'an empty bound is no bound')
  })

  rule('scan: each key once and in order while others write', async (t, cluster) => {
    const keyOf = (number: number): string => `key ${String(number).padStart(5, '0')}`
    await cluster.batch(
      Array.from({ length: 1_500 }, (_, number) => ({ type: 'put', key: keyOf(2 * number), value: '1' })),
    )
    let isOver = false
    const writing = (async () => {
      for (let number = 0; !isOver; number++) await cluster.put(keyOf(((2 * number) % 3_000) + 1), '2')
    })()
    const keys: string[] = []
    try {
      for await (const [key] of cluster.scan()) keys.push(textOf(key) ?? '')
    } finally {
      isOver = true
      await writing
    }
    t.same(keys, [...new Set(keys)].sort())
    const stable = keys.filter((key) => Number(key.slice(4)) % 2 === 0)
    t.equal(stable.length, 1_500, 'what was there all the time is there')
  })

  rule('a scan that is left early leaves nothing behind', async (t, cluster) => {
    await cluster.batch(Array.from({ length: 300 }, (_, number) => ({ type: 'put', key: `k${number}`, value: 'v' })))
    for await (const [key] of cluster.scan()) {
      t.ok(key)
      break
    }
    t.equal((await collect(cluster.scan({ limit: 7 }))).length, 7)
  })

  rule('bounds of a scan are read at the call', async (t, cluster) => {
    await cluster.put('copied', 'value')
    const from = Buffer.from('copied')
    const rows = cluster.scan({ gte: from, limit: 1 })
    from.fill(0x7a)
    t.equal(textOf((await rows.next()).value?.[0]), 'copied')
  })

  rule(
    'locate: the slot that Redis Cluster has, owners that are nodes, the partition by the slot',
    async (t, cluster) => {
      t.equal(cluster.locate('123456789').slot, 0x31c3, 'the check value of CRC16-XMODEM')
      t.equal(cluster.locate('foo').slot, 12_182, 'as CLUSTER KEYSLOT foo says')
      t.equal(cluster.locate('{user1000}.following').partition, cluster.locate('{user1000}.followers').partition)
      const { nodes, partitions, replication } = cluster.status()
      for (const key of ['a', 'b', 'c', 'é']) {
        const { slot, partition, owners } = cluster.locate(key)
        t.equal(partition, Math.floor((slot * partitions) / 16_384), key)
        t.equal(new Set(owners).size, replication.n)
        t.ok(owners.every((owner) => nodes.some(({ id }) => id === owner)))
        t.same(cluster.ring()[partition]?.owners, owners)
      }
    },
  )

  rule('a program that runs at random sees what a map would show', async (t, cluster) => {
    const model = new DoorModel(cluster, SEED)
    t.same(await model.run(MODEL_STEPS), [])
  })

  rule('status: all nodes up, n copies of each partition; it is plain data', async (t, cluster) => {
    await cluster.settled()
    const status = cluster.status()
    t.ok(status.converged)
    t.same([...new Set(status.nodes.map(({ status }) => status))], ['up'])
    const copies = status.nodes.reduce((sum, { partitions }) => sum + partitions, 0)
    t.equal(copies, status.replication.n * status.partitions)
    t.same([status.partitionsLost, status.partitionsMoving], [[], 0])
    t.same(structuredClone(status), status)
    t.equal(cluster.ring().length, status.partitions)
  })

  rule('metrics count what was called, and what failed', async (t, cluster) => {
    const before = cluster.metrics().requests
    await cluster.put('key', 'value')
    await cluster.get('key')
    await cluster.delete('key')
    await cluster.batch([{ type: 'put', key: 'key', value: 'value' }])
    await collect(cluster.scan())
    const { requests } = cluster.metrics()
    for (const name of ['put', 'get', 'delete', 'batch'] as const)
      t.equal(requests[name].ended - before[name].ended, 1, name)
    t.ok(requests.scan.ended > before.scan.ended)
    t.equal(requests.get.failed, 0)
  })

  ruleOpening('past requestsInFlightMax calls are refused, and the others are answered', async (t) => {
    const cluster = await door.open(t, 'overloaded', { requestsInFlightMax: 10 })
    const counts = await countOutcomes(Array.from({ length: 50 }, (_, number) => cluster.put(`k${number}`, 'value')))
    t.equal((counts['ok'] ?? 0) + (counts['OVERLOADED'] ?? 0), 50)
    t.ok((counts['ok'] ?? 0) >= 10 && (counts['OVERLOADED'] ?? 0) > 0)
    t.equal((await collect(cluster.scan())).length, counts['ok'], 'what was refused was not written')
  })

  ruleOpening(
    'what was written is there when it is opened again, with the partitions it was created with',
    async (t) => {
      const cluster = await door.open(t, 'opened again', { partitions: 64 })
      await cluster.put('key', 'value')
      await cluster.close()
      const again = await door.open(t, 'opened again')
      t.equal(textOf(await again.get('key')), 'value')
      t.equal(again.status().partitions, 64)
      await again.close()
      t.equal(await outcomeOf(door.open(t, 'opened again', { partitions: 32 })), 'LOCATION_MISMATCH')
    },
  )

  ruleOpening('after close every call is refused, once it has ended those that ran', async (t) => {
    const cluster = await door.open(t, 'closed')
    let closed = 0
    cluster.on('close', () => {
      closed += 1
    })
    const running = Array.from({ length: 20 }, (_, number) => cluster.put(`k${number}`, 'value'))
    await Promise.all([cluster.close(), cluster.close()])
    t.same(await countOutcomes(running), { ok: 20 })
    t.equal(closed, 1)
    for (const call of [
      cluster.get('k1'),
      cluster.put('k1', 'v'),
      cluster.batch([]),
      cluster.scan().next(),
      cluster.settled(),
    ])
      t.equal(await outcomeOf(call as Promise<unknown>), 'CLOSED')
    t.same([...new Set(cluster.status().nodes.map(({ status }) => status))], ['down'])
    t.notOk(cluster.status().converged)
  })

  rule('faults are refused where they were not asked for', async (t, cluster) => {
    t.equal(await outcomeOf(cluster.faults.crash('node1')), 'FAULTS_DISABLED')
    t.equal(await outcomeOf(cluster.faults.heal()), 'FAULTS_DISABLED')
  })
}
