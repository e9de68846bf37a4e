/** Entry point of `berthd`: loads the daemon through a compile cache. Once the cache is warm, Node's type stripper
 *  is not loaded (50 ms and 10 MB). It is JavaScript for the reason given in `berth.mjs`. */
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

// This comes before anything is written. With 000, other users could change the daemon's files, including the compile
// cache; with 077, users of containers could not read their `/etc/hosts`.
process.umask(0o022)
enableCompileCache(join(import.meta.dirname, '../node_modules/.cache/berth'))
await import('../src/daemon/main.ts')
