/** Entry of `berth`: loads the command line through a compile cache, and starts the daemon in the background
 *  when the command line finds none listening. JavaScript, because the first file is loaded before the cache
 *  is: in TypeScript it would bring Node's type stripper in, 50 ms at every call. */
import { enableCompileCache, registerHooks } from 'node:module'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
enableCompileCache(join(root, 'node_modules/.cache/berth'))
// Our imports name files as they are; Node's resolver would look at the disk and for a package.json for each of them.
registerHooks({
  resolve: (specifier, context, next) =>
    specifier.startsWith('.') && specifier.endsWith('.ts')
      ? { url: new URL(specifier, context.parentURL).href, format: 'module-typescript', shortCircuit: true }
      : next(specifier, context),
})
const { main } = await import('../src/cli/main.ts')
const code = await main(process.argv.slice(2), {
  onNoDaemon: async (socketPath) => {
    const { startDaemonInBackground } = await import('./start-daemon.ts')
    await startDaemonInBackground(root, socketPath)
  },
  makeTerminalRaw: async () => (await import('./raw-terminal.ts')).makeTerminalRaw(),
})
// All output is written by now; handles that are still open (a terminal's input) must not hold the end up.
process.exit(code)
