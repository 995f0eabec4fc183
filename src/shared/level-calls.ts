/** The calls of abstract-level, with what a cluster can be told beside: types only. `level.ts` is what they are called on. */

import type {
  AbstractBatchOperation,
  AbstractBatchOptions,
  AbstractChainedBatch,
  AbstractClearOptions,
  AbstractDelOptions,
  AbstractGetManyOptions,
  AbstractGetOptions,
  AbstractHasManyOptions,
  AbstractHasOptions,
  AbstractIterator,
  AbstractIteratorOptions,
  AbstractKeyIterator,
  AbstractKeyIteratorOptions,
  AbstractLevel,
  AbstractPutOptions,
  AbstractValueIterator,
  AbstractValueIteratorOptions,
} from 'abstract-level'
import type { BatchOptions, Bytes, GetOptions, ScanOptions } from './api.js'

/** `sync: true` needs a database that was opened with `durability: 'disk'`. */
interface Write extends BatchOptions {
  readonly sync?: boolean
}
type Scan = Pick<ScanOptions, 'r' | 'timeoutMs'>

/** `KD`, `VD`: of keys and values where a call names no encoding. */
export interface LevelCalls<KD, VD> extends AbstractLevel<Bytes, KD, VD> {
  get(key: KD): Promise<VD | undefined>
  get<K = KD, V = VD>(key: K, options: AbstractGetOptions<K, V> & GetOptions): Promise<V | undefined>
  getMany(keys: KD[]): Promise<(VD | undefined)[]>
  getMany<K = KD, V = VD>(keys: K[], options: AbstractGetManyOptions<K, V> & GetOptions): Promise<(V | undefined)[]>
  has(key: KD): Promise<boolean>
  has<K = KD>(key: K, options: AbstractHasOptions<K> & GetOptions): Promise<boolean>
  hasMany(keys: KD[]): Promise<boolean[]>
  hasMany<K = KD>(keys: K[], options: AbstractHasManyOptions<K> & GetOptions): Promise<boolean[]>
  put(key: KD, value: VD): Promise<void>
  put<K = KD, V = VD>(key: K, value: V, options: AbstractPutOptions<K, V> & Write): Promise<void>
  del(key: KD): Promise<void>
  del<K = KD>(key: K, options: AbstractDelOptions<K> & Write): Promise<void>
  batch(operations: AbstractBatchOperation<this, KD, VD>[]): Promise<void>
  batch<K = KD, V = VD>(
    operations: AbstractBatchOperation<this, K, V>[],
    options: AbstractBatchOptions<K, V> & Write,
  ): Promise<void>
  batch(): AbstractChainedBatch<this, KD, VD>
  iterator(): AbstractIterator<this, KD, VD>
  iterator<K = KD, V = VD>(options: AbstractIteratorOptions<K, V> & Scan): AbstractIterator<this, K, V>
  keys(): AbstractKeyIterator<this, KD>
  keys<K = KD>(options: AbstractKeyIteratorOptions<K> & Scan): AbstractKeyIterator<this, K>
  values(): AbstractValueIterator<this, KD, VD>
  values<K = KD, V = VD>(options: AbstractValueIteratorOptions<K, V> & Scan): AbstractValueIterator<this, K, V>
  clear(): Promise<void>
  clear<K = KD>(options: AbstractClearOptions<K> & Scan & Write): Promise<void>
}
