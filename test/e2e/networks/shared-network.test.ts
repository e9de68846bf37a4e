/** Containers in another container's network (`--network container:NAME`), and settings that this mode and the host's
 *  network exclude. Stock Docker is compared where it is installed. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { findProgram } from '../../helpers/command.ts'
import { requestOverSocket } from '../../helpers/daemons/api.ts'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { StockDocker } from '../../helpers/daemons/stock-docker.ts'
import { writeBusyboxArchive } from '../../helpers/images/test-image.ts'

let daemon: TestDaemon

before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
  const archive = join(daemon.root, 'exposing.tar')
  const config = { ExposedPorts: { '80/tcp': {} } }
  await writeBusyboxArchive({ path: archive, reference: 'exposing:latest', config })
  await daemon.ok(['load', '-q', '-i', archive])
  await daemon.ok(['run', '-d', '--name', 'owner', '--add-host', 'far:192.0.2.1', 'busybox', 'sleep', '1000'])
})
after(() => daemon?.[Symbol.asyncDispose]())

describe("another container's network", () => {
  test('an image that exposes ports can join it', async () => {
    const joined = ['run', '--rm', '--network', 'container:owner', 'exposing', 'cat', '/etc/hosts']
    assert.match(await daemon.ok(joined), /^192\.0\.2\.1\tfar$/m)
  })

  test('can be joined through a container that joined it, over any number of steps', async () => {
    await daemon.ok(['run', '-d', '--name', 'second', '--network', 'container:owner', 'busybox', 'sleep', '1000'])
    await daemon.ok(['run', '-d', '--name', 'third', '--network', 'container:second', 'busybox', 'sleep', '1000'])
    const show = 'readlink /proc/self/ns/net; cat /etc/hosts /etc/hostname /etc/resolv.conf'
    const expected = await daemon.ok(['exec', 'owner', 'sh', '-c', show])
    assert.equal(await daemon.inside(['--network', 'container:third'], show), expected)
    await daemon.ok(['rm', '-f', 'second', 'third'])
  })

  test('a container cannot join its own network', async () => {
    await daemon.ok(['create', '--name', 'self', '--network', 'container:self', 'busybox', 'true'])
    const { code, stderr } = await daemon.docker(['start', 'self'])
    assert.equal(code, 1)
    assert.match(stderr, /cannot join own network namespace/)
    const linked = await daemon.docker(['create', '--link', 'self', 'busybox', 'true'])
    assert.match(linked.stderr, /cannot join own network namespace/)
    await daemon.ok(['rm', 'self'])
  })
})

const mac = '02:42:ac:11:00:05'
const ports = { '80/tcp': [{ HostPort: '80' }] }
const refused: readonly (readonly [string, Readonly<Record<string, unknown>>, string])[] = [
  ['no name', host('container:'), 'Invalid network mode: invalid container format container:<name|id>'],
  ['no colon', host('container'), 'Invalid network mode: invalid container format container:<name|id>'],
  ['-p', host('container:owner', { PortBindings: ports }), conflict('port publishing and the container type')],
  ['-P', host('container:owner', { PublishAllPorts: true }), conflict('port publishing and the container type')],
  [
    '--expose',
    { ExposedPorts: { '80/tcp': {} }, ...host('container:owner') },
    conflict('port exposing and the container type'),
  ],
  ['--hostname', { Hostname: 'box', ...host('container:owner') }, conflict('hostname and the')],
  ['--dns', host('container:owner', { Dns: ['192.0.2.1'] }), conflict('dns and the')],
  [
    '--add-host',
    host('container:owner', { ExtraHosts: ['a:192.0.2.1'] }),
    conflict('custom host-to-IP mapping and the'),
  ],
  ['--mac-address', { MacAddress: mac, ...host('container:owner') }, conflict('mac-address and the')],
  ['--mac-address with host', { MacAddress: mac, ...host('host') }, conflict('mac-address and the')],
]

function host(NetworkMode: string, more: Readonly<Record<string, unknown>> = {}): { readonly HostConfig: object } {
  return { HostConfig: { NetworkMode, ...more } }
}

function conflict(what: string): string {
  return `conflicting options: ${what} network mode`
}

async function refusals(socket: string): Promise<readonly (readonly [string, number, string])[]> {
  const answers: (readonly [string, number, string])[] = []
  for (const [title, body] of refused) {
    const request = { Image: 'busybox', ...body }
    const answer = await requestOverSocket<{ message: string }>(socket, 'POST', '/v1.41/containers/create', request)
    answers.push([title, answer.status, answer.body.message])
  }
  return answers
}

const expectedRefusals = refused.map(([title, , message]) => [title, 400, message] as const)

test('settings that the network mode excludes are refused', async () => {
  assert.deepEqual(await refusals(daemon.socket), expectedRefusals)
  assert.equal(await daemon.ok(['ps', '-aq', '--no-trunc']), await daemon.ok(['inspect', '-f', '{{.Id}}', 'owner']))
})

test("the refusals are stock Docker's", {
  skip: findProgram('dockerd') === undefined && 'stock dockerd is not installed',
}, async () => {
  await using stock = await StockDocker.start()
  assert.deepEqual(await refusals(join(stock.root, 's')), expectedRefusals)
})
