import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { syslogTls } from './syslog-options.ts'

test('syslogTls() reads certificates, and refuses files that could block the daemon', (t) => {
  const directory = mkdtempSync('/tmp/b-so-')
  t.after(() => rmSync(directory, { recursive: true }))
  const path = (name: string): string => join(directory, name)
  const read = (name: string) => syslogTls({ 'syslog-tls-ca-cert': path(name) })
  const refusal = (name: string, why: string) => ({
    kind: 'invalidArgument',
    message: `could not read CA certificate "${path(name)}": open ${path(name)}: ${why}`,
  })

  writeFileSync(path('ca.pem'), 'certificate')
  assert.equal(String(read('ca.pem').ca), 'certificate')
  assert.throws(() => read('none'), refusal('none', 'no such file or directory'))
  execFileSync('mkfifo', [path('pipe')])
  assert.throws(() => read('pipe'), refusal('pipe', 'not a regular file'))
  writeFileSync(path('large'), '')
  truncateSync(path('large'), 1024 ** 3)
  assert.throws(() => read('large'), refusal('large', 'larger than 8388608 bytes'))
})
