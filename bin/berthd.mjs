/** Entry of `berthd`: loads the daemon through a compile cache, so that Node's type stripper is not even
 *  loaded once the cache is warm (50 ms and 10 MB). JavaScript for the reason that `berth.mjs` tells. */
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

enableCompileCache(join(import.meta.dirname, '../node_modules/.cache/berth'))
await import('../src/daemon/main.ts')
