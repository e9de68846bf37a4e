import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nullLogger } from '../../base/index.ts'
import { Firewall } from '../firewall/firewall.ts'
import type { Forwarding } from '../firewall/firewall-rules.ts'
import { parseBridgeOptions } from '../record/bridge-options.ts'
import { completeEndpointRecord, completeNetworkRecord, type NetworkRecord } from '../record/network-record.ts'
import type { SandboxRecord } from '../record/sandbox-index.ts'
import { LinkPermits } from './link-permits.ts'

/** A packet filter that only records its elements, and fails if one is withdrawn twice. */
class RecordedFirewall extends Firewall {
  readonly elements = new Set<Forwarding>()

  constructor() {
    super('berth-test', () => ({ networks: [], forwardings: [] }), nullLogger, undefined)
  }

  override async publish(forwardings: readonly Forwarding[]): Promise<void> {
    for (const one of forwardings) this.elements.add(one)
  }

  override withdraw(forwardings: readonly Forwarding[]): void {
    for (const one of forwardings) assert.ok(this.elements.delete(one), 'withdrawn twice, or never published')
  }

  get texts(): string[] {
    return [...this.elements].map(({ from, address, port }) => `${from} > ${address}:${port.containerPort}`).sort()
  }
}

function bridgeOf(icc: boolean): NetworkRecord {
  const options = { 'com.docker.network.bridge.enable_icc': String(icc) }
  const bridge = parseBridgeOptions(options, { device: 'berth0', mac: '02:42:00:00:00:01', mtu: 1500 }, false)
  return completeNetworkRecord({ id: 'n', name: 'bridge', driver: 'bridge', bridge })
}

function sandbox(containerId: string, ipv4: string): SandboxRecord {
  const endpoint = completeEndpointRecord({ containerId, networkId: 'n', networkName: 'bridge', ipv4 })
  return { containerId, containerName: containerId, sandboxId: containerId, endpoints: [endpoint], ports: [] }
}

function place({ icc = false } = {}) {
  const sandboxes = new Map([sandbox('a', '10.0.0.2'), sandbox('b', '10.0.0.3'), sandbox('c', '10.0.0.4')].map((one) => [one.containerId, one])) // biome-ignore format: one line
  const firewall = new RecordedFirewall()
  const network = bridgeOf(icc)
  const permits = new LinkPermits({
    index: { find: (id) => sandboxes.get(id) },
    networks: { get: (id) => (id === network.id ? network : undefined) },
    firewall,
  })
  return { permits, firewall, sandboxes }
}

const tcp = (target: string, containerPort: number) => ({ target, protocol: 'tcp', containerPort }) as const

test('LinkPermits.set replaces the permits of a container', async () => {
  const { permits, firewall } = place()
  await permits.set('a', [tcp('b', 80), tcp('c', 443)])
  assert.deepEqual(firewall.texts, ['10.0.0.2 > 10.0.0.3:80', '10.0.0.2 > 10.0.0.4:443'])
  await permits.set('a', [tcp('c', 22)])
  assert.deepEqual(firewall.texts, ['10.0.0.2 > 10.0.0.4:22'])
  assert.deepEqual(new Set(permits.all()), firewall.elements)
  await permits.set('a', [])
  assert.deepEqual([permits.all(), firewall.texts], [[], []])
})

test('LinkPermits.set permits nothing to or from unknown containers, nor on a bridge with icc', async () => {
  const { permits, firewall } = place()
  await permits.set('a', [tcp('x', 80)])
  await permits.set('x', [tcp('a', 80)])
  assert.deepEqual(firewall.texts, [])
  const open = place({ icc: true })
  await open.permits.set('a', [tcp('b', 80)])
  assert.deepEqual(open.firewall.texts, [])
})

test('LinkPermits.end withdraws the permits of a container and those to it, so that no other one inherits them', async () => {
  const { permits, firewall, sandboxes } = place()
  await permits.set('a', [tcp('b', 80), tcp('c', 443)])
  await permits.set('b', [tcp('c', 22)])
  const b = sandboxes.get('b')
  assert.ok(b !== undefined)
  permits.end(b)
  assert.deepEqual(firewall.texts, ['10.0.0.2 > 10.0.0.4:443'])
  assert.deepEqual(new Set(permits.all()), firewall.elements)
  permits.end(b)
  assert.deepEqual(firewall.texts, ['10.0.0.2 > 10.0.0.4:443'])
})
