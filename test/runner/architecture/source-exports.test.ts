import assert from 'node:assert/strict'
import { test } from 'node:test'
import { undocumentedIn, unusedIn } from './source-exports.ts'

const modules = [
  { path: 'src/a/index.ts', text: "export { one, type Two } from './file.ts'\n" },
  {
    path: 'src/a/file.ts',
    text: '/** Says what it does. */\nexport const one = 1\nexport interface Two {}\nexport function three() {}\n',
  },
]

test('unusedIn() finds exports that no file imports, through an index too', () => {
  const users = [...modules, { path: 'src/b/user.ts', text: "import { one } from '../a/index.ts'\n" }]
  const names = (entries: readonly string[]) =>
    unusedIn(modules, { users, entries }).map(({ path, name }) => `${path} ${name}`)
  assert.deepEqual(names([]), ['src/a/index.ts Two', 'src/a/file.ts three'])
  assert.deepEqual(names(['src/a/index.ts']), ['src/a/file.ts three'])
  users.push({ path: 'src/c/index.ts', text: "export * from '../a/file.ts'\n" })
  const all = unusedIn(users, { users, entries: ['src/c/index.ts'] }).map(({ path, name }) => `${path} ${name}`)
  assert.deepEqual(all, ['src/a/index.ts Two'])
})

test('undocumentedIn() finds what an index exports without a docstring', () => {
  assert.deepEqual(
    undocumentedIn(modules).map(({ name }) => name),
    ['Two'],
  )
})
