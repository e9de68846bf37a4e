import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatHosts } from './hosts-file.ts'

test('formatHosts has the standard names, extra hosts, then the container itself', () => {
  const text = formatHosts({
    hostname: 'web',
    addresses: ['172.17.0.2'],
    extraHosts: ['db:10.0.0.5', 'six:[2001:db8::1]', 'up:host-gateway'],
    gateways: ['172.17.0.1', 'fd00::1'],
  })
  assert.equal(
    text,
    [
      '127.0.0.1\tlocalhost',
      '::1\tlocalhost ip6-localhost ip6-loopback',
      'fe00::\tip6-localnet',
      'ff00::\tip6-mcastprefix',
      'ff02::1\tip6-allnodes',
      'ff02::2\tip6-allrouters',
      '10.0.0.5\tdb',
      '2001:db8::1\tsix',
      '172.17.0.1\tup',
      'fd00::1\tup',
      '172.17.0.2\tweb',
      '',
    ].join('\n'),
  )
})

test('formatHosts has the first part of a host name with dots', () => {
  const last = (hostname: string, domainname = '') =>
    formatHosts({ hostname, domainname, addresses: ['10.0.0.2'], extraHosts: [] })
      .trimEnd()
      .split('\n')
      .at(-1)
  assert.equal(last('web'), '10.0.0.2\tweb')
  assert.equal(last('web.example.test'), '10.0.0.2\tweb.example.test web')
  assert.equal(last('a.b', 'c.d'), '10.0.0.2\ta.b.c.d a.b a')
})

test('formatHosts puts the full name first', () => {
  const text = formatHosts({ hostname: 'web', domainname: 'example.test', addresses: ['10.0.0.2', ''], extraHosts: [] })
  assert.match(text, /\n10\.0\.0\.2\tweb\.example\.test web\n$/)
})
