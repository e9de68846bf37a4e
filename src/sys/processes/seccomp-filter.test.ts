import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OciSeccomp } from '../../oci/index.ts'
import { compileSeccomp } from './seccomp-filter.ts'

const ENOSYS = 38
const refuse = 0x0005_0000
const allow = 0x7fff_0000
const x8664 = 0xc000_003e
const aarch64 = 0xc000_00b7
const arm = 0x4000_0028
const native = process.arch === 'arm64' ? aarch64 : x8664
const [read, write, mount] = process.arch === 'arm64' ? [63, 64, 40] : [0, 1, 165]

/** Runs a filter as the kernel would, with the few instructions that libseccomp uses. bpf(4), seccomp(2) */
function run(program: Buffer, call: number, argument = 0n, arch = native): number {
  const data = Buffer.alloc(64)
  data.writeUInt32LE(call, 0)
  data.writeUInt32LE(arch, 4)
  data.writeBigUInt64LE(argument, 16)
  let accumulator = 0
  for (let at = 0; ; at += 8) {
    const code = program.readUInt16LE(at)
    const value = program.readUInt32LE(at + 4)
    const jump = (holds: boolean) => {
      at += 8 * program.readUInt8(at + (holds ? 2 : 3))
    }
    if (code === 0x20) accumulator = data.readUInt32LE(value)
    else if (code === 0x05) at += 8 * value
    else if (code === 0x15) jump(accumulator === value)
    else if (code === 0x25) jump(accumulator > value)
    else if (code === 0x35) jump(accumulator >= value)
    else if (code === 0x54) accumulator = (accumulator & value) >>> 0
    else if (code === 0x06) return value
    else throw new Error(`instruction ${code.toString(16)}`)
  }
}

function compile(seccomp: OciSeccomp): Buffer {
  const program = compileSeccomp(seccomp)
  assert(program !== undefined)
  return program
}

const rules = [
  { names: ['read', 'no_such_call_of_any_kernel'], action: 'SCMP_ACT_ALLOW' },
  { names: ['mount'], action: 'SCMP_ACT_ERRNO', errnoRet: 13 },
  { names: ['write'], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value: 1, op: 'SCMP_CMP_EQ' }] },
]

test('compileSeccomp: rules, their errors and conditions, and the default', () => {
  const program = compile({ defaultAction: 'SCMP_ACT_ERRNO', syscalls: rules })
  assert.equal(run(program, read), allow)
  assert.equal(run(program, mount), refuse | 13)
  assert.equal(run(program, write, 1n), allow)
  assert.equal(run(program, write, 2n), refuse | 1)
  assert.equal(run(program, write, 1n << 32n), refuse | 1)
  assert.equal(run(program, read + 2), refuse | 1)
})

test('compileSeccomp: a call above all named ones gives ENOSYS, if the default refuses', () => {
  const restrictive = compile({ defaultAction: 'SCMP_ACT_ERRNO', syscalls: rules })
  assert.equal(run(restrictive, mount + 1), refuse | ENOSYS)
  assert.equal(run(restrictive, 100_000), refuse | ENOSYS)
  const killing = compile({ defaultAction: 'SCMP_ACT_KILL_PROCESS', syscalls: rules })
  assert.equal(run(killing, 100_000), refuse | ENOSYS)
  assert.equal(run(killing, read + 2), 0x8000_0000)
  const lenient = compile({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: rules.slice(1, 2) })
  assert.equal(run(lenient, mount), refuse | 13)
  assert.equal(run(lenient, 100_000), allow)
})

test('compileSeccomp: each architecture has its own highest call', () => {
  const x86 = 0x4000_0003
  const program = compile({
    defaultAction: 'SCMP_ACT_ERRNO',
    architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
    syscalls: rules.slice(0, 2),
  })
  // mount is 165 on x86-64 and 21 on x86; read is 0 and 3.
  assert.equal(run(program, 100, 0n, x8664), refuse | 1)
  assert.equal(run(program, 100, 0n, x86), refuse | ENOSYS)
  assert.equal(run(program, 3, 0n, x86), allow)
  const x32Bit = 0x4000_0000
  assert.equal(run(program, x32Bit, 0n, x8664), allow)
  assert.equal(run(program, x32Bit + 165, 0n, x8664), refuse | 13)
  assert.equal(run(program, x32Bit + 166, 0n, x8664), refuse | ENOSYS)
  // Calls of other architectures are left to the filter.
  assert.equal(run(program, 0, 0n, arm), 0)
})

test('compileSeccomp: several conditions on one argument are alternatives', () => {
  const args = [1, 2].map((value) => ({ index: 0, value, op: 'SCMP_CMP_EQ' }))
  const program = compile({
    defaultAction: 'SCMP_ACT_ERRNO',
    syscalls: [{ names: ['write'], action: 'SCMP_ACT_ALLOW', args }],
  })
  assert.deepEqual(
    [1n, 2n, 3n].map((value) => run(program, write, value)),
    [allow, allow, refuse | 1],
  )
})

test('compileSeccomp: leaves rules to the runtime that only the runtime can apply', () => {
  const notify = [{ names: ['mount'], action: 'SCMP_ACT_NOTIFY' }]
  assert.equal(compileSeccomp({ defaultAction: 'SCMP_ACT_ALLOW', listenerPath: '/x', syscalls: notify }), undefined)
})
