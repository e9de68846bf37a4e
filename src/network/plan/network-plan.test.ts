import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ErrorKind, isKind, nullLogger } from '../../base/index.ts'
import { Database, NetworkTable } from '../../store/index.ts'
import { defaultPools } from '../ipam/subnet-choice.ts'
import { formatSubnet } from '../record/ip.ts'
import { NetworkIndex } from '../record/network-index.ts'
import type { NetworkRecord } from '../record/network-record.ts'
import { type HostRanges, planNetwork, usedSubnets, withTrust } from './network-plan.ts'
import type { NetworkRequest } from './network-request.ts'

const plain: NetworkRequest = {
  name: 'n',
  driver: '',
  scope: '',
  internal: false,
  attachable: false,
  ingress: false,
  enableIpv4: true,
  enableIpv6: false,
  configOnly: false,
  configFrom: '',
  ipamDriver: 'default',
  ipamOptions: null,
  ipam: [],
  options: {},
  labels: {},
}
const settings = { pools: defaultPools('seed'), mtu: 1500, mac: '02:42:00:00:00:01', defaultOptions: {} }

function hostOf(addresses: readonly (readonly [index: number, address: string, prefix: number])[] = []): HostRanges {
  return {
    links: addresses.map(([index]) => ({
      index,
      name: `dev${index}`,
      kind: '',
      alias: '',
      mtu: 1500,
      up: true,
      mac: '',
      master: 0,
    })),
    addresses: addresses.map(([index, address, prefix]) => ({ index, address, prefix })),
    routes: [],
  }
}

function place(t: { after(work: () => void): void }) {
  const db = Database.open(':memory:')
  t.after(() => db.close())
  const known = NetworkIndex.open(new NetworkTable<NetworkRecord>(db), nullLogger)
  return {
    known,
    plan: (request: Partial<NetworkRequest>, host = hostOf()) =>
      planNetwork({ ...plain, ...request }, known, settings, host),
  }
}

function refusal(kind: ErrorKind, message: RegExp) {
  return (error: unknown) => isKind(error, kind) && message.test(String(error))
}

test('planNetwork chooses a free range and its first address as gateway', (t) => {
  const { known, plan } = place(t)
  const first = plan({ name: 'a' })
  assert.deepEqual(first.ipam, [{ subnet: '172.17.0.0/16', gateway: '172.17.0.1', chosen: true }])
  assert.equal(first.bridge?.device, `br-${first.id.slice(0, 12)}`)
  known.put(first)
  assert.equal(plan({ name: 'b' }, hostOf([[2, '172.18.3.4', 24]])).ipam[0]?.subnet, '172.19.0.0/16')
})

test('planNetwork keeps a given range, and takes the first address that is not auxiliary as gateway', (t) => {
  const { plan } = place(t)
  const ipam = [{ subnet: '10.1.0.0/24', auxiliary: { a: '10.1.0.1', b: '10.1.0.2' } }]
  assert.deepEqual(plan({ ipam }).ipam, [
    { subnet: '10.1.0.0/24', gateway: '10.1.0.3', auxiliary: { a: '10.1.0.1', b: '10.1.0.2' } },
  ])
  assert.equal(plan({ ipam: [{ subnet: '10.1.0.0/24', gateway: '10.1.0.9' }] }).ipam[0]?.gateway, '10.1.0.9')
})

test('planNetwork gives a network of both families a range of each, IPv4 first', (t) => {
  const { plan } = place(t)
  const { ipam } = plan({ enableIpv6: true, ipam: [{ subnet: 'fd00:1::/64' }] })
  assert.deepEqual(ipam.map(({ subnet }) => subnet), ['172.17.0.0/16', 'fd00:1::/64']) // biome-ignore format: one line
})

test('planNetwork refuses a name or a range in use', (t) => {
  const { known, plan } = place(t)
  known.put(plan({ name: 'a', ipam: [{ subnet: '10.1.0.0/16' }] }))
  assert.throws(() => plan({ name: 'a' }), refusal('conflict', /network with name a already exists/))
  const inside = [{ subnet: '10.1.2.0/24' }]
  assert.throws(() => plan({ name: 'b', ipam: inside }), refusal('forbidden', /Pool overlaps with other one/))
  const two = [{ subnet: '10.2.0.0/24' }, { subnet: '10.3.0.0/24' }]
  assert.throws(() => plan({ name: 'b', ipam: two }), refusal('forbidden', /doesn't support multiple subnets/))
})

test("planNetwork refuses a bridge on the range of another device of the host, and accepts the device's own", (t) => {
  const { plan } = place(t)
  const host = hostOf([[2, '10.1.0.7', 24]])
  const request = { ipam: [{ subnet: '10.1.0.0/16' }] }
  assert.throws(() => plan(request, host), refusal('forbidden', /interface dev2 has 10\.1\.0\.7\/24/))
  assert.equal(plan({ ...request, options: { 'com.docker.network.bridge.name': 'dev2' } }, host).bridge?.device, 'dev2')
  assert.equal(plan({ ...request, driver: 'macvlan' }, host).ipam[0]?.subnet, '10.1.0.0/16')
})

test('planNetwork takes ranges, options and labels from a configuration network', (t) => {
  const { known, plan } = place(t)
  const options = { 'com.docker.network.driver.mtu': '1400' }
  const source = plan({ name: 'conf', configOnly: true, ipam: [{ subnet: '10.1.0.0/16' }], options, labels: { a: '1', b: '1' } }) // biome-ignore format: one line
  assert.deepEqual([source.driver, source.bridge], ['null', undefined])
  known.put(source)
  const made = plan({ name: 'n', configFrom: 'conf', labels: { b: '2' } })
  assert.deepEqual([made.ipam[0]?.subnet, made.bridge?.mtu, made.configFrom], ['10.1.0.0/16', 1400, 'conf'])
  assert.deepEqual(made.labels, { a: '1', b: '2' })
  assert.throws(() => plan({ configFrom: 'none' }), refusal('notFound', /configuration network "none" does not exist/))
})

test('usedSubnets ignores default routes, also in halves, and one device', () => {
  const route = (destination: string, prefix: number) => ({ index: 2, destination, prefix, gateway: '', table: 254 })
  const routes = [route('0.0.0.0', 0), route('0.0.0.0', 1), route('128.0.0.0', 1), route('2000::', 3), route('fd00::', 64), route('10.7.0.0', 16)] // biome-ignore format: one line
  const used = usedSubnets({ addresses: [{ index: 2, address: '10.1.0.7', prefix: 24 }], routes })
  assert.deepEqual(used.map(formatSubnet), ['10.1.0.0/24', 'fd00::/64', '10.7.0.0/16'])
  assert.deepEqual(usedSubnets({ addresses: [{ index: 2, address: '10.1.0.7', prefix: 24 }], routes }, 2), [])
})

test("withTrust follows the daemon's option, and gives the same record if nothing changes", (t) => {
  const { plan } = place(t)
  const record = plan({})
  assert.equal(withTrust(record, false), record)
  assert.deepEqual(withTrust(record, true).bridge?.trustedInterfaces, ['*'])
})
