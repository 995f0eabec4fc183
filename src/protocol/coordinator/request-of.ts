/** Makes the request of an operation. Called by `Coordination` only. */

import type { ProtocolConfig } from '../config.js'
import { MAJORITY } from '../ring/quorum.js'
import { partitionOf } from '../ring/slot.js'
import { type PartitionTable, rowOf } from '../ring/table.js'
import { DirectRequest } from './direct.js'
import { type ForwardOperation, ForwardRequest } from './forward.js'
import { GetRequest } from './get.js'
import { PutRequest } from './put.js'
import type { Operation, Request } from './request.js'
import { ScanRequest } from './scan.js'

export function requestOf(
  operation: Operation | ForwardOperation,
  config: ProtocolConfig,
  table: PartitionTable,
): Request {
  switch (operation.kind) {
    case 'get': {
      const { id, key, r, sloppy, deadlineMs } = operation
      const partition = partitionOf(key, config.partitions)
      return new GetRequest(id, key, partition, rowOf(table, partition), r, config, sloppy, deadlineMs)
    }
    case 'learn': {
      const { id, key, deadlineMs, learning } = operation
      const partition = partitionOf(key, config.partitions)
      return new GetRequest(id, key, partition, rowOf(table, partition), MAJORITY, config, false, deadlineMs, learning)
    }
    case 'put':
      return new PutRequest(operation, rowOf(table, operation.partition), config)
    case 'scan':
      return new ScanRequest(operation)
    case 'direct':
      return new DirectRequest(operation, rowOf(table, operation.partition))
    case 'forward':
      return new ForwardRequest(operation)
  }
}
