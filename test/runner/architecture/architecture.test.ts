/** The architecture as a test: which room may import which, how folders are entered, and what may be touched where. The
 *  table of rooms is `rooms.ts`; docs/architecture.md explains it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { maxFileLines, maxFolderFiles, maxPublicMethods, publicEntries, rooms } from './rooms.ts'
import { undocumentedExports, unusedExports } from './source-exports.ts'
import { countFiles, findCycle, publicMethods, readSources, type SourceFile } from './source-files.ts'

const sources = readSources('src')
const product = sources.filter((file) => !file.isTest)
/** Written by hand. What a generator writes has the generator's names and lengths. */
const handmade = (file: SourceFile) => !file.path.includes('/gen/')
/** Where the sizes of folders and files are limited. */
const handmadeFolders = ['src', 'bin', 'bench', 'test']

/** All of `problems` in one message, so that a run shows every violation. */
function assertNone(problems: readonly string[]): void {
  assert.equal(problems.length, 0, `\n${problems.join('\n')}`)
}

function problemsOf(files: readonly SourceFile[], check: (file: SourceFile) => readonly string[]): string[] {
  return files.flatMap((file) => check(file).map((problem) => `${file.path}: ${problem}`))
}

test('every room of src is in the table, once, and the table names no other', () => {
  const there = new Set(product.map(({ room }) => room))
  const listed = rooms.map(({ room }) => room)
  assertNone([
    ...[...there].filter((room) => !listed.includes(room)).map((room) => `${room}: not in the table`),
    ...listed.filter((room) => !there.has(room)).map((room) => `${room}: in the table, but not in src`),
    ...listed.filter((room, index) => listed.indexOf(room) !== index).map((room) => `${room}: twice in the table`),
  ])
})

test('a room imports exactly the rooms that the table allows', () => {
  const used = new Map<string, Map<string, string>>()
  for (const file of product) {
    for (const { room } of file.internalImports) {
      if (room === file.room) continue
      const uses = used.get(file.room) ?? new Map<string, string>()
      used.set(file.room, uses.set(room, file.path))
    }
  }
  assertNone(
    rooms.flatMap(({ room, imports }) => {
      const uses = used.get(room) ?? new Map<string, string>()
      return [
        ...[...uses]
          .filter(([to]) => !imports.includes(to))
          .map(([to, path]) => `${room} may not import ${to}: ${path}`),
        ...imports.filter((to) => !uses.has(to)).map((to) => `${room} does not import ${to}: take it off the table`),
      ]
    }),
  )
})

test('rooms import only rooms that stand above them in the table', () => {
  const position = new Map(rooms.map(({ room }, index) => [room, index]))
  assertNone(
    rooms.flatMap(({ room, imports }, index) =>
      imports
        .filter((to) => (position.get(to) ?? index) >= index)
        .map((to) => `${room} imports ${to}, which is below it`),
    ),
  )
})

test(`a folder has at most ${maxFolderFiles} files`, () => {
  const folders = handmadeFolders.flatMap(countFiles).filter(({ folder }) => !/\/gen$|^bench\/results$/.test(folder))
  assertNone(
    folders.filter(({ files }) => files > maxFolderFiles).map(({ folder, files }) => `${folder}: ${files} files`),
  )
})

test(`a class has at most ${maxPublicMethods} public methods`, () => {
  assertNone(
    problemsOf(product.filter(handmade), (file) =>
      publicMethods(file.code)
        .filter(({ methods }) => methods.length > maxPublicMethods)
        .map(({ className, methods }) => `${className} has ${methods.length}: ${methods.join(', ')}`),
    ),
  )
})

test('what an index.ts exports has a docstring', () => {
  assertNone(undocumentedExports('src').map(({ path, name }) => `${path}: ${name} has no docstring`))
})

test('what is exported is used', () => {
  const unused = unusedExports('src', { users: handmadeFolders, entries: publicEntries })
  assertNone(unused.map(({ path, name }) => `${path}: nothing imports ${name}`))
})

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
  const long = handmadeFolders.flatMap(readSources).filter((file) => handmade(file) && file.lines > maxFileLines)
  assertNone(long.map((file) => `${file.path}: ${file.lines} lines`))
})

test('there are no default exports', () => {
  assertNone(
    product.filter((file) => /^export default\b/m.test(file.code)).map((file) => `${file.path}: default export`),
  )
})
