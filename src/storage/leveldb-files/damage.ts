/**
 * The vocabulary of damage: what can be wrong with a LevelDB file, and the signal that carries it.
 *
 * The parsers in this folder throw `Damage` where the bytes contradict the format. `verify-store.ts` catches it once a
 * file and turns it into a value; it never leaves that function. It is thrown, not returned, because a parser is five
 * calls deep where it finds out, and because after the first contradiction nothing else in that file can be trusted.
 */

export type ProblemKind =
  /** The file that CURRENT or MANIFEST names is not there. */
  | 'missing'
  /** The file is there, but not as long as MANIFEST says, or it became shorter while it was read. */
  | 'size'
  /** The operating system cannot read it (EIO and its kin). */
  | 'unreadable'
  /** A masked CRC32C does not match the bytes that it covers. */
  | 'checksum'
  /** Records or blocks do not follow each other as the writer lays them out. */
  | 'framing'
  /** The bytes are whole but say something that LevelDB never writes. */
  | 'format'
  /** The write-ahead logs skip or repeat sequence numbers: a part of them is gone. */
  | 'sequence'

export class Damage extends Error {
  readonly kind: ProblemKind
  /** Where in the file, in bytes; absent where the whole file is meant. */
  readonly offset: number | undefined

  constructor(kind: ProblemKind, detail: string, offset?: number) {
    super(detail)
    this.name = 'Damage'
    this.kind = kind
    this.offset = offset
  }
}
