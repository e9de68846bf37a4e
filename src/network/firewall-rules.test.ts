import assert from 'node:assert/strict'
import { test } from 'node:test'
import { elementOf, formatTable } from './firewall-rules.ts'
import { parseCidr } from './ipv4.ts'

const bridge = { device: 'berth0', subnet: parseCidr('172.17.0.0/16').subnet, icc: true }

test('elementOf writes the fields as the kernel keeps them', () => {
  const port = { protocol: 'tcp', containerPort: 80, hostIp: '0.0.0.0', hostPort: 8080 } as const
  const element = elementOf({ port, address: '172.17.0.2' })
  assert.equal(element.map, 'published_any')
  assert.equal(element.key.toString('hex'), '060000001f900000')
  assert.equal(element.value.toString('hex'), 'ac11000200500000')
  const specific = elementOf({ port: { ...port, hostIp: '127.0.0.1', protocol: 'udp' }, address: '172.17.0.2' })
  assert.equal(specific.map, 'published_at')
  assert.equal(specific.key.toString('hex'), '110000007f0000011f900000')
})

test('formatTable replaces the table and puts each forwarding into its map', () => {
  const text = formatTable('berth-x', {
    bridges: [bridge],
    forwardings: [
      { port: { protocol: 'tcp', containerPort: 80, hostIp: '0.0.0.0', hostPort: 8080 }, address: '172.17.0.2' },
      { port: { protocol: 'udp', containerPort: 53, hostIp: '127.0.0.1', hostPort: 5353 }, address: '172.17.0.3' },
    ],
  })
  assert.match(text, /^table ip berth-x \{\}\ndelete table ip berth-x\n/)
  assert.match(text, /elements = \{ tcp \. 8080 : 172\.17\.0\.2 \. 80 \}/)
  assert.match(text, /elements = \{ udp \. 127\.0\.0\.1 \. 5353 : 172\.17\.0\.3 \. 53 \}/)
  assert.match(text, /iifname "berth0" oifname "berth0" accept/)
})

test('formatTable closes a bridge whose containers must not talk to each other', () => {
  const text = formatTable('berth-x', { bridges: [{ ...bridge, icc: false }], forwardings: [] })
  assert.match(text, /iifname "berth0" oifname "berth0" drop/)
  assert.doesNotMatch(text, /elements =/)
})
