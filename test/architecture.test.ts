/** The architecture as a test: which folder may import which, how folders are entered, and what may be
 *  touched where. The table of allowed edges is `architecture.ts`; docs/architecture.md explains it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allowedImports, maxFileLines } from './architecture.ts'
import { findCycle, readSources, type SourceFile } from './helpers/source-files.ts'

const sources = readSources('src')
const product = sources.filter((file) => !file.isTest)
/** Written by hand. What a generator writes has the generator's names and lengths. */
const handmade = (file: SourceFile) => !file.path.includes('/gen/')

/** All of `problems` in one message, so that a run shows every violation. */
function assertNone(problems: readonly string[]): void {
  assert.equal(problems.length, 0, `\n${problems.join('\n')}`)
}

function problemsOf(files: readonly SourceFile[], check: (file: SourceFile) => readonly string[]): string[] {
  return files.flatMap((file) => check(file).map((problem) => `${file.path}: ${problem}`))
}

test('every folder of src is in the table of allowed imports', () => {
  const known = new Set(Object.keys(allowedImports))
  assertNone([...new Set(sources.map((file) => file.folder))].filter((folder) => !known.has(folder)))
})

test('folders import only what the table allows', () => {
  assertNone(
    problemsOf(product, (file) =>
      file.internalImports
        .filter(({ folder, path }) => folder !== file.folder && !isAllowed(allowedOf(file), folder, path))
        .map(({ specifier }) => `${file.folder} may not import ${specifier}`),
    ),
  )
})

function isAllowed(allowed: readonly string[], folder: string, path: string): boolean {
  return allowed.includes(folder) || allowed.includes(path.split('/').slice(1, 3).join('/'))
}

function allowedOf(file: SourceFile): readonly string[] {
  const subfolder = file.path.split('/').slice(1, 3).join('/')
  return allowedImports[subfolder] ?? allowedImports[file.folder] ?? []
}

test('other folders are entered through their index.ts', () => {
  assertNone(
    problemsOf(product, (file) =>
      file.internalImports
        .filter(({ folder, path }) => folder !== file.folder && path !== `src/${folder}/index.ts`)
        .filter(({ path }) => !isSubfolderIndex(path))
        .map(({ specifier }) => `enters another folder past its index.ts: ${specifier}`),
    ),
  )
})

/** `registry/client/index.ts` is a door of its own; so is every other nested index. */
function isSubfolderIndex(path: string): boolean {
  return /^src\/[^/]+\/.+\/index\.ts$/.test(path)
}

test('an index.ts contains re-exports only', () => {
  const statement = /^(?:export\s+(?:type\s+)?(?:\{[^}]*\}|\*(?:\s+as\s+\w+)?)\s+from\s+'[^']+';?\s*)*$/
  assertNone(
    product
      .filter((file) => file.path.endsWith('/index.ts'))
      .filter((file) => !statement.test(file.code.replace(/^#!.*\n/, '').trimStart()))
      .map((file) => `${file.path}: has more than re-exports`),
  )
})

test('no file imports itself through others, types included', () => {
  const graph = new Map(product.map((file) => [file.path, file.internalImports.map(({ path }) => path)]))
  const cycle = findCycle(graph)
  assert.equal(cycle, undefined, `cycle: ${cycle?.join(' -> ')}`)
})

test('relative imports name files that exist', () => {
  // Unit tests use what all tests share.
  const paths = new Set([...sources, ...readSources('test')].map((file) => file.path))
  assertNone(
    problemsOf(sources, (file) =>
      file.internalImports.filter(({ path }) => !paths.has(path)).map(({ specifier }) => `no such file: ${specifier}`),
    ),
  )
})

test('child processes and native calls live in sys only', () => {
  const banned = new Set(['node:child_process', 'child_process', 'koffi', 'node:ffi'])
  assertNone(
    problemsOf(
      product.filter((file) => file.folder !== 'sys'),
      (file) => file.packageImports.filter((name) => banned.has(name)).map((name) => `imports ${name}`),
    ),
  )
})

test('SQLite is opened in store only', () => {
  assertNone(
    problemsOf(
      product.filter((file) => file.folder !== 'store'),
      (file) => file.packageImports.filter((name) => name === 'node:sqlite').map((name) => `imports ${name}`),
    ),
  )
})

test('the environment is read in config only, the console written in cli only', () => {
  assertNone([
    ...product
      .filter((file) => file.folder !== 'config' && /\bprocess\.env\b/.test(file.code))
      .map((file) => `${file.path}: reads process.env`),
    ...product
      .filter((file) => file.folder !== 'cli' && /(?<![-\w])console\.\w+\(/.test(file.code))
      .map((file) => `${file.path}: writes to the console`),
  ])
})

test('the server knows HTTP, nobody below it does', () => {
  const below = new Set(['content', 'snapshots', 'network', 'volumes', 'runtime', 'logs', 'images', 'containers'])
  assertNone(
    problemsOf(
      product.filter((file) => below.has(file.folder)),
      (file) => file.packageImports.filter((name) => name === 'node:http').map((name) => `imports ${name}`),
    ),
  )
})

test('files are named for what they hold, in kebab case', () => {
  const vague = new Set(['types.ts', 'utils.ts', 'util.ts', 'helpers.ts', 'common.ts', 'misc.ts'])
  assertNone(
    sources
      .filter(handmade)
      .filter((file) => vague.has(file.name) || !/^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.test)?\.ts$/.test(file.name))
      .map((file) => `${file.path}: name`),
  )
})

test(`files have at most ${maxFileLines} lines`, () => {
  const long = product.filter(handmade).filter((file) => file.lines > maxFileLines)
  assertNone(long.map((file) => `${file.path}: ${file.lines} lines`))
})

test('there are no default exports', () => {
  assertNone(
    product.filter((file) => /^export default\b/m.test(file.code)).map((file) => `${file.path}: default export`),
  )
})
