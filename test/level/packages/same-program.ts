/** A program that is run on a cluster, of which a node dies meanwhile, and on a plain classic-level database: it must not see which. */

import type { AbstractLevel } from 'abstract-level'
import { ClassicLevel } from 'classic-level'
import type { Test } from 'tap'
import { CoterieLevel } from '../../../src/index.js'
import { folderForTest } from '../../support/cluster.js'
import { SmallLevel } from '../../support/small-level.js'

/** Of Level databases. The types of the packages name one of them each; what they use all have. */
export type LevelClass = new <K, V>(location: string, options?: object) => AbstractLevel<string | Uint8Array, K, V>

export interface Ground {
  readonly Level: LevelClass
  readonly location: string
  /** Ends a node in the middle of what it does, where there are nodes. */
  crash(db: unknown): Promise<void>
}

/** What the program gives is what it saw, in order. Shape: `seenMin` things at least. */
export async function sameProgram(
  t: Test,
  seenMin: number,
  program: (ground: Ground) => Promise<readonly unknown[]>,
): Promise<void> {
  let crashes = 0
  const crash = async (db: unknown): Promise<void> => {
    if (!(db instanceof CoterieLevel)) return
    await db.cluster.faults.crash('node2')
    crashes += 1
  }
  const run = async (Level: LevelClass): Promise<readonly unknown[]> =>
    program({ Level: closedAfter(t, Level), location: await folderForTest(t), crash })
  const onCluster = await run(SmallLevel as unknown as LevelClass)
  const onClassic = await run(ClassicLevel as unknown as LevelClass)
  t.ok(crashes > 0, 'a node crashed')
  t.ok(onClassic.length >= seenMin, `saw ${onClassic.length} things`)
  t.same(onCluster, onClassic)
}

/** A class whose databases are closed when the test ends, also one that fails before it closes them. */
function closedAfter(t: Test, Level: LevelClass): LevelClass {
  return class<K, V> extends Level<K, V> {
    constructor(location: string, options?: object) {
      super(location, options)
      t.teardown(() => this.close())
    }
  }
}
