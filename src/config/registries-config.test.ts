import assert from 'node:assert/strict'
import { test } from 'node:test'
import { registriesConfig } from './registries-config.ts'

test('registriesConfig() reads proxies from flags or the file, then from the environment', () => {
  const environment = { HTTP_PROXY: 'http://env:1', https_proxy: 'env:2', NO_PROXY: 'a,b' }
  assert.deepEqual(registriesConfig({}, environment).proxies, {
    httpProxy: 'http://env:1',
    httpsProxy: 'env:2',
    noProxy: 'a,b',
  })
  const file = { proxies: { 'http-proxy': 'http://u:p@file:1', 'no-proxy': '' } }
  assert.deepEqual(registriesConfig({ ...file, httpsProxy: 'https://flag:2' }, environment).proxies, {
    httpProxy: 'http://u:p@file:1',
    httpsProxy: 'https://flag:2',
    noProxy: undefined,
  })
  assert.throws(() => registriesConfig({ ...file, httpProxy: 'http://x' }, {}), /both as a flag and in the config/)
  assert.throws(() => registriesConfig({ proxies: { 'ftp-proxy': 'x' } }, {}), /unknown key "ftp-proxy"/)
  assert.throws(
    () => registriesConfig({ httpProxy: 'socks5://u:secret@x' }, {}),
    (error: Error) => {
      return /^invalid http-proxy: /.test(error.message) && !error.message.includes('secret')
    },
  )
})

test('registriesConfig() searches Berth’s directory of certificates before Docker’s', () => {
  assert.deepEqual(registriesConfig({}, {}).certificateDirectories, ['/etc/berth/certs.d', '/etc/docker/certs.d'])
  assert.deepEqual(registriesConfig({ registryCertsDir: ['/x'] }, {}).certificateDirectories, ['/x'])
  assert.deepEqual(registriesConfig({ insecureRegistry: ['http://reg:5000', '10.0.0.0/8'] }, {}).insecure, [
    'reg:5000',
    '10.0.0.0/8',
  ])
})
