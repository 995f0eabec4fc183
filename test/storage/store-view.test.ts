import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { openLevelStore } from '../../src/storage/level-store.js'
import { StoreView } from '../../src/storage/store-view.js'
import { levelOptions } from './level-options.js'

function sumsOf(folder: string): Record<string, string> {
  const sum = (name: string) =>
    createHash('sha256')
      .update(readFileSync(join(folder, name)))
      .digest('hex')
  return Object.fromEntries(readdirSync(folder).map((name) => [name, sum(name)]))
}

test('view: reads what is there and changes nothing, also where a compaction left tables behind', async (t) => {
  const options = levelOptions(t)
  const { store } = await openLevelStore({ ...options, expected: 'fresh' })
  const value = Buffer.alloc(100_000, 'v')
  for (let number = 0; number < 30; number++) {
    const record = { kind: 'lww', stamp: `${number}`, value } as const
    await store.write({ keys: [`k${number}`], records: [record], liveKeysDelta: 1 })
  }
  await store.close()
  for (let number = 1; number < 60; number++) {
    const name = `${String(number).padStart(6, '0')}.ldb`
    if (!readdirSync(options.folder).includes(name)) writeFileSync(join(options.folder, name), 'left over')
  }
  const before = sumsOf(options.folder)
  const view = await StoreView.open(options.folder)
  const entries: string[] = []
  for (let page = await view.nextPage(); page.length > 0; page = await view.nextPage())
    entries.push(...page.map(([key]) => key.toString('latin1', 1)))
  t.match(view.identity(), { storeId: store.identity.storeId, sequence: store.sequence })
  await view.close()
  t.equal(entries.length, 30)
  t.same(sumsOf(options.folder), before)
})
