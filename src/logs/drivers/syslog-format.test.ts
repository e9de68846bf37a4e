import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatSyslog, type SyslogFormat } from './syslog-format.ts'

const timeNs = BigInt(Date.parse('2026-11-03T10:20:30Z')) * 1_000_000n + 123_456_789n

test('formatSyslog() writes each format', () => {
  const source = { facility: 3, hostname: 'h', tag: 't', pid: 7 }
  const format = (name: SyslogFormat, stream: 'stdout' | 'stderr' = 'stdout') =>
    formatSyslog({ ...source, format: name }, { stream, timeNs, text: Buffer.from('text') }).toString()
  assert.match(format('local'), /^<30>Nov {2}[234] \d\d:20:30 t\[7\]: text\n$/)
  assert.match(format('rfc3164', 'stderr'), /^<27>Nov {2}[234] \d\d:20:30 h t\[7\]: text\n$/)
  assert.match(format('rfc5424'), /^<30>1 2026-11-0[234]T\d\d:20:30(Z|[+-]\d\d:\d\d) h t 7 t - text\n$/)
  assert.match(format('rfc5424micro'), /T\d\d:20:30\.123456(Z|[+-]\d\d:\d\d) h t 7 t - text\n$/)
})
