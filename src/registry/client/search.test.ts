import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { parseSearchTerm, RegistryClient } from './index.ts'

test('parseSearchTerm() reads registries, Docker Hub and limits', () => {
  const hub = (words: string, limit = 25) => ({ registry: 'docker.io', words, limit })
  assert.deepEqual(parseSearchTerm('nginx', 0), hub('nginx'))
  assert.deepEqual(parseSearchTerm('library/nginx', 7), hub('nginx', 7))
  assert.deepEqual(parseSearchTerm('docker.io/library/nginx', 100), hub('nginx', 100))
  assert.deepEqual(parseSearchTerm('team/app', 0), hub('team/app'))
  assert.deepEqual(parseSearchTerm('localhost/team/app', 1), { registry: 'localhost', words: 'team/app', limit: 1 })
  assert.deepEqual(parseSearchTerm('reg:5000/x', 0), { registry: 'reg:5000', words: 'x', limit: 25 })
  assert.throws(() => parseSearchTerm('x', 101), { message: 'limit 101 is outside the range of [1, 100]' })
  assert.throws(() => parseSearchTerm('https://x/y', 0), { kind: 'invalidArgument' })
})

test("RegistryClient.search() reads a registry's results, sends credentials, and refuses malformed answers", async () => {
  let body = JSON.stringify({
    results: [
      { name: 'a/b', description: 'd', star_count: 4, is_official: true, is_automated: true },
      { name: 'c' },
      7,
    ],
  })
  const seen: unknown[] = []
  const server = createServer((request, response) => {
    seen.push([request.url, request.headers.authorization])
    response.end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const client = new RegistryClient()
  try {
    const registry = `127.0.0.1:${(server.address() as AddressInfo).port}`
    const term = { registry, words: 'a b', limit: 5 }
    const found = await client.search(term, { username: 'u', password: 'p' })
    assert.deepEqual(found, [
      { name: 'a/b', description: 'd', starCount: 4, isOfficial: true },
      { name: 'c', description: '', starCount: 0, isOfficial: false },
    ])
    assert.deepEqual(seen.at(-1), ['/v1/search?q=a+b&n=5', `Basic ${Buffer.from('u:p').toString('base64')}`])
    body = '<html>'
    await assert.rejects(client.search(term, {}), { kind: 'unavailable' })
    body = '{}'
    assert.deepEqual(await client.search(term, {}), [])
  } finally {
    client.close()
    server.closeAllConnections()
    server.close()
  }
})
