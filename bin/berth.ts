/** Entry of `berth`: loads the command line with a compile cache, and starts the daemon in the background
 *  when the command line finds none listening. Kept this small because every `berth …` pays for it. */
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
enableCompileCache(join(root, 'node_modules/.cache/berth'))
const { main } = await import('../src/cli/main.ts')
process.exitCode = await main(process.argv.slice(2), {
  onNoDaemon: async (socketPath: string) => {
    const { startDaemonInBackground } = await import('./start-daemon.ts')
    await startDaemonInBackground(root, socketPath)
  },
})
