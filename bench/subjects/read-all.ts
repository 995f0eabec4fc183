/** What every subject does before it is measured, so that whatever cache it has holds what it can: it reads the records. */

import type { Data, Subject } from './subject.js'

const KEYS_PER_CALL = 100
const IN_FLIGHT = 8
/** Of more records so many are read, spread evenly: no cache here holds more. */
const READS_MAX = 1_000_000

/** Every record once. */
export async function readAll(subject: Pick<Subject, 'getMany'>, data: Data): Promise<void> {
  const reads = Math.min(data.records, READS_MAX)
  const step = data.records / reads
  let next = 0
  const caller = async () => {
    while (next < reads) {
      const from = next
      next += KEYS_PER_CALL
      const length = Math.min(KEYS_PER_CALL, reads - from)
      await subject.getMany(Array.from({ length }, (_, at) => data.keyOf(Math.floor((from + at) * step))))
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, caller))
}
