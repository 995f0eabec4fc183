/** The LevelDB store keeps the contract, at both durabilities. */

import { openLevelStore } from '../../src/storage/level-store.js'
import { levelOptions } from '../storage/level-options.js'
import { storeContract } from './store-contract.js'

for (const durability of ['process', 'disk'] as const) {
  storeContract(`level, ${durability}`, (t) => {
    const options = { ...levelOptions(t), durability }
    let expected: 'fresh' | 'member' = 'fresh'
    return {
      open: async () => {
        const { store } = await openLevelStore({ ...options, expected })
        expected = 'member'
        return store
      },
    }
  })
}
