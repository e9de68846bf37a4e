import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatResolvConf, parseResolvConf } from './resolv-conf.ts'

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
}

test('parseResolvConf reads servers, the last search line and all options', () => {
  const conf = parseResolvConf(
    '# comment\nnameserver 10.0.0.1\nsearch a.test\ndomain b.test # c\noptions ndots:2\noptions timeout:1 rotate\n',
  )
  assert.deepEqual(conf, { servers: ['10.0.0.1'], search: ['b.test'], options: ['ndots:2', 'timeout:1', 'rotate'] })
})

test("formatResolvConf leaves out the host's own loopback and IPv6 servers", () => {
  const host = 'nameserver 127.0.0.1\nnameserver 10.0.0.1\nnameserver fe80::1%eth0\nsearch corp.test\n'
  assert.deepEqual(lines(formatResolvConf({ host })), ['nameserver 10.0.0.1', 'search corp.test'])
})

test('formatResolvConf falls back to public servers only when none is left', () => {
  const host = 'nameserver 127.0.0.53\noptions edns0\n'
  assert.deepEqual(lines(formatResolvConf({ host })), ['nameserver 8.8.8.8', 'nameserver 8.8.4.4', 'options edns0'])
  assert.deepEqual(lines(formatResolvConf({ host, hostNetwork: true })), ['nameserver 127.0.0.53', 'options edns0'])
})

test("formatResolvConf prefers the user's lists, each on its own", () => {
  const host = 'nameserver 10.0.0.1\nsearch corp.test\noptions ndots:5\n'
  assert.deepEqual(
    lines(formatResolvConf({ host, servers: ['1.1.1.1', '127.0.0.1'], search: ['.'], options: ['rotate'] })),
    ['nameserver 1.1.1.1', 'nameserver 127.0.0.1', 'options rotate'],
  )
})

test('formatResolvConf names the embedded DNS, and lists its upstream servers in a comment', () => {
  const host = 'nameserver 10.0.0.1\nsearch corp.test\n'
  const text = formatResolvConf({ host, embedded: ['10.0.0.1', '10.0.0.2'] })
  assert.deepEqual(lines(text), ['nameserver 127.0.0.11', 'search corp.test', 'options ndots:0'])
  assert.match(text, /^# Other names are asked of: 10\.0\.0\.1 10\.0\.0\.2$/m)
})

test('formatResolvConf keeps an ndots option with the embedded DNS', () => {
  const host = 'nameserver 10.0.0.1\noptions ndots:5 rotate\n'
  assert.equal(lines(formatResolvConf({ host, embedded: [] })).at(-1), 'options ndots:5 rotate')
  const own = formatResolvConf({ host, embedded: [], options: ['timeout:1'] })
  assert.equal(lines(own).at(-1), 'options timeout:1 ndots:0')
})
