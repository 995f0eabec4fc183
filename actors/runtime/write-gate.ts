/**
 * Between a node's core and its store: while it is closed, writes wait here in their order, and reads go on.
 *
 * Whoever closes it says for how long at most: an opener that forgets it, or is gone, must not stop a node for good. Called by
 * `NodeHost` for each write, by `NodeCut` for a backup.
 */

export class WriteGate {
  #held: (() => void)[] = []
  #closedBy: string | undefined
  #limit: NodeJS.Timeout | undefined

  /** At once, or once it is open again. */
  pass(give: () => void): void {
    if (this.#closedBy === undefined) give()
    else this.#held.push(give)
  }

  isClosedBy(token: string): boolean {
    return this.#closedBy === token
  }

  /** In the place of whoever closed it before. */
  close(token: string, limitMs: number): void {
    clearTimeout(this.#limit)
    this.#closedBy = token
    this.#limit = setTimeout(() => this.open(token), limitMs)
  }

  /** Nothing if it is not closed by this token. */
  open(token: string): void {
    if (this.#closedBy !== token) return
    clearTimeout(this.#limit)
    this.#closedBy = undefined
    for (const give of this.#held.splice(0)) give()
  }
}
