/** Keeps the bundle of the command line in the cache, with a list of its sources that shows when it is stale:
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

/** Writes both files. Throws at once when `cache` is not writable. Each file is replaced in one step, so other
 *  processes may read them meanwhile. */
export function writeBundle(root: string, cache: string): void {
  mkdirSync(cache, { recursive: true })
  // Without this check, every command would make a bundle that can't be kept.
  accessSync(cache, constants.W_OK)
  const { text, files } = bundleModules(root, entry, ['main'])
  const stamps = files.map((path) => {
    const { mtimeMs, size } = statSync(join(root, path))
    return [path, mtimeMs, size]
  })
  replaceFile(join(cache, 'cli.mjs'), text)
  replaceFile(join(cache, 'cli.json'), JSON.stringify({ node: process.version, root, files: stamps }))
}

/** Command lines that run most of the code, and end before they send anything. */
const rehearsals = [
  ['--version'],
  ['run', '--help'],
  ['-H', 'unix:///nonexistent/berth.sock', 'run', '--rm', '-v', '/a:/b', '-p', '1:2', '-e', 'A=b', 'image', 'program'],
  ['-H', 'unix:///nonexistent/berth.sock', 'exec', 'container', 'program'],
  ['-H', 'unix:///nonexistent/berth.sock', 'ps'],
]

const nowhere = { isTerminal: false, columns: 80, rows: 24, write() {} }

/** Runs the bundle's code. Node writes its compile cache once, when this process ends; after the rehearsal, it holds
 *  all functions that commands need. */
export async function rehearse(cache: string): Promise<void> {
  const { main } = (await import(pathToFileURL(join(cache, 'cli.mjs')).href)) as typeof import('../main.ts')
  for (const args of rehearsals) await main(args, { output: nowhere, errors: nowhere, environment: {} })
}

function replaceFile(path: string, text: string): void {
  const temporary = `${path}.${process.pid}`
  writeFileSync(temporary, text)
  renameSync(temporary, path)
}
