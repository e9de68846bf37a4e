import assert from 'node:assert/strict'
import { test } from 'node:test'
import { turnsDuring } from '../../../test/helpers/turns.ts'
import { ContextTree } from './context-tree.ts'
import { type SelectOptions, selectFiles } from './select-files.ts'

/** A tree of empty files at these paths, with their parent directories. */
function treeOf(paths: readonly string[]): ContextTree {
  const tree = new ContextTree()
  const facts = { type: 'file', mode: 0o644, uid: 0, gid: 0, sizeBytes: 0, mtimeNs: 0n, linkPath: '' } as const
  for (const path of paths) tree.set(path, facts)
  return tree
}

const tree = treeOf(['app/a.js', 'app/a.ts', 'app/lib/b.ts', 'app/lib/deep/c.js', 'app/old/d.js', 'other/e.ts'])

async function selected(source: string, options: SelectOptions = {}): Promise<string[] | undefined> {
  const groups = await selectFiles(tree, source, options)
  return groups?.flatMap(({ name, entries }) => entries.map(({ path }) => (path === '' ? name : path)))
}

test('selectFiles() gives a directory before its contents', async () => {
  assert.deepEqual(await selected('app/lib'), ['lib', 'b.ts', 'deep', 'deep/c.js'])
  assert.deepEqual(await selected('app/a.ts'), ['a.ts'])
  assert.equal(await selected('none'), undefined)
})

test('selectFiles() expands wildcards, and keeps parent directories with parents', async () => {
  assert.deepEqual(await selected('app/*.ts'), ['a.ts'])
  assert.deepEqual(await selected('*/*.ts'), ['a.ts', 'e.ts'])
  assert.deepEqual(await selected('app/*.py'), [])
  assert.deepEqual(await selected('app/**/*.js', { parents: true }), [
    'app',
    'app/a.js',
    'app',
    'app/lib',
    'app/lib/deep',
    'app/lib/deep/c.js',
    'app',
    'app/old',
    'app/old/d.js',
  ])
  assert.deepEqual(await selected('app/lib', { parents: true }), [
    'app',
    'app/lib',
    'app/lib/b.ts',
    'app/lib/deep',
    'app/lib/deep/c.js',
  ])
})

test('selectFiles() gives an excluded directory only if an exception brings back something in it', async () => {
  assert.deepEqual(await selected('app', { exclude: ['lib', 'old'] }), ['app', 'a.js', 'a.ts'])
  assert.deepEqual(await selected('app', { exclude: ['lib', 'old', '!lib/deep/c.js'] }), [
    'app',
    'a.js',
    'a.ts',
    'lib',
    'lib/deep',
    'lib/deep/c.js',
  ])
})

for (const [what, options] of [
  ['selects', {}],
  ['leaves out', { exclude: ['**', '!*/none'] }],
] as const) {
  test(`selectFiles() does not block the event loop while it ${what} very many files`, async () => {
    const large = treeOf(Array.from({ length: 100_000 }, (_, at) => `d${at % 100}/f${at}`))
    assert.notEqual(await turnsDuring(() => selectFiles(large, '.', options)), 0)
  })
}
