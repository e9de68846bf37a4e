/** Entry point of `berth`: loads the command line through a compile cache, and starts the daemon in the background when
 *  none listens. It is JavaScript, because this first file is loaded before the cache is: as TypeScript, it would load
 *  Node's type stripper, 50 ms at every call. */
import { enableCompileCache, registerHooks } from 'node:module'

const { dirname } = process.getBuiltinModule('node:path')
const { accessSync, constants, mkdirSync, readFileSync, statSync } = process.getBuiltinModule('node:fs')

const root = dirname(import.meta.dirname)
const cache = cacheDirectory()
enableCompileCache(cache)
const bundle = freshBundle()
const { main } = await import(bundle ?? sources())
const code = await main(process.argv.slice(2), {
  onNoDaemon: async (socketPath) => {
    const { startDaemonInBackground } = await import('./start-daemon.ts')
    await startDaemonInBackground(root, socketPath)
  },
  runProgram: async (...call) => (await import('./run-program.ts')).runProgram(...call),
  runPlugin: async (...call) => (await import('./run-plugin.ts')).runPlugin(...call),
  openTunnel: async (...call) => (await import('./open-tunnel.ts')).openTunnel(...call),
  makeTerminalRaw: async () => (await import('./raw-terminal.ts')).makeTerminalRaw(),
})
if (bundle === undefined) await renewBundle()
// All output is written by now. Handles that are still open (a terminal's input) must not delay the end.
process.exit(code)

/** The cache is beside the code or, for users who may not write there, in their home. */
function cacheDirectory() {
  const shared = `${root}/node_modules/.cache/berth`
  try {
    mkdirSync(shared, { recursive: true })
    accessSync(shared, constants.W_OK)
    return shared
  } catch {
    return `${process.env.XDG_CACHE_HOME || `${process.getBuiltinModule('node:os').homedir()}/.cache`}/berth`
  }
}

/** The command line in one file, if it was made from the present sources: it saves 20 ms. */
function freshBundle() {
  try {
    const { node, root: madeFor, files } = JSON.parse(readFileSync(`${cache}/cli.json`, 'utf8'))
    const fresh = files.every(([path, modified, size]) => {
      const stat = statSync(`${root}/${path}`)
      return stat.mtimeMs === modified && stat.size === size
    })
    return fresh && node === process.version && madeFor === root ? `${cache}/cli.mjs` : undefined
  } catch {
    // There is no bundle, or one of its sources has gone.
    return undefined
  }
}

/** Loads the sources. Their imports are complete file names, so they are resolved here; Node's resolver would also look
 *  for a package.json for each of them. */
function sources() {
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier.startsWith('.') && specifier.endsWith('.ts')
        ? { url: new URL(specifier, context.parentURL).href, format: 'module-typescript', shortCircuit: true }
        : next(specifier, context),
  })
  return '../src/cli/main.ts'
}

async function renewBundle() {
  try {
    const { rehearse, writeBundle } = await import('../src/cli/bundle/write-bundle.ts')
    writeBundle(root, cache)
    await rehearse(cache)
  } catch {
    // The cache belongs to another user, or the disk is full. The sources work without it.
  }
}
