/**
 * LevelDB's masked CRC32C.
 *
 * A stored checksum is rotated and offset, so that a CRC over bytes that contain CRCs stays a good one. It also means that a
 * page of zeros never carries a right checksum.
 *
 * Source: leveldb 1.20, util/crc32c.h.
 */
const MASK_DELTA = 0xa282ead8

export function unmaskChecksum(masked: number): number {
  const rotated = (masked - MASK_DELTA) >>> 0
  return ((rotated >>> 17) | (rotated << 15)) >>> 0
}
