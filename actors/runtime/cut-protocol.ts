/** What a node's thread and the task that writes its backup say to each other, over a port of their own. */

/** Task → node: it has room for another chunk. */
export type ToSource = 'next'

/** Node → task: one answer to each. */
export type FromSource =
  /** See `backup-chunk.ts`. */
  | { readonly type: 'chunk'; readonly bytes: Uint8Array }
  | { readonly type: 'end' }
  | { readonly type: 'failed'; readonly detail: string }
