/** What the benchmark asks of a store, so that both sides are driven by the same code. */

/** The records of a benchmark: made once, the same for every subject. */
export interface Data {
  readonly keys: readonly string[]
  readonly value: Uint8Array
}

/** A store under measurement. Every call says how many operations it did, and throws if an answer is wrong. */
export interface Subject {
  readonly name: string
  load(data: Data): Promise<void>
  get(key: string): Promise<number>
  put(key: string, value: Uint8Array): Promise<number>
  getMany(keys: readonly string[]): Promise<number>
  /** `logged`: as a whole or not at all, where that is not so anyway. */
  batch(keys: readonly string[], value: Uint8Array, logged?: boolean): Promise<number>
  /** Up to `limit` pairs from `from` on. */
  scan(from: string, limit: number): Promise<number>
  close(): Promise<void>
}

/** `count` keys of sixteen bytes and a value of `valueBytes`. */
export function makeData(count: number, valueBytes: number): Data {
  const keys = Array.from({ length: count }, (_, number) => `record:${String(number).padStart(9, '0')}`)
  const value = Buffer.alloc(valueBytes)
  for (let at = 0; at < valueBytes; at++) value[at] = (at * 7 + 13) % 256
  return { keys, value }
}

/** The answer must be there and of the right length: a benchmark of wrong answers is worth nothing. */
export function checkValue(value: Uint8Array | undefined, data: Data): void {
  if (value?.byteLength !== data.value.byteLength) throw new Error(`expected a record, got ${value?.byteLength} bytes`)
}
