/** Store writes of a replica that the store has not answered yet. Called by `Replica` only. */

import type { Draft } from './draft.js'
import type { Key } from './ids.js'

/** So many writes on their way are looked through for a key; of more there is an index. */
const SEARCHED_MAX = 8

export class WritesUnderWay {
  /** Oldest first. */
  #drafts: Draft[] = []
  /**
   * Key → the newest of them that brings it, while they are too many to be looked through. Each sender has one message
   * outstanding, so that they are few; but every sibling update of a turn is a write of its own.
   */
  #newest: Map<Key, Draft> | undefined

  /** Oldest first. */
  get drafts(): readonly Draft[] {
    return this.#drafts
  }

  get isEmpty(): boolean {
    return this.#drafts.length === 0
  }

  has(token: number): boolean {
    return this.#drafts.some((draft) => draft.token === token)
  }

  /** The newest that brings the key. */
  bringing(key: Key): Draft | undefined {
    if (this.#newest !== undefined) return this.#newest.get(key)
    for (let at = this.#drafts.length - 1; at >= 0; at--) {
      const draft = this.#drafts[at] as Draft
      if (draft.find(key) !== undefined) return draft
    }
    return undefined
  }

  /** A later one has this one's siblings among its own: the store may accept that one yet. */
  isBuiltUpon(token: number): boolean {
    const at = this.#drafts.findIndex((draft) => draft.token === token)
    const keys = this.#drafts[at]?.keys ?? []
    return this.#drafts.slice(at + 1).some((later) => keys.some((key) => later.find(key)?.kind === 'siblings'))
  }

  push(draft: Draft): void {
    this.#drafts.push(draft)
    if (this.#newest !== undefined) this.#index(draft)
    else if (this.#drafts.length > SEARCHED_MAX) {
      this.#newest = new Map()
      for (const earlier of this.#drafts) this.#index(earlier)
    }
  }

  /** It has been answered. */
  take(token: number): Draft | undefined {
    const at = this.#drafts.findIndex((draft) => draft.token === token)
    if (at < 0) return undefined
    // Almost always the oldest: the store accepts in order.
    const draft = at === 0 ? this.#drafts.shift() : this.#drafts.splice(at, 1)[0]
    if (this.#drafts.length === 0) this.#newest = undefined
    for (const key of draft?.keys ?? []) if (this.#newest?.get(key) === draft) this.#newest?.delete(key)
    return draft
  }

  #index(draft: Draft): void {
    for (const key of draft.keys) this.#newest?.set(key, draft)
  }
}
