import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type LogFields, nullLogger } from '../../base/index.ts'
import type { ContainerPaths } from '../record/paths.ts'
import { editHosts } from './edit-hosts.ts'

test('editHosts() changes lines in place, and leaves a very large file unchanged', (t) => {
  const directory = mkdtempSync('/tmp/b-eh-')
  t.after(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'hosts')
  const warnings: (LogFields | undefined)[] = []
  const context = {
    paths: { hosts: () => file } as unknown as ContainerPaths,
    logger: { ...nullLogger, warn: (_message: string, fields?: LogFields) => void warnings.push(fields) },
  }
  writeFileSync(file, 'one\ntwo\n')
  const { ino } = statSync(file)
  editHosts(context, 'c1', (lines) => lines.filter((line) => line !== 'one'))
  assert.equal(readFileSync(file, 'utf8'), 'two\n')
  assert.equal(statSync(file).ino, ino)
  assert.deepEqual(warnings, [])

  const sizeBytes = 5 * 1024 ** 3
  truncateSync(file, sizeBytes)
  editHosts(context, 'c1', () => assert.fail('it is not even read'))
  assert.equal(statSync(file).size, sizeBytes)
  assert.deepEqual(warnings, [{ container: 'c1', sizeBytes }])
})
