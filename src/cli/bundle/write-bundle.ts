/** Keeps the bundle of the command line in the cache, with a list of its sources that tells when it is stale:
 *
 *    <cache>/cli.mjs    the bundle
 *    <cache>/cli.json   {node, files: [[path, modified, size], …]}
 *
 *  `bin/berth.mjs` reads both. */
import { mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundleModules } from './bundle-modules.ts'

const entry = 'src/cli/main.ts'

/** Makes both files anew. Each is replaced in one step, so that others may read meanwhile. */
export function writeBundle(root: string, cache: string): void {
  const { text, files } = bundleModules(root, entry, ['main'])
  const stamps = files.map((path) => {
    const { mtimeMs, size } = statSync(join(root, path))
    return [path, mtimeMs, size]
  })
  mkdirSync(cache, { recursive: true })
  replaceFile(join(cache, 'cli.mjs'), text)
  replaceFile(join(cache, 'cli.json'), JSON.stringify({ node: process.version, root, files: stamps }))
}

function replaceFile(path: string, text: string): void {
  const temporary = `${path}.${process.pid}`
  writeFileSync(temporary, text)
  renameSync(temporary, path)
}
