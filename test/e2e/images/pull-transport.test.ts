/** Connections to registries: certificates from certs.d, proxies, insecure registries, and mirrors that fail. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { TestAuthority } from '../../helpers/certificates.ts'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { writeBusyboxArchive } from '../../helpers/images/test-image.ts'
import { HttpProxy } from '../../helpers/registries/http-proxy.ts'
import { TestRegistry } from '../../helpers/registries/registry.ts'
import { SlowProxy } from '../../helpers/registries/slow-proxy.ts'

const hub = 'registry-1.docker.io'
let directory: string
let archive: string
let id: string
let proxy: HttpProxy
let daemon: TestDaemon
let authority: TestAuthority
let plain: TestRegistry
let mirrorPort: number
let mirror: Server
/** How the mirror behaves. */
let answerOfMirror: (path: string) => number | string | undefined = () => 404

before(async () => {
  directory = mkdtempSync('/tmp/b-')
  archive = join(directory, 'busybox.tar')
  id = await writeBusyboxArchive({ path: archive })
  authority = await TestAuthority.create()
  proxy = await HttpProxy.start()
  proxy.credentials = 'proxyuser:proxysecret'
  plain = await TestRegistry.start()
  await plain.push(archive, 'team/app:1')
  await plain.push(archive, 'library/busybox:1')
  await startMirror()
  daemon = await TestDaemon.start({
    flags: [
      ...['--registry-certs-dir', join(directory, 'certs.d'), '--registry-mirror', `http://127.0.0.1:${mirrorPort}`],
      ...['--http-proxy', proxy.url, '--https-proxy', proxy.url, '--no-proxy', 'direct.test,10.0.0.0/8'],
      ...['--insecure-registry', 'insecure.test:80', '--insecure-registry', 'selfsigned.test:443'],
    ],
  })
})
after(async () => {
  await daemon?.[Symbol.asyncDispose]()
  mirror?.closeAllConnections()
  mirror?.close()
  await plain?.[Symbol.asyncDispose]()
  await proxy?.[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true, force: true })
})

/** Answers as `answerOfMirror` says, otherwise like the plain registry. */
async function startMirror(): Promise<void> {
  mirror = createServer(async (incoming, outgoing) => {
    const wanted = answerOfMirror(incoming.url ?? '')
    if (typeof wanted === 'number') return void outgoing.writeHead(wanted).end()
    const headers = { Accept: incoming.headers.accept ?? '*/*' }
    const answer = await fetch(`http://${plain.name}${incoming.url}`, { method: incoming.method ?? 'GET', headers })
    const kept = ['content-type', 'docker-content-digest'].map((name) => [name, answer.headers.get(name) ?? ''])
    const body = wanted === undefined ? Buffer.from(await answer.arrayBuffer()) : Buffer.from(wanted)
    const length = incoming.method === 'HEAD' ? (answer.headers.get('content-length') ?? '0') : String(body.length)
    outgoing.writeHead(answer.status, { ...Object.fromEntries(kept), 'content-length': length }).end(body)
  })
  await new Promise<void>((resolve) => mirror.listen(0, '127.0.0.1', resolve))
  const address = mirror.address()
  mirrorPort = typeof address === 'object' && address !== null ? address.port : 0
}

/** Writes a file into the registry's directory in certs.d; the daemon is not restarted. */
function certificate(host: string, file: string, pem: string): void {
  mkdirSync(join(directory, 'certs.d', host), { recursive: true })
  writeFileSync(join(directory, 'certs.d', host, file), pem)
}

function portOf(registry: TestRegistry): number {
  return Number(registry.name.split(':')[1])
}

async function pullError(reference: string): Promise<string> {
  const { code, stderr } = await daemon.docker(['pull', reference])
  assert.equal(code, 1, reference)
  return stderr.replace(/^Error response from daemon: /, '').trimEnd()
}

async function pulls(reference: string): Promise<void> {
  await daemon.ok(['pull', '-q', reference])
  assert.equal(await daemon.ok(['inspect', '-f', '{{.Id}}', reference]), id)
  await daemon.ok(['rmi', reference])
  // A blob that came from Docker Hub in place of a failed mirror is fetched again the next time.
  await daemon.ok(['image', 'prune', '-f'])
}

describe('certs.d is read at each use', () => {
  test('a certificate authority', async () => {
    const server = await authority.issue('registry.test')
    await using registry = await TestRegistry.start({ tls: server })
    await registry.push(archive, 'team/app:1')
    proxy.routes.set('registry.test:5000', portOf(registry))
    const reference = 'registry.test:5000/team/app:1'
    assert.equal(
      await pullError(reference),
      'Get "https://registry.test:5000/v2/": tls: failed to verify certificate: x509: certificate signed by unknown authority',
    )
    certificate('registry.test:5000', 'ca.crt', authority.certificate)
    proxy.requests.length = 0
    await pulls(reference)
    assert.ok(proxy.requests.includes('CONNECT registry.test:5000'))
    rmSync(join(directory, 'certs.d/registry.test:5000'), { recursive: true })
    assert.match(await pullError(reference), /unknown authority$/)
  })

  test('a client certificate', async () => {
    const server = await authority.issue('strict.test')
    const clients = await TestAuthority.create('Clients')
    await using registry = await TestRegistry.start({ tls: { ...server, clients: clients.certificate } })
    proxy.routes.set('strict.test:5000', portOf(registry))
    const reference = 'strict.test:5000/team/app:1'
    certificate('strict.test:5000', 'ca.crt', authority.certificate)
    assert.match(await pullError(reference), /^Get "https:\/\/strict\.test:5000\/v2\/": /)
    const client = await clients.issue('berth', 'clientAuth')
    certificate('strict.test:5000', 'client.cert', client.certificate)
    assert.match(
      await pullError(reference),
      /missing key client\.key for client certificate client\.cert\. CA certificates must use the extension \.crt$/,
    )
    certificate('strict.test:5000', 'client.key', client.key)
    assert.match(await pullError(reference), /manifest for strict\.test:5000\/team\/app:1 not found: manifest unknown/)
  })
})

describe('proxies and insecure registries', () => {
  test('plain HTTP goes through the proxy with an absolute URL', async () => {
    proxy.routes.set('insecure.test:80', portOf(plain))
    proxy.requests.length = 0
    await pulls('insecure.test:80/team/app:1')
    const blobs = proxy.requests.filter((one) => one.startsWith('GET http://insecure.test/v2/team/app/blobs/'))
    assert.equal(blobs.length, 2)
  })

  test('an insecure registry may present any certificate', async () => {
    await using registry = await TestRegistry.start({ tls: await authority.issue('elsewhere.test') })
    await registry.push(archive, 'team/app:1')
    proxy.routes.set('selfsigned.test:443', portOf(registry))
    await pulls('selfsigned.test:443/team/app:1')
  })

  test('hosts of no-proxy are reached directly', async () => {
    proxy.requests.length = 0
    assert.match(await pullError('direct.test:5000/x:1'), /dial tcp: lookup direct\.test.*: no such host$/)
    assert.match(await pullError('sub.direct.test/x:1'), /no such host$/)
    assert.deepEqual(proxy.requests, [])
  })

  test('the proxy’s password is never shown', async () => {
    const info = await daemon.ok(['info', '-f', '{{.HTTPProxy}} {{.HTTPSProxy}} {{.NoProxy}}'])
    const shown = proxy.url.replace(proxy.credentials, 'xxxxx:xxxxx')
    assert.equal(info, `${shown} ${shown} direct.test,10.0.0.0/8`)
    assert.ok(!daemon.log.includes('proxysecret'))
  })
})

describe('a mirror of Docker Hub', () => {
  let upstream: TestRegistry
  let slow: SlowProxy
  before(async () => {
    upstream = await TestRegistry.start({ tls: await authority.issue(hub) })
    await upstream.push(archive, 'library/busybox:1')
    proxy.routes.set(`${hub}:443`, portOf(upstream))
    certificate(hub, 'ca.crt', authority.certificate)
    slow = await SlowProxy.start(plain.name)
  })
  after(async () => {
    await upstream?.[Symbol.asyncDispose]()
    await slow?.[Symbol.asyncDispose]()
  })

  test('is the only host that is asked if it has everything', async () => {
    answerOfMirror = () => undefined
    proxy.tunnelBytes = 0
    await pulls('busybox:1')
    assert.equal(proxy.tunnelBytes, 0)
  })

  const failures: Readonly<Record<string, (path: string) => number | string | undefined>> = {
    'has no such image': () => 404,
    'is out of order': () => 503,
    'wants a password': () => 401,
    'answers with a page': (path) => (path.includes('/manifests/') ? '<html>Welcome</html>' : undefined),
    'lacks the blobs': (path) => (path.includes('/blobs/') ? 404 : undefined),
    'fails at the blobs': (path) => (path.includes('/blobs/') ? 500 : undefined),
    'has other blobs': (path) => (path.includes('/blobs/') ? 'not what you asked for' : undefined),
  }
  for (const [what, answer] of Object.entries(failures)) {
    test(`${what}: the daemon asks Docker Hub`, async () => {
      answerOfMirror = answer
      proxy.tunnelBytes = 0
      await pulls('busybox:1')
      assert.ok(proxy.tunnelBytes > 0)
    })
  }

  test('if a mirror changes bytes of the layer, Docker Hub is asked', async () => {
    let layer = ''
    const raw = (await (
      await fetch(`http://${plain.name}/v2/library/busybox/manifests/1`, {
        headers: { Accept: 'application/vnd.docker.distribution.manifest.v2+json' },
      })
    ).json()) as { layers: { digest: string; size: number }[] }
    layer = raw.layers[0]?.digest ?? ''
    const size = raw.layers[0]?.size ?? 0
    answerOfMirror = (path) => (path.endsWith(layer) ? 'x'.repeat(size) : undefined)
    await pulls('busybox:1')
  })
})
