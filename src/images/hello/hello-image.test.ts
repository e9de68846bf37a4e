import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type ElfArchitecture, helloImage, helloProgram, helloText } from './index.ts'

const hostArchitecture: ElfArchitecture = process.arch === 'arm64' ? 'arm64' : 'amd64'

function runProgram(architecture: ElfArchitecture, launcher: string[]): { code: number | null; output: string } {
  const directory = mkdtempSync(join(tmpdir(), 'hello-'))
  try {
    const path = join(directory, 'hello')
    writeFileSync(path, helloProgram(architecture), { mode: 0o755 })
    const command = [...launcher, path]
    const run = spawnSync(command[0] ?? path, command.slice(1), { encoding: 'utf8' })
    return { code: run.status, output: run.stdout }
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** Checks the text, with any address of the machine's eth0. */
function assertHello({ code, output }: { code: number | null; output: string }): void {
  assert.equal(code, 0)
  const before = helloText.beforeHostname + hostname() + helloText.beforeAddress
  assert.equal(output.slice(0, before.length), before)
  assert.equal(output.slice(-helloText.end.length), helloText.end)
  assert.match(output.slice(before.length, -helloText.end.length), /^(none|\d+\.\d+\.\d+\.\d+)$/)
}

test('helloProgram() runs on this machine and prints the steps', () => {
  assertHello(runProgram(hostArchitecture, []))
})

test('helloProgram() for the other architecture runs under qemu-user', (t) => {
  const other = hostArchitecture === 'amd64' ? 'arm64' : 'amd64'
  const emulator = other === 'arm64' ? 'qemu-aarch64-static' : 'qemu-x86_64-static'
  if (spawnSync(emulator, ['--version']).error !== undefined) {
    t.diagnostic(`${emulator} is not installed: only the file's header was checked`)
    return
  }
  assertHello(runProgram(other, [emulator]))
})

test('helloProgram() is a small static executable of its architecture', () => {
  for (const [architecture, machine] of [
    ['amd64', 62],
    ['arm64', 183],
  ] as const) {
    const program = helloProgram(architecture)
    assert.equal(program.toString('latin1', 0, 4), '\x7fELF')
    assert.equal(program.readUInt16LE(18), machine)
    assert.equal(program.readBigUInt64LE(24), 0x400078n)
    assert.equal(program.readBigUInt64LE(64 + 32), BigInt(program.length))
    assert.ok(program.length < 1000, `${program.length} bytes`)
  }
})

test('helloImage() makes the same bytes each time, and a config that lists its layer', () => {
  const { config, layerTar } = helloImage('amd64')
  assert.deepEqual(helloImage('amd64'), { config, layerTar })
  assert.equal(layerTar.length % 512, 0)
  assert.match(config.rootfs.diff_ids[0] ?? '', /^sha256:[0-9a-f]{64}$/)
  const list = spawnSync('tar', ['-tvf', '-'], {
    input: layerTar,
    encoding: 'utf8',
    env: { ...process.env, TZ: 'UTC' },
  })
  assert.match(list.stdout, /^-rwxr-xr-x 0\/0 +\d+ 2026-11-23 00:00 hello$/m)
})
