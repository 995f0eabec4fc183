/** A process that writes batches until it is killed. Arguments: location, `WriterTask` as JSON. Tells of each that is acknowledged. */

import { openCluster } from '../../src/index.js'
import { writeBatches } from './batch-writer.js'

const [location = '', task = ''] = process.argv.slice(2)
const cluster = await openCluster({ location })
// An orphan must not go on writing: if the parent ends without the kill, so does this.
process.once('disconnect', () => process.exit(1))
await writeBatches(cluster, JSON.parse(task), (number) => process.send?.(number))
