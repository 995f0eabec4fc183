/**
 * Why goals are missed, and what it would take: shown on the page of goals for those that are. Profiles are of `perf` over all threads of
 * the process, on the machine of the figures (two cores, Node.js 20), which others used then: shares and processor time say more than rates.
 */

/** By group and workload of the goal. */
export const SHORTFALLS: Readonly<Record<string, string>> = {
  'calls/put-64':
    'A put takes 60 to 70 µs of processor time over all threads, so two cores are full at some 30,000 a second. 47 % of it is JavaScript (gateway, three replicas, messages, Merkle trees), 22 % LevelDB and libc (three inserts into memtables, three logs, compaction), 11 % the kernel (writing, waking threads). A Redis Cluster with one replica each keeps two copies in memory, answers before the second has one, and does a third of the work. It would take cores for the nodes: here five threads of nodes, the caller, and LevelDB’s own threads share two.',
  'calls/batch':
    'As for single puts: 100 records are 300 inserts into memtables, 300 records in logs and as much compaction, with one core for all of LevelDB’s work and one for all JavaScript (22 % compiled code, 21 % LevelDB, 17 % built-ins, 9 % compilers, 8 % libc, 8 % kernel). It would take cores, or stores that do not compact.',
  'durability/put-64':
    'The disk is hardly the limit: a loop of 4 KiB and fdatasync made 400 a second on one file and 12,000 on five at a time. Two of three copies are synced, each with its witness, so a write waits for two syncs one after the other on each of them, beside what any put costs; Redis appends all 64 to one file and syncs once. It would take a witness inside LevelDB’s own log, and cores.',
  'calls/scan-100000':
    'A row takes 8 to 9 µs of processor time, 3 of them in the caller’s thread: partitions lie among each other in the order of keys, so two of five nodes read 120 % of what is asked, and each row is merged, copied and given by a promise. On three nodes each reads all. It would take cores, or rows handed over by the page.',
  'calls/scan-50':
    'One scan at a time: it waits for the slower of two or three threads, each of which wakes, makes an iterator of LevelDB in a thread of libuv, and answers: 16 changes of threads for 50 rows. It would take an iterator that can be read without a turn of libuv (as `getSync` is for gets).',
  'ycsb/B-zipfian':
    'Reads that are kept by the caller cost 1 to 2 µs, but the keys that are read most are written most, and what is being written is not kept: a quarter of the reads ask a node, in small messages. The twentieth that is writes takes as much processor time as all reads together. It follows workload A, as in YCSB; measured alone it was 1.72.',
  'scaling/two-cores-to-one':
    'One thread that calls is one core: its near cache answers everything itself once it is warm, and the other core has nothing to do. With several threads that call each has a cache of its own.',
  'calls/get-many':
    'All of the keys are found in the caller’s near cache, at some 1.3 µs a key with what the bench itself does (a cache of objects beside it: 0.2 to 0.4, whose values are shared, not copied): 0.6 to 0.8 µs of it is the look itself, some four reads of memory that no processor cache holds, and a copy of the value. lmdb reads its file in place.',
  'calls/get-serial':
    'A miss of the near cache is a message to a thread and one back, some 100 µs of waking up here, as any call across threads; lmdb and a cache in the same thread have none.',
  'crash/worst-stall':
    'The ports of a thread that ends close 0.4 to 4 ms after it stopped, 4 to 9 ms before Node.js tells of its exit, and its requests go elsewhere then. What is left is two cores for everything: the successor opens its store on them, while the others go on and write what it missed. The same load without a death has stalls of 8 to 18 ms (_worst-calm_). It would take cores.',
  'idle/memory':
    'A thread of Node.js 20 that does nothing takes 8.9 MB here, and there are nine: eight nodes and a spare one. The modules take 4 MB in each, store, trees and tables 4 MB more. It would take isolates that share code.',
  'idle/processor':
    'Each node wakes 15 times a second for 0.3 ms (26 times, before heartbeats lay in shared memory): its own tick every 250 ms, two exchanges of gossip that it begins each second, and two that others begin. A thread of Node.js that has nothing but a timer takes 0.15 to 0.35 ms for each wake here, so it is wakes that count. The opener looks at its threads 20 times a second (0.8 % of a core), and V8’s own four threads take 0.8 %. Longer intervals (`heartbeatMs`, `gossipMs`) cost as much less, and silence is seen later.',
}
