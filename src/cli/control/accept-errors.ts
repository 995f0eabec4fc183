/**
 * Connections that a listening server could not accept, as when the process has no file descriptor left: whoever runs it is told, once
 * for each reason, and the server listens on. Without a listener such an error would end the process, and the cluster with it.
 *
 * Called by the control socket and the dashboard's server, once they listen.
 */

import type { Server } from 'node:http'

export function tellAcceptErrors(server: Server, name: string): void {
  const told = new Set<string>()
  server.on('error', (error: NodeJS.ErrnoException) => {
    const reason = error.code ?? error.message
    if (told.has(reason)) return
    told.add(reason)
    process.emitWarning(`the ${name} could not accept a connection, and listens on: ${error.message}`)
  })
}
