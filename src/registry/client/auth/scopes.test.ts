import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wantedScopes } from './scopes.ts'

test('wantedScopes() joins the wanted scopes with those of the challenge', () => {
  assert.deepEqual(wantedScopes('a/b', 'pull', ''), ['repository:a/b:pull'])
  assert.deepEqual(wantedScopes('a/b', 'pull,push', 'repository:a/b:pull registry:catalog:*'), [
    'repository:a/b:pull,push',
    'registry:catalog:*',
  ])
  assert.deepEqual(wantedScopes('a', 'pull,push', 'repository:a:delete', ['repository:h:5000/c:pull']), [
    'repository:a:pull,push,delete',
    'repository:h:5000/c:pull',
  ])
  assert.deepEqual(wantedScopes('a', 'pull', 'nonsense'), ['repository:a:pull'])
})
