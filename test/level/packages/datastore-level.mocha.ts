/** Run by mocha, in a process of its own: see `datastore-level.test.ts`. */

import { LevelDatastore } from 'datastore-level'
import { interfaceDatastoreTests } from 'interface-datastore-tests'

import { SmallLevel } from '../../support/small-level.js'
import { nextLocation } from './own-locations.js'

interfaceDatastoreTests({
  setup: async () => {
    const db = new SmallLevel(nextLocation(), { keyEncoding: 'utf8', valueEncoding: 'view' })
    const store = new LevelDatastore(db as never)
    await store.open()
    return store
  },
  teardown: (store) => store.close(),
})
