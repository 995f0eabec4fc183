/** A Level database over a small cluster, for packages that are given a class and make the database themselves. */

import { CoterieLevel, type CoterieLevelOptions } from '../../src/index.js'

export class SmallLevel<K = string, V = string> extends CoterieLevel<K, V> {
  constructor(location: string, options?: CoterieLevelOptions<K, V>) {
    super(location, { nodes: 3, partitions: 16, faults: true, ...options })
  }
}
