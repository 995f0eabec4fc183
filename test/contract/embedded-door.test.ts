/** The embedded engine keeps the contract of the public door. */

import { join } from 'node:path'
import root from 'tap'
import { openCluster } from '../../src/index.js'
import { folderForTest } from '../support/cluster.js'
import { doorContract } from './door-contract.js'

const folder = await folderForTest(root)

doorContract({
  engine: 'embedded',
  async open(t, name, options = {}) {
    const location = join(folder, name.replaceAll(/[^a-z0-9]+/gi, '-'))
    const cluster = await openCluster({ location, nodes: 3, ...options })
    t.teardown(() => cluster.close())
    return cluster
  },
})
