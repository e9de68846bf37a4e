import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { isKind, messageOf } from '../../base/index.ts'
import { PortAllocator, type PortDemand } from './port-allocator.ts'

// Each process uses its own loopback addresses, so that parallel tests don't collide.
const ip = `127.${1 + (process.pid % 250)}.${1 + Math.floor(Math.random() * 250)}.9`

function allocator(t: TestContext, ranges = [{ first: 49000, last: 49900 }]): PortAllocator {
  const ports = new PortAllocator({ ranges })
  t.after(() => ports.close())
  return ports
}

function request(hostPort: number, options: Partial<PortDemand> = {}): PortDemand {
  return { protocol: 'tcp', containerPort: 80, hostIps: [ip], hostPort, ...options }
}

function isTaken(port: number) {
  return (error: unknown) => {
    assert.ok(isKind(error, 'internal'))
    assert.equal(
      messageOf(error),
      `driver failed programming external connectivity on endpoint web (e1): Bind for ${ip}:${port} failed: port is already allocated`,
    )
    return true
  }
}

test('PortAllocator gives a fixed port once, and again after its release', (t) => {
  const ports = allocator(t)
  const [port] = ports.take('a', 'web (e1)', [request(8080)])
  assert.deepEqual(port, { protocol: 'tcp', containerPort: 80, hostIp: ip, hostPort: 8080 })
  assert.throws(() => ports.take('b', 'web (e1)', [request(8080)]), isTaken(8080))
  // The same number with another protocol is another port.
  ports.take('b', 'web (e1)', [request(8080, { protocol: 'udp' })])
  ports.release('a')
  ports.take('c', 'web (e1)', [request(8080)])
})

test('PortAllocator gives all ports of a request or none', (t) => {
  const ports = allocator(t)
  ports.take('a', 'web (e1)', [request(8081)])
  assert.throws(() => ports.take('b', 'web (e1)', [request(8082), request(8081)]), isTaken(8081))
  ports.take('c', 'web (e1)', [request(8082)])
})

test('PortAllocator treats a port on all addresses as taken on each address', (t) => {
  const ports = allocator(t)
  const [any] = ports.take('a', 'web (e1)', [request(0, { hostIps: ['0.0.0.0'] })])
  assert.throws(() => ports.take('b', 'web (e1)', [request(any?.hostPort ?? 0)]), isTaken(any?.hostPort ?? 0))
  const [one] = ports.take('c', 'web (e1)', [request(0)])
  assert.throws(
    () => ports.take('d', 'web (e1)', [request(one?.hostPort ?? 0, { hostIps: ['0.0.0.0'] })]),
    /port is already allocated/,
  )
})

test('PortAllocator takes the first free port of a range', (t) => {
  const ports = allocator(t)
  const range = request(8090, { hostPortEnd: 8091 })
  assert.equal(ports.take('a', 'web (e1)', [range])[0]?.hostPort, 8090)
  assert.equal(ports.take('b', 'web (e1)', [range])[0]?.hostPort, 8091)
  assert.throws(() => ports.take('c', 'web (e1)', [range]), isTaken(8090))
})

test('PortAllocator takes random ports from its first range until it is full', (t) => {
  const ranges = [
    { first: 49000, last: 49009 },
    { first: 50000, last: 50009 },
  ]
  const ports = allocator(t, ranges)
  const taken = Array.from(
    { length: 11 },
    (_, index) => ports.take(`c${index}`, 'web (e1)', [request(0)])[0]?.hostPort ?? 0,
  )
  assert.deepEqual(
    taken.slice(0, 10).sort((a, b) => a - b),
    Array.from({ length: 10 }, (_, index) => 49000 + index),
  )
  assert.ok((taken[10] ?? 0) >= 50000)
})

test('PortAllocator avoids the ports of other programs, and they get EADDRINUSE for its ports', async (t) => {
  const ports = allocator(t)
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(8100, ip, resolve))
  assert.throws(() => ports.take('a', 'web (e1)', [request(8100)]), isTaken(8100))
  await new Promise((resolve) => server.close(resolve))
  ports.take('a', 'web (e1)', [request(8100)])
  ports.seal('a')
  const late = createServer()
  await assert.rejects(
    new Promise<void>((resolve, reject) => late.once('error', reject).listen(8100, ip, resolve)),
    /EADDRINUSE/,
  )
})

test('PortAllocator names an address that the host does not have', (t) => {
  const ports = allocator(t)
  assert.throws(
    () => ports.take('a', 'web (e1)', [request(8080, { hostIps: ['203.0.113.7'] })]),
    /cannot assign requested address/,
  )
  assert.throws(
    () => ports.take('a', 'web (e1)', [request(8080, { hostIps: ['2001:db8::7'] })]),
    /failed to bind host port \[2001:db8::7\]:8080\/tcp: cannot assign requested address/,
  )
})

test('PortAllocator.restore keeps a lease even when another program has the port', async (t) => {
  const ports = allocator(t)
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(8110, ip, resolve))
  const lease = { protocol: 'tcp', containerPort: 80, hostIp: ip, hostPort: 8110 } as const
  assert.equal(ports.restore('a', lease), false)
  await new Promise((resolve) => server.close(resolve))
  assert.throws(() => ports.take('b', 'web (e1)', [request(8110)]), isTaken(8110))
})

test('PortAllocator takes a port on all addresses of a demand or on none', async (t) => {
  const ports = allocator(t)
  const other = ip.replace(/9$/, '10')
  ports.take('a', 'web (e1)', [request(8120, { hostIps: [other] })])
  assert.throws(() => ports.take('b', 'web (e1)', [request(8120, { hostIps: [ip, other] })]), isTaken(8120))
  assert.deepEqual(
    ports
      .take('b', 'web (e1)', [request(8120, { hostIps: [ip, other], hostPortEnd: 8121 })])
      .map((port) => [port.hostIp, port.hostPort]),
    [
      [ip, 8121],
      [other, 8121],
    ],
  )
})
