import assert from 'node:assert/strict'
import { test } from 'node:test'
import { proxyFor } from './proxies.ts'

const settings = { httpProxy: 'http://plain:1', httpsProxy: 'secure:2' }

test('proxyFor() chooses by scheme and never for loopback', () => {
  const proxy = (url: string) => proxyFor(new URL(url), settings)
  assert.equal(proxy('http://reg.test/'), 'http://plain:1')
  assert.equal(proxy('https://reg.test/'), 'http://secure:2')
  for (const near of ['http://localhost:5000/', 'https://127.9.9.9/', 'https://[::1]:5000/']) {
    assert.equal(proxy(near), undefined)
  }
  assert.equal(proxyFor(new URL('http://reg.test/'), {}), undefined)
  assert.throws(() => proxyFor(new URL('http://reg.test/'), { httpProxy: 'socks5://u:secret@x' }), {
    kind: 'invalidArgument',
    message: 'invalid proxy: the address must begin with http:// or https://',
  })
})

test('proxyFor() follows NO_PROXY as Go programs do', () => {
  const isDirect = (noProxy: string, url: string) => proxyFor(new URL(url), { ...settings, noProxy }) === undefined
  const direct = [
    ['*', 'http://reg.test/'],
    ['reg.test', 'http://reg.test/'],
    ['reg.test', 'http://sub.reg.test/'],
    ['other, .reg.test', 'http://sub.reg.test/'],
    ['*.reg.test', 'http://sub.reg.test/'],
    ['reg.test:443', 'https://reg.test/'],
    ['REG.test:5000', 'http://reg.test:5000/'],
    ['10.0.0.0/8', 'http://10.1.2.3:5000/'],
    ['10.1.2.3', 'http://10.1.2.3:5000/'],
    ['fd00::/8', 'http://[fd00::1]/'],
    ['fd00::1', 'http://[fd00::1]/'],
  ] as const
  const proxied = [
    ['', 'http://reg.test/'],
    ['eg.test', 'http://reg.test/'],
    ['.reg.test', 'http://reg.test/'],
    ['reg.test:80', 'https://reg.test/'],
    ['10.0.0.0/8', 'http://11.1.2.3/'],
    ['10.0.0.0/99', 'http://10.1.2.3/'],
    ['10.0.0.0/8', 'http://ten.test/'],
  ] as const
  for (const [noProxy, url] of direct) assert.ok(isDirect(noProxy, url), `${noProxy} ${url}`)
  for (const [noProxy, url] of proxied) assert.ok(!isDirect(noProxy, url), `${noProxy} ${url}`)
})
