/** The commands of networks and volumes send the same requests, and print the same, as the official CLI. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type FakeEngine, sendJson, startFakeEngine } from './testing/fake-engine.ts'
import { dockerPath, runBerth, runDocker } from './testing/run-cli.ts'

let engine: FakeEngine
const skip = dockerPath() === undefined ? 'the official docker CLI is not on the PATH' : false

before(async () => {
  engine = await startFakeEngine({
    'POST /networks/create': (_, response) => sendJson(response, 201, { Id: 'abc123', Warning: '' }),
    'POST /networks/net/connect': (_, response) => response.writeHead(200).end(),
    'POST /networks/net/disconnect': (_, response) => response.writeHead(200).end(),
    'GET /networks/net': { Name: 'net', Id: 'abc', Ingress: false },
    'GET /networks/ingress': { Name: 'ingress', Id: 'abcd', Ingress: true },
    'DELETE /networks/net': (_, response) => response.writeHead(204).end(),
    'DELETE /networks/gone': (_, response) => sendJson(response, 404, { message: 'network gone not found' }),
    'POST /networks/prune': { NetworksDeleted: ['a', 'b'] },
    'POST /volumes/create': { Name: 'made' },
    'GET /volumes/vol': { Name: 'vol', Driver: 'local', Mountpoint: '/m', Labels: null, Scope: 'local', Options: null },
    'POST /containers/create': (_, response) => sendJson(response, 201, { Id: 'cid', Warnings: [] }),
  })
})

after(() => engine.close())

const same: readonly string[] = [
  'network create net',
  'network create -d macvlan -o parent=eth0 --label a=b --label c --internal --attachable --ipv6 net',
  'network create --ipv4=false net',
  'network create --ipv6=false net',
  'network create --subnet 10.1.0.0/16 --gateway 10.1.0.1 --ip-range 10.1.2.0/24 --aux-address h=10.1.0.5 --aux-address i=10.1.0.6 net',
  'network create --subnet 10.1.0.0/16,10.2.0.0/16 --subnet fd00::/64 --gateway 10.2.0.1 --gateway fd00::1 net',
  'network create --subnet 10.1.0.0/16 --subnet 10.1.2.0/24 net',
  'network create --gateway 10.1.0.1 net',
  'network create --ip-range 10.1.0.0/24 net',
  'network create --aux-address a=10.1.0.1 net',
  'network create --subnet 10.1.0.0/16 --gateway 10.2.0.1 net',
  'network create --subnet 10.1.0.0/16 --subnet 10.3.0.0/16 --gateway 10.1.0.1 --gateway 10.1.0.2 net',
  'network create --subnet 10.1.0.0/16 --subnet 10.3.0.0/16 --ip-range 10.1.1.0/24 --ip-range 10.1.2.0/24 net',
  'network create --subnet 10.1.0.0/16 --ip-range 10.2.1.0/24 net',
  'network create --subnet 10.1.0.0/16 --aux-address a=10.2.1.1 net',
  'network create --subnet foo net',
  'network create --subnet foo --subnet 10.1.0.0/16 net',
  'network create --ipam-driver foo --ipam-opt a=b --config-only --scope local net',
  'network create --config-from other net',
  'network create --ingress net',
  'network create',
  'network create a b',
  'network connect net c',
  'network connect --alias a --alias b,c --ip 10.1.0.3 --ip6 fd00::3 --link x:y --link-local-ip 169.254.1.1 --driver-opt a=b --gw-priority -5 net c',
  'network connect --link a:b:c net c',
  'network connect --driver-opt foo net c',
  'network connect net',
  'network disconnect net c',
  'network disconnect -f net c',
  'network rm net',
  'network rm gone net',
  'network rm -f gone net',
  'network rm ingress',
  'network remove net',
  'network prune -f --filter label=a --filter until=1h',
  'volume create --label a=b -o type=tmpfs -o device=x -o o=a=b,c=d -d other vol',
  'volume update vol',
  'volume update',
  'create --network foo x',
  'create --network name=foo,alias=a,alias=b,ip=10.0.0.2,ip6=fd00::2,mac-address=02:00:00:00:00:01,driver-opt=k=v=w,gw-priority=-7,link-local-ip=169.254.0.2 x',
  'create --network name=foo --network name=bar,alias=q x',
  'create --network foo --network bar --network-alias a --ip 10.0.0.2 --link a:b x',
  'create --network foo --network foo x',
  'create --network foo --network-alias a --network-alias b --ip 10.0.0.3 --ip6 fd00::3 --mac-address 02:00:00:00:00:02 --link x:y --link-local-ip 169.254.1.1 x',
  'create --network name=foo,alias=c --network-alias a x',
  'create --network name=foo,ip=10.0.0.2 --ip 10.0.0.3 x',
  'create --network name=foo,ip6=fd00::2 --ip6 fd00::3 x',
  'create --network name=foo,mac-address=02:00:00:00:00:01 --mac-address 02:00:00:00:00:02 x',
  'create --network name=foo,link-local-ip=169.254.0.1 --link-local-ip 169.254.0.2 x',
  'create --network name=foo,gw-priority=x x',
  'create --network name=foo,gw-priority=99999999999999999999 x',
  'create --network name=foo,driver-opt=k x',
  'create --network name=foo,driver-opt="k=v" x',
  'create --network name=foo,what=1 x',
  'create --network alias=a x',
  'create --network name=foo,alias x',
  'create --network name= x',
  'create --network= x',
  'create --network bridge --network foo x',
  'create --network host --network foo x',
  'create --network container:c --network foo x',
  'create --network bridge --network bridge x',
  'create --network bridge --network-alias a x',
  'create --network name=default,alias=a x',
  'create --network container:c --network-alias a x',
  'create --network-alias a x',
  'create --ip 10.0.0.2 x',
  'create --link a:b --link c x',
  'create --network host --link a:b x',
  'create --mac-address 0200.0000.0001 x',
  'create --network name=foo,mac-address=bad x',
  'create --net foo --net-alias a x',
  'create --mount type=volume,src=vol,dst=/b,volume-driver=d,volume-opt=a=b,volume-opt=c=d,volume-label=l=1,volume-nocopy x',
  'create --mount type=volume,src=vol,dst=/b,"volume-opt=o=addr=1,rw" x',
  'create --mount type=volume,src=vol,dst=/b,volume-subpath=x/y,readonly x',
  'create --mount type=bind,src=/a,dst=/b,volume-opt=a=b x',
  'create --mount type=volume,src=vol,dst="/b" x',
  'create --volumes-from a:ro --volumes-from b --volume-driver d -v name:/x -v /y -v /rel:/z:ro,z x',
]

for (const line of same) {
  test(`berth ${line}`, { skip }, async () => {
    const args = ['-H', `unix://${engine.socketPath}`, ...line.split(' ')]
    const requests = () => engine.requests.splice(0).filter(({ path }) => path !== '/_ping')
    requests()
    const expected = await runDocker(args)
    const wanted = requests()
    const actual = await runBerth(args)
    const made = requests()
    const inOurWords = expected.stderr.replaceAll('docker:', 'berth:').replace(/(['\s])docker(?= )/g, '$1berth')
    assert.deepEqual(actual, { ...expected, stderr: inOurWords })
    assert.deepEqual(
      made.map(({ method, path, query, body }) => [method, path, meaningOf(query.get('filters')), meaningOf(body)]),
      wanted.map(({ method, path, query, body }) => [method, path, meaningOf(query.get('filters')), meaningOf(body)]),
    )
  })
}

/** A document without meaningless values: zero values, and the CLI's own word for "not set". */
function meaningOf(text: string | null): unknown {
  return text === null || text.trim() === '' ? undefined : strip(JSON.parse(text))
}

function strip(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(strip)
    // docker sends subnets in the random order of a Go map.
    const text = (item: unknown): string => JSON.stringify(item)
    return items.every((item) => typeof item === 'object')
      ? items.toSorted((left, right) => (text(left) < text(right) ? -1 : 1))
      : items
  }
  if (typeof value !== 'object' || value === null) return value
  // docker sends volumes in the random order of a Go map, too.
  if ('Binds' in value && Array.isArray(value.Binds)) value.Binds.sort()
  const kept = Object.entries(value)
    .filter(([key, item]) => !(key === 'MemorySwappiness' && item === -1))
    // Filters: a set may be an object of trues, or a list.
    .map(([key, item]) => [key, isSet(item) ? Object.keys(item) : strip(item)] as const)
    .filter(([, item]) => !isEmpty(item))
  return Object.fromEntries(kept)
}

function isSet(value: unknown): value is Record<string, true> {
  const items = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.values(value) : []
  return items.length > 0 && items.every((item) => item === true)
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === 0 || value === false) return true
  return typeof value === 'object' && Object.keys(value).length === 0
}
