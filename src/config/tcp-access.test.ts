import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isKind } from '../base/index.ts'
import { engineConfig } from './daemon-config.ts'
import { isLoopbackAddress, tcpAccess } from './tcp-access.ts'

const plain = { tls: undefined, allowsOpenTcp: false }

test('isLoopbackAddress() accepts loopback addresses and no names', () => {
  for (const yes of ['127.0.0.1', '127.255.0.9', '::1', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1', '::ffff:7f00:1'])
    assert.equal(isLoopbackAddress(yes), true, yes)
  for (const no of ['0.0.0.0', '::', '128.0.0.1', '::2', '::ffff:10.0.0.1', 'localhost', '127.0.0.1.evil.example', ''])
    assert.equal(isLoopbackAddress(no), false, no)
})

test('tcpAccess() admits any client on loopback, elsewhere only with certificates or by explicit choice', () => {
  const tlsOnly = { tls: { verifyClients: false }, allowsOpenTcp: false }
  const verified = { tls: { verifyClients: true }, allowsOpenTcp: false }
  for (const host of ['127.0.0.1', '::1', 'localhost']) {
    assert.equal(tcpAccess(host, plain), 'loopback', host)
    assert.equal(tcpAccess(host, tlsOnly), 'loopback', host)
    assert.equal(tcpAccess(host, { ...plain, allowsOpenTcp: true }), 'loopback', host)
    assert.equal(tcpAccess(host, verified), 'verified', host)
  }
  for (const host of ['0.0.0.0', '::', '192.0.2.1', 'myhost', 'localhost.example']) {
    assert.throws(
      () => tcpAccess(host, plain),
      { kind: 'invalidArgument', message: /allow it with --tls=false$/ },
      host,
    )
    assert.throws(() => tcpAccess(host, tlsOnly), /allow it with --tlsverify=false$/, host)
    assert.equal(tcpAccess(host, { ...plain, allowsOpenTcp: true }), 'open', host)
    assert.equal(tcpAccess(host, verified), 'verified', host)
  }
})

test('engineConfig() refuses hosts that would be open to the network by accident', () => {
  const certificates = { tlscert: '/c', tlskey: '/k' }
  const refused = [{}, { tlsverify: false }, { tls: true, ...certificates }]
  for (const settings of refused) {
    assert.throws(
      () => engineConfig({ hosts: ['unix:///s', 'tcp://0.0.0.0:2375'], ...settings }),
      (error: Error) => isKind(error, 'invalidArgument') && error.message.includes('tcp address 0.0.0.0'),
      JSON.stringify(settings),
    )
  }
  const allowed = [
    { tls: false },
    { tls: true, tlsverify: false, ...certificates },
    { tlsverify: true, tlscacert: '/a', ...certificates },
  ]
  for (const settings of allowed) engineConfig({ hosts: ['tcp://0.0.0.0:2375', 'tcp://[::]:2375'], ...settings })
  engineConfig({ hosts: ['tcp://127.0.0.1:2375', 'tcp://[::1]:2375', 'tcp://localhost:2375'] })
})
