/** The host of `many-level.ts`: a process with a database that it shares over a loopback socket. Ends with its parent. */

import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { pipeline } from 'node:stream'
import { ClassicLevel } from 'classic-level-1'
import { ManyLevelHost } from 'many-level'

const [location = '', cacheBytes = '0'] = process.argv.slice(2)
process.once('disconnect', () => process.exit(0))

const db = new ClassicLevel<Buffer, Buffer>(location, { cacheSize: Number(cacheBytes) })
await db.open()
// Its types say that a batch may name sublevels of any other database, which no database's do.
const host = new ManyLevelHost(db as never)
const server = createServer({ noDelay: true }, (socket) => {
  pipeline(socket, host.createRpcStream(), socket, () => undefined)
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
process.send?.((server.address() as AddressInfo).port)
