import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { fetchArchive, parseArchiveUrl } from './fetch-archive.ts'

/** Starts a server on a free port; returns its URL. */
async function serve(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  t.after(() => server.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/a.tar`
}

test('parseArchiveUrl() adds http, and refuses other schemes', () => {
  assert.equal(parseArchiveUrl('example.org/a.tar'), 'http://example.org/a.tar')
  assert.equal(parseArchiveUrl('HTTPS://example.org/a.tar'), 'HTTPS://example.org/a.tar')
  assert.throws(() => parseArchiveUrl('ftp://example.org/a'), {
    kind: 'invalidArgument',
    message: 'Get "ftp://example.org/a": unsupported protocol scheme "ftp"',
  })
  assert.throws(() => parseArchiveUrl('http://'), { kind: 'invalidArgument', message: /^parse "http:\/\/": / })
})

test('fetchArchive() returns the body and its size', async (t) => {
  const url = await serve(t, (_, response) => response.end('archive'))
  using archive = await fetchArchive(url, {})
  assert.equal(archive.sizeBytes, 7)
  assert.equal(Buffer.concat(await archive.body.toArray()).toString(), 'archive')
})

test('fetchArchive() reports an error status with the reason of the page', async (t) => {
  for (const [status, kind] of [
    [404, 'invalidArgument'],
    [500, 'unavailable'],
  ] as const) {
    const url = await serve(t, (_, response) => response.writeHead(status).end(' gone for good \n'))
    await assert.rejects(fetchArchive(url, {}), { kind, message: new RegExp(`with status ${status} .*gone for good`) })
  }
})
