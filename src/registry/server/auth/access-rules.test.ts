import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AccessRule, AccessRules } from './access-rules.ts'
import { compileRepositoryPattern } from './repository-pattern.ts'

for (const [pattern, yes, no] of [
  ['app', ['app'], ['apps', 'my/app', 'app/x']],
  ['team/*', ['team/a', 'team/a-b'], ['team', 'team/a/b', 'steam/a']],
  ['team/**', ['team/a', 'team/a/b'], ['team', 'steam/a']],
  ['**', ['a', 'a/b/c'], []],
  ['**/app', ['app', 'a/app', 'a/b/app'], ['application', 'a/app/b', 'myapp']],
  ['a/**/z', ['a/z', 'a/b/z', 'a/b/c/z'], ['az', 'a/b']],
  ['*-dev', ['x-dev'], ['x-dev/y', 'a/x-dev']],
  ['a.b/c', ['a.b/c'], ['axb/c']],
  ['${user}/**', ['alice/a', 'alice/a/b'], ['alice', 'bob/a', 'alicea/b']],
  ['${user}', ['alice'], ['bob']],
] as const) {
  test(`compileRepositoryPattern() of ${pattern}`, () => {
    const expression = compileRepositoryPattern(pattern, 'alice')
    for (const name of yes) assert.ok(expression.test(name), name)
    for (const name of no) assert.ok(!expression.test(name), name)
  })
}

test('compileRepositoryPattern() takes user names literally, and matches nothing for anonymous clients', () => {
  assert.ok(!compileRepositoryPattern('${user}/*', 'a.c').test('abc/x'))
  assert.ok(!compileRepositoryPattern('${user}/*', '.*').test('abc/x'))
  assert.ok(!compileRepositoryPattern('${user}/*', undefined).test('/x'))
  assert.ok(!compileRepositoryPattern('${user}', undefined).test(''))
})

const nobody: AccessRule = { users: [], groups: [], anonymous: false, repositories: [], actions: [], catalog: false }
const rules = new AccessRules({
  groups: { dev: ['alice', 'bob'] },
  rules: [
    { ...nobody, anonymous: true, repositories: ['public/**'], actions: ['pull'] },
    { ...nobody, groups: ['dev'], repositories: ['team/*'], actions: ['pull', 'push'] },
    { ...nobody, users: ['bob'], repositories: ['team/*'], actions: ['delete'] },
    { ...nobody, users: ['root'], repositories: ['**'], actions: ['pull', 'push', 'delete'], catalog: true },
  ],
})

for (const [user, name, actions, allowed] of [
  [undefined, 'public/a', ['pull', 'push'], ['pull']],
  [undefined, 'team/a', ['pull'], []],
  ['alice', 'public/a', ['pull', 'push', 'delete', '*'], ['pull']],
  ['alice', 'team/a', ['pull', 'push', 'delete', '*'], ['pull', 'push']],
  ['alice', 'team/a/b', ['pull'], []],
  ['bob', 'team/a', ['pull', 'push', 'delete', '*'], ['pull', 'push', 'delete', '*']],
  ['eve', 'team/a', ['pull'], []],
  ['root', 'any/thing', ['*'], ['*']],
] as const) {
  test(`AccessRules gives ${user} ${allowed.join() || 'nothing'} of ${actions.join()} on ${name}`, () => {
    assert.deepEqual(rules.of(user).allowed({ type: 'repository', name, actions }), allowed)
    assert.equal(
      rules.of(user).canPull(name),
      rules.of(user).allowed({ type: 'repository', name, actions: ['pull'] }).length > 0,
    )
  })
}

test('AccessRules grants the catalog only by a rule', () => {
  const catalog = { type: 'registry', name: 'catalog', actions: ['*'] } as const
  assert.deepEqual(rules.of('root').allowed(catalog), ['*'])
  assert.deepEqual(rules.of('alice').allowed(catalog), [])
  assert.deepEqual(rules.of('root').allowed({ ...catalog, name: 'other' }), [])
})

test('AccessRules without rules allows everything to users and nothing to others', () => {
  const open = new AccessRules()
  const scope = { type: 'repository', name: 'a', actions: ['pull', 'push', 'delete'] } as const
  assert.deepEqual(open.of('alice').allowed(scope), scope.actions)
  assert.deepEqual(open.of(undefined).allowed(scope), [])
})
