import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { hostPlatform } from '../../oci/index.ts'
import { foreignProgramProblem } from './foreign-program.ts'

const s390 = { os: 'linux', architecture: 's390x' }

function elf(machine: number, { bigEndian = false } = {}): Buffer {
  const header = Buffer.alloc(64)
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, bigEndian ? 2 : 1, 1])
  if (bigEndian) header.writeUInt16BE(machine, 18)
  else header.writeUInt16LE(machine, 18)
  return header
}

test('foreignProgramProblem() reports programs that the host cannot run', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'b-foreign-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const [root, handlers] = [join(directory, 'root'), join(directory, 'binfmt')]
  mkdirSync(join(root, 'bin'), { recursive: true })
  mkdirSync(handlers)
  writeFileSync(join(root, 'bin/busybox'), elf(22, { bigEndian: true }))
  symlinkSync('/bin/busybox', join(root, 'bin/sh'))
  writeFileSync(join(root, 'bin/own'), elf(hostPlatform().architecture === 'arm64' ? 183 : 62))
  writeFileSync(join(root, 'bin/script'), '#!/bin/sh\n')
  const ask = (name: string) =>
    foreignProgramProblem(root, { name, env: ['PATH=/sbin:/bin'], cwd: '/' }, s390, handlers)
  for (const name of ['/bin/sh', 'sh', 'bin/busybox']) assert.match(ask(name) ?? '', / is a program for linux\/s390x, /)
  for (const name of ['own', 'script', 'absent', '/bin']) assert.equal(ask(name), undefined, name)
  const handler = (state: string) => {
    const lines = [state, 'interpreter /usr/bin/qemu-s390x', 'flags: F', 'offset 18', 'magic 0016', 'mask ffff']
    writeFileSync(join(handlers, 'qemu-s390x'), `${lines.join('\n')}\n`)
  }
  writeFileSync(join(handlers, 'status'), 'enabled\n')
  handler('disabled')
  assert.match(ask('sh') ?? '', /no handler/)
  handler('enabled')
  assert.equal(ask('sh'), undefined)
})
