/** Keeps the bundle of the command line in the cache, with a list of its sources that tells when it is stale:
 *
 *    <cache>/cli.mjs    the bundle
 *    <cache>/cli.json   {node, files: [[path, modified, size], …]}
 *
 *  `bin/berth.mjs` reads both. */
import { accessSync, constants, mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { bundleModules } from './bundle-modules.ts'

const entry = 'src/cli/main.ts'

/** Makes both files anew. Throws at once when `cache` can't be written to. Each is replaced in one step, so that others may read meanwhile. */
export function writeBundle(root: string, cache: string): void {
  mkdirSync(cache, { recursive: true })
  // The work is in vain, and would be at every command, where the result can't be kept.
  accessSync(cache, constants.W_OK)
  const { text, files } = bundleModules(root, entry, ['main'])
  const stamps = files.map((path) => {
    const { mtimeMs, size } = statSync(join(root, path))
    return [path, mtimeMs, size]
  })
  replaceFile(join(cache, 'cli.mjs'), text)
  replaceFile(join(cache, 'cli.json'), JSON.stringify({ node: process.version, root, files: stamps }))
}

/** Command lines that go through most of the code and end before anything is sent. */
const rehearsals = [
  ['--version'],
  ['run', '--help'],
  ['-H', 'unix:///nonexistent/berth.sock', 'run', '--rm', '-v', '/a:/b', '-p', '1:2', '-e', 'A=b', 'image', 'program'],
  ['-H', 'unix:///nonexistent/berth.sock', 'exec', 'container', 'program'],
  ['-H', 'unix:///nonexistent/berth.sock', 'ps'],
]

const nowhere = { isTerminal: false, columns: 80, rows: 24, write() {} }

/** Runs the bundle's code, so that Node's compile cache, which is written once when this process ends, holds the
 *  functions that commands need and not only those that this process happened to call. */
export async function rehearse(cache: string): Promise<void> {
  const { main } = (await import(pathToFileURL(join(cache, 'cli.mjs')).href)) as typeof import('../main.ts')
  for (const args of rehearsals) await main(args, { output: nowhere, errors: nowhere, environment: {} })
}

function replaceFile(path: string, text: string): void {
  const temporary = `${path}.${process.pid}`
  writeFileSync(temporary, text)
  renameSync(temporary, path)
}
