import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Router } from './router.ts'

const router = new Router<string>()
for (const pattern of [
  '/containers/json',
  '/containers/{id}/json',
  '/containers/{id}',
  '/images/json',
  '/images/get',
  '/images/{name...}/get',
  '/images/{name...}/json',
  '/_ping',
]) {
  router.add('GET', pattern, pattern)
}

const cases: readonly (readonly [path: string, pattern: string | undefined, parameters?: Record<string, string>])[] = [
  ['/containers/json', '/containers/json'],
  ['/containers/json/', '/containers/json'],
  ['/containers/abc/json', '/containers/{id}/json', { id: 'abc' }],
  ['/containers/json/json', '/containers/{id}/json', { id: 'json' }],
  ['/containers/a/b/json', undefined],
  ['/images/127.0.0.1:5000/a/b:c/json', '/images/{name...}/json', { name: '127.0.0.1:5000/a/b:c' }],
  ['/images/a%2Fb@sha256:00/json', '/images/{name...}/json', { name: 'a/b@sha256:00' }],
  ['/images/json/json', '/images/{name...}/json', { name: 'json' }],
  ['/images//json', undefined],
  ['/containers/%zz/json', '/containers/{id}/json', { id: '%zz' }],
  ['/_ping', '/_ping'],
  ['/', undefined],
  ['', undefined],
]

for (const [path, pattern, parameters = {}] of cases) {
  test(`Router.find() ${path}`, () => {
    const match = router.find('GET', path)
    assert.equal(match?.target, pattern)
    if (match !== undefined) assert.deepEqual({ ...match.parameters }, parameters)
  })
}

test('Router.find() tells methods apart', () => {
  assert.equal(router.find('POST', '/containers/json'), undefined)
})
