/** Entry of `berthd`: loads the daemon through a compile cache, so that Node's type stripper is not even
 *  loaded once the cache is warm (50 ms and 10 MB). JavaScript for the reason that `berth.mjs` tells. */
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

// Before anything is written. With 000 other users could change the daemon's files, the compile cache among them; with 077
// users of containers could not read their `/etc/hosts`.
process.umask(0o022)
enableCompileCache(join(import.meta.dirname, '../node_modules/.cache/berth'))
await import('../src/daemon/main.ts')
