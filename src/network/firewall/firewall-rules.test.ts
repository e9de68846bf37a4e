import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseCidr } from '../record/ip.ts'
import { elementsOf, type FirewallNetwork, formatAddition, formatRemoval, formatTable } from './firewall-rules.ts'

const network: FirewallNetwork = {
  id: '0123456789abcdef',
  device: 'berth0',
  subnets: [parseCidr('172.17.0.0/16').subnet],
  icc: true,
  internal: false,
  masquerade: true,
  gatewayModes: { 4: 'nat', 6: 'nat' },
  sourceAddresses: { 4: '', 6: '' },
}

test("elementsOf writes the fields in the kernel's format", () => {
  const port = { protocol: 'tcp', containerPort: 80, hostIp: '0.0.0.0', hostPort: 8080 } as const
  const [element] = elementsOf({ port, address: '172.17.0.2' })
  assert.equal(element?.map, 'published_any')
  assert.equal(element?.key.toString('hex'), '060000001f900000')
  assert.equal(element?.value?.toString('hex'), 'ac11000200500000')
  const [specific] = elementsOf({ port: { ...port, hostIp: '127.0.0.1', protocol: 'udp' }, address: '172.17.0.2' })
  assert.equal(specific?.map, 'published_at')
  assert.equal(specific?.key.toString('hex'), '110000007f0000011f900000')
  const [routed] = elementsOf({ port, address: 'fd00::2', routed: true })
  assert.equal(routed?.map, 'routed')
  assert.equal(routed?.key.toString('hex'), 'fd0000000000000000000000000000020600000000500000')
  assert.equal(routed?.value, undefined)
})

test('formatTable replaces the table and puts each forwarding into its map', () => {
  const state = {
    networks: [network],
    forwardings: [
      { port: { protocol: 'tcp', containerPort: 80, hostIp: '0.0.0.0', hostPort: 8080 }, address: '172.17.0.2' },
      { port: { protocol: 'udp', containerPort: 53, hostIp: '127.0.0.1', hostPort: 5353 }, address: '172.17.0.3' },
      { port: { protocol: 'tcp', containerPort: 81, hostIp: '::', hostPort: 8081 }, address: 'fd00::2' },
    ],
  } as const
  const text = formatTable('berth-x', 4, state)
  assert.match(text, /^table ip berth-x \{\}\ndelete table ip berth-x\n/)
  assert.match(text, /elements = \{ tcp \. 8080 : 172\.17\.0\.2 \. 80 \}/)
  assert.match(text, /elements = \{ udp \. 127\.0\.0\.1 \. 5353 : 172\.17\.0\.3 \. 53 \}/)
  assert.match(text, /iifname "berth0" oifname "berth0" accept/)
  assert.doesNotMatch(text, /fd00/)
  assert.match(formatTable('berth-x', 6, state), /elements = \{ tcp \. 8081 : fd00::2 \. 81 \}/)
})

test('formatTable closes a bridge with `icc` off', () => {
  const text = formatTable('berth-x', 4, { networks: [{ ...network, icc: false }], forwardings: [] })
  assert.match(text, /iifname "berth0" oifname "berth0" drop/)
})

test('formatAddition and formatRemoval name the same elements and chains', () => {
  const both = { ...network, subnets: [...network.subnets, parseCidr('fd00:1::/64').subnet] }
  for (const variant of [both, { ...both, internal: true }, { ...both, masquerade: false }]) {
    const added = formatAddition('t', variant)
    const removed = formatRemoval('t', variant)
    const names = (text: string, pattern: RegExp) =>
      [...text.matchAll(pattern)].map((match) => match.slice(1).join(' ')).sort()
    const element = /element (ip6?) t (\w+) \{ ([^ ]+)/g
    assert.deepEqual(names(added, element), names(removed, element))
    assert.equal(names(added, /^ {2}chain (\w+)/gm).length, names(removed, /chain ip6? t (\w+)/g).length)
  }
  assert.match(formatAddition('t', { ...both, internal: true }), /leaving \{ "berth0" : drop \}/)
})

test("formatTable lets the host's own rules decide about published ports only with `admission`", () => {
  const forwarding = {
    port: { protocol: 'tcp', containerPort: 80, hostIp: '0.0.0.0', hostPort: 8080 },
    address: '172.17.0.2',
  } as const
  const state = { networks: [network], forwardings: [forwarding] }
  assert.doesNotMatch(formatTable('berth-x', 4, state), /admission|asked/)
  const admission = { near: 'bhxa', far: 'bhxb' }
  const text = formatTable('berth-x', 4, { ...state, admission })
  assert.match(text, /iifname != @bridges iifname != "bhxb" return/)
  assert.match(text, /set asked_any \{\s+type inet_proto \. inet_service\s+elements = \{ tcp \. 8080 \}/)
  assert.match(text, /dup to 192\.0\.0\.1 device "bhxa"/)
  const [, asked] = elementsOf(forwarding, admission)
  assert.deepEqual(asked, { map: 'asked_any', key: Buffer.from('060000001f900000', 'hex') })
})
