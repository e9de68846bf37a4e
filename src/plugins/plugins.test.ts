import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { TestAuthority } from '../../test/helpers/certificates.ts'
import { isKind, nullLogger } from '../base/index.ts'
import { listPlugins, parseAddress } from './plugin-address.ts'
import { Plugins } from './plugins.ts'

function directory(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'bpl'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

function open(path: string, retryMs = 0, logger = nullLogger): Plugins {
  return new Plugins({ directories: [path, '/nonexistent'], retryMs, logger })
}

/** Answers each method with its value in the table. */
function handler(table: Readonly<Record<string, object | string>>): RequestListener {
  return (request, response) => {
    request.resume()
    const answer = { '/Plugin.Activate': { Implements: ['VolumeDriver'] }, ...table }[request.url ?? '']
    if (answer === undefined) response.writeHead(404).end('no such method')
    else if (typeof answer === 'string') response.writeHead(500).end(answer)
    else response.end(JSON.stringify(answer))
  }
}

async function listen(t: TestContext, server: Server, where: string | number): Promise<number> {
  await new Promise<void>((resolve) =>
    typeof where === 'string' ? server.listen(where, resolve) : server.listen(where, '127.0.0.1', resolve),
  )
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return typeof where === 'string' ? 0 : (server.address() as AddressInfo).port
}

const call = { timeoutMs: 5000 }

test('parseAddress takes the forms that plugin files have', () => {
  assert.deepEqual(parseAddress('unix:///run/x.sock'), { kind: 'unix', path: '/run/x.sock' })
  assert.deepEqual(parseAddress('tcp://localhost:8080'), { kind: 'tcp', host: 'localhost', port: 8080 })
  assert.deepEqual(parseAddress('http://[::1]'), { kind: 'tcp', host: '::1', port: 80 })
  const tls = { caFile: '/ca', certFile: '', keyFile: '', insecureSkipVerify: false }
  assert.deepEqual(parseAddress('https://h:1', { CAFile: '/ca' }), { kind: 'tcp', host: 'h', port: 1, tls })
  for (const text of ['', 'nowhere', 'unix://relative', 'ftp://h:1', 'tcp://']) {
    assert.throws(() => parseAddress(text), /is not an address of a plugin|is not an absolute path/, text)
  }
})

test('listPlugins finds sockets, descriptions and directories, each name once', (t) => {
  const path = directory(t)
  for (const name of ['one.sock', 'one.spec', 'two.json', 'readme.txt', '.hidden.sock'])
    writeFileSync(join(path, name), '')
  mkdirSync(join(path, 'three'))
  writeFileSync(join(path, 'three/three.sock'), '')
  mkdirSync(join(path, 'empty'))
  assert.deepEqual(listPlugins([path, '/nonexistent']), ['one', 'three', 'two'])
})

test('Plugins.get refuses a plugin that is missing, does something else, or answers nonsense', async (t) => {
  const path = directory(t)
  const plugins = open(path)
  await assert.rejects(plugins.get('none', 'VolumeDriver'), (error) => isKind(error, 'notFound'))
  await assert.rejects(plugins.get('../none', 'VolumeDriver'), (error) => isKind(error, 'notFound'))
  writeFileSync(join(path, 'bad.json'), '{"Name": "bad"}')
  await assert.rejects(plugins.get('bad', 'VolumeDriver'), /plugin file .*bad\.json: "Addr" is missing/)
  await listen(
    t,
    createServer(handler({ '/VolumeDriver.Get': { Err: 'its own words' }, '/VolumeDriver.List': 'broken' })),
    join(path, 'ours.sock'),
  )
  await assert.rejects(
    plugins.get('ours', 'NetworkDriver'),
    /plugin "ours" found, but it does not implement NetworkDriver/,
  )
  const plugin = await plugins.get('ours', 'VolumeDriver')
  await assert.rejects(plugin.call('VolumeDriver.Get', {}, call), { message: 'its own words' })
  await assert.rejects(plugin.call('VolumeDriver.List', {}, call), { message: 'VolumeDriver.List: broken' })
  await assert.rejects(plugin.call('VolumeDriver.Path', {}, call), { message: 'VolumeDriver.Path: no such method' })
  const { plugins: all, failures } = await plugins.all('VolumeDriver')
  assert.deepEqual(
    all.map(({ name }) => name),
    ['ours'],
  )
  assert.equal(failures.length, 1)
})

test('Plugins waits for a plugin that starts late, but not for one that does not answer', async (t) => {
  const path = directory(t)
  writeFileSync(join(path, 'late.spec'), `unix://${join(path, 'there')}`)
  await assert.rejects(open(path).get('late', 'VolumeDriver'), (error) => isKind(error, 'unavailable'))
  const tried = Promise.withResolvers<void>()
  const waiting = open(path, 20_000, { ...nullLogger, warn: () => tried.resolve() }).get('late', 'VolumeDriver')
  await tried.promise
  await listen(t, createServer(handler({})), join(path, 'there'))
  assert.equal((await waiting).name, 'late')
  await listen(
    t,
    createServer((request, response) => {
      if (request.url === '/Plugin.Activate') handler({})(request, response)
    }),
    join(path, 'silent.sock'),
  )
  const silent = await open(path, 20_000).get('silent', 'VolumeDriver')
  await assert.rejects(
    silent.call('VolumeDriver.Mount', {}, { timeoutMs: 50 }),
    /VolumeDriver\.Mount: no answer from the plugin within 0\.05 s/,
  )
})

test('Plugins uses TLS with the certificate authority that a .json file names', async (t) => {
  const path = directory(t)
  const authority = await TestAuthority.create()
  const { certificate, key } = await authority.issue('plugin')
  writeFileSync(join(path, 'ca.crt'), authority.certificate)
  const server = createTlsServer({ key, cert: certificate }, handler({}))
  const port = await listen(t, server as unknown as Server, 0)
  const describe = (tls: object) =>
    writeFileSync(join(path, 'secure.json'), JSON.stringify({ Addr: `https://127.0.0.1:${port}`, TLSConfig: tls }))
  describe({ CAFile: join(path, 'ca.crt') })
  assert.equal((await open(path).get('secure', 'VolumeDriver')).name, 'secure')
  describe({})
  await assert.rejects(open(path).get('secure', 'VolumeDriver'), /certificate/)
  describe({ InsecureSkipVerify: true })
  assert.equal((await open(path).get('secure', 'VolumeDriver')).name, 'secure')
})
