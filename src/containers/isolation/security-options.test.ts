import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deprecatedOptions, parseSecurityOptions, seccompOf, securityWarnings } from './security-options.ts'

test('parseSecurityOptions() reads both separators, and gives undefined for options that are not given', () => {
  const parsed = parseSecurityOptions([
    'no-new-privileges',
    'label:disable',
    'label=type:x',
    'apparmor=mine',
    'seccomp={}',
  ])
  assert.deepEqual(parsed, {
    seccomp: { profile: '{}' },
    noNewPrivileges: true,
    appArmor: 'mine',
    labels: ['disable', 'type:x'],
  })
  assert.equal(parseSecurityOptions(['no-new-privileges=false']).noNewPrivileges, false)
  assert.equal(parseSecurityOptions([]).seccomp, undefined)
  assert.deepEqual(deprecatedOptions(['label:disable', 'apparmor=a:b', 'no-new-privileges']), ['label:disable'])
})

test('parseSecurityOptions() refuses what Docker refuses', () => {
  for (const option of ['other', 'other=1', 'no-new-privileges=maybe', 'systempaths=x']) {
    assert.throws(() => parseSecurityOptions([option]), /invalid --security-opt/)
  }
})

test('parseSecurityOptions() takes a long text only as a seccomp profile', () => {
  const long = 'x'.repeat(100_000)
  const message = 'invalid --security-opt: apparmor has 100009 bytes, at most 1024'
  assert.throws(() => parseSecurityOptions([`apparmor=${long}`]), { kind: 'invalidArgument', message })
  assert.deepEqual(parseSecurityOptions([`seccomp=${long}`]).seccomp, { profile: long })
})

test('seccompOf() accepts builtin, unconfined and the text of a profile', () => {
  assert.deepEqual(
    [seccompOf('builtin'), seccompOf(''), seccompOf('unconfined'), seccompOf('{}')],
    ['default', 'default', 'unconfined', { profile: '{}' }],
  )
})

test('securityWarnings() warns about options without effect, and checks labels on a host with SELinux', () => {
  const options = { SecurityOpt: ['apparmor=mine', 'label=type:x'] }
  assert.equal(securityWarnings(options, { appArmor: false, selinux: false }).length, 2)
  assert.deepEqual(securityWarnings(options, { appArmor: true, selinux: true }), [])
  assert.deepEqual(securityWarnings({}, { appArmor: false, selinux: false }), [])
  const wrong = { SecurityOpt: ['label=colour:red'] }
  assert.throws(() => securityWarnings(wrong, { appArmor: true, selinux: true }), /bad label option/)
})
