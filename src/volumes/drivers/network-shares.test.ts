import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hidePasswords, missingOption, shareOptions, shareProblem } from './network-shares.ts'

test('missingOption() names the address that NFS needs', () => {
  assert.match(missingOption('nfs', ['rw']) ?? '', /o must have addr=ADDRESS/)
  assert.match(missingOption('nfs4', ['addr=']) ?? '', /addr=ADDRESS/)
  assert.equal(missingOption('nfs', ['addr=192.0.2.1']), undefined)
  assert.equal(missingOption('cifs', []), undefined)
})

test('shareProblem() names the likely cause of a failure', () => {
  for (const [type, o, hint] of [
    ['nfs', 'addr=192.0.2.1,rw', /\(without nfsvers= the kernel asks for NFS 3: add nfsvers=4/],
    ['nfs', 'addr=192.0.2.1,nfsvers=4', /^refused$/],
    ['nfs', 'addr=192.0.2.1,vers=3', /^refused$/],
    ['nfs4', 'addr=192.0.2.1', /^refused$/],
    ['cifs', 'guest', /\(the kernel knows no guest: give sec=none/],
    ['cifs', 'rw', /\(o has neither username= nor sec=none\)/],
    ['cifs', 'credentials=/root/c', /\(the kernel reads no credentials file/],
    ['cifs', 'username=u,password=p', /^refused$/],
    ['cifs', 'guest,sec=none', /^refused$/],
  ] as const) {
    assert.match(shareProblem(type, o.split(','), 'refused'), hint, `${type} ${o}`)
  }
  assert.match(shareProblem('cifs', ['guest'], "unknown filesystem type 'cifs'"), /the host's kernel has no cifs/)
})

test("shareOptions() gives CIFS its user under the kernel's name, and hidePasswords() hides passwords", () => {
  assert.deepEqual(shareOptions('cifs', ['user=u', 'pass=x']), ['username=u', 'pass=x'])
  assert.deepEqual(shareOptions('ext4', ['user=u']), ['user=u'])
  assert.deepEqual(hidePasswords('username=u,password=a,pass=b=c,password2=d,sep=;password=e,uid=1'.split(',')), [
    'username=u',
    'password=********',
    'pass=********',
    'password2=********',
    'sep=;password=********',
    'uid=1',
  ])
})
