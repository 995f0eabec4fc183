/** A process that is killed in the middle of a backup: it says when it has begun to copy. Arguments: location, folder. */

import { openCluster } from '../../src/index.js'
import { loadRecords } from './cluster.js'

const [location = '', dir = ''] = process.argv.slice(2)
const cluster = await openCluster({ location, nodes: 3, partitions: 16, transferBytesPerSecond: 2_000 })
await loadRecords(cluster, 100)
process.once('disconnect', () => process.exit(1))
await cluster.backup(dir, { onProgress: ({ records }) => records > 0 && process.send?.('copying') })
