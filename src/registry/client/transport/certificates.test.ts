import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { readHostCertificates } from './certificates.ts'

function directory(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'b-'))
  t.after(() => rmSync(path, { recursive: true }))
  return path
}

function write(root: string, host: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(join(root, host), { recursive: true })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, host, name), text)
}

test('readHostCertificates() takes the first directory with the host, and notices changes', (t) => {
  const [own, docker] = [directory(t), directory(t)]
  const read = () => readHostCertificates([own, docker, '/nonexistent'], ['reg:5000', 'other'])
  assert.deepEqual(read(), { signature: '', authorities: [], clients: [] })
  write(docker, 'other', { 'ca.crt': 'O' })
  assert.deepEqual(read().authorities, ['O'])
  write(docker, 'reg:5000', { 'a.crt': 'A', 'b.crt': 'B', 'c.cert': 'C', 'c.key': 'K', 'notes.txt': 'N' })
  const { authorities, clients, signature } = read()
  assert.deepEqual([authorities, clients], [['A', 'B'], [{ cert: 'C', key: 'K' }]])
  assert.equal(read().signature, signature)
  write(docker, 'reg:5000', { 'b.crt': 'BB' })
  assert.deepEqual(read().authorities, ['A', 'BB'])
  write(own, 'reg:5000', {})
  assert.deepEqual(read().authorities, [])
  assert.deepEqual(readHostCertificates([docker], ['..', '', 'a/b']).authorities, [])
})

test("readHostCertificates() refuses an incomplete pair with Docker's messages", (t) => {
  const root = directory(t)
  write(root, 'one', { 'client.cert': 'C' })
  write(root, 'two', { 'client.key': 'K' })
  assert.throws(() => readHostCertificates([root], ['one']), {
    kind: 'unavailable',
    message: 'missing key client.key for client certificate client.cert. CA certificates must use the extension .crt',
  })
  assert.throws(() => readHostCertificates([root], ['two']), {
    message: 'missing client certificate client.cert for key client.key',
  })
})
