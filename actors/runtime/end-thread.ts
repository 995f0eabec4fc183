/** How a node's thread is ended when the cluster closes. */

import type { NodeThread } from './node-thread.js'

/** In order first: the store is closed. By force after the timeout, or if it does not listen. */
export async function endThread(thread: NodeThread, timeoutMs: number): Promise<void> {
  if (thread.node !== undefined) {
    // Whatever goes wrong here (it is hung, starting, or already gone), it is ended below.
    const answered = thread.control.stop(timeoutMs).then(
      () => true,
      () => false,
    )
    if (await answered) {
      const timer = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), timeoutMs).unref())
      if ((await Promise.race([thread.ended, timer])) !== undefined) return
    }
  }
  await thread.terminate('the cluster closes')
  await thread.ended
}
