/** Run by mocha, in a process of its own: see `blockstore-level.test.ts`. */

import { LevelBlockstore } from 'blockstore-level'
import { interfaceBlockstoreTests } from 'interface-blockstore-tests'

import { SmallLevel } from '../../support/small-level.js'
import { nextLocation } from './own-locations.js'

interfaceBlockstoreTests({
  setup: async () => {
    const db = new SmallLevel(nextLocation(), { keyEncoding: 'utf8', valueEncoding: 'view' })
    const store = new LevelBlockstore(db as never)
    await store.open()
    return store
  },
  teardown: (store) => store.close(),
})
