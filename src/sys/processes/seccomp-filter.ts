/** Compiles an OCI `linux.seccomp` to the kernel's filter, with the host's libseccomp, which OCI runtimes use too. One
 *  thing is added, as runc does: system calls that are newer than all calls in the rules fail with ENOSYS. With EPERM,
 *  the usual default, C libraries and programs would not fall back to older calls.
 *  seccomp_init(3), seccomp_rule_add(3), seccomp_export_bpf(3), seccomp(2) */
import type { OciSeccomp, OciSeccompArgument, OciSeccompRule } from '../../oci/index.ts'
import { closeFd, readFd } from '../native/fd.ts'
import { errno, libraryFunctions, syscall, systemError } from '../native/ffi.ts'

const refuse = 0x0005_0000
/** Actions of seccomp.h; error numbers are in the lower half. SCMP_ACT_NOTIFY is missing on purpose: the OCI runtime
 *  must see it in the rules, to connect the agent. */
const actions: Readonly<Record<string, number>> = {
  SCMP_ACT_KILL: 0,
  SCMP_ACT_KILL_THREAD: 0,
  SCMP_ACT_KILL_PROCESS: 0x8000_0000,
  SCMP_ACT_TRAP: 0x0003_0000,
  SCMP_ACT_ERRNO: refuse,
  SCMP_ACT_TRACE: 0x7ff0_0000,
  SCMP_ACT_LOG: 0x7ffc_0000,
  SCMP_ACT_ALLOW: 0x7fff_0000,
}
const withErrno = ['SCMP_ACT_ERRNO', 'SCMP_ACT_TRACE']
/** Default actions that allow a new system call, or let a tracer decide. */
const lenient = ['SCMP_ACT_ALLOW', 'SCMP_ACT_LOG', 'SCMP_ACT_TRACE']
const comparisons = ['', 'NE', 'LT', 'LE', 'EQ', 'GE', 'GT', 'MASKED_EQ'].map((name) => `SCMP_CMP_${name}`)
const argumentBytes = 24
/** libseccomp's result for an unknown name. Other negative numbers are calls of other architectures. */
const unknownName = -1

const x8664 = 0xc000_003e
/** x32 has the same architecture number as x86-64 in the kernel's record of a call, but sets this bit in the call's
 *  number. */
const x32 = 0x4000_003e
const x32Bit = 0x4000_0000

const library = libraryFunctions('libseccomp.so.2', {
  init: 'void *seccomp_init(uint32_t action)',
  release: 'void seccomp_release(void *filter)',
  addArch: 'int seccomp_arch_add(void *filter, uint32_t arch)',
  nativeArch: 'uint32_t seccomp_arch_native()',
  archByName: 'uint32_t seccomp_arch_resolve_name(const char *name)',
  callByName: 'int seccomp_syscall_resolve_name(const char *name)',
  callOfArch: 'int seccomp_syscall_resolve_name_arch(uint32_t arch, const char *name)',
  addRule:
    'int seccomp_rule_add_array(void *filter, uint32_t action, int call, unsigned int count, const void *conditions)',
  export: 'int seccomp_export_bpf(void *filter, int fd)',
})
const memfdCreate = syscall('int memfd_create(const char *name, uint32_t flags)')
const lseek = syscall('int64_t lseek(int fd, int64_t offset, int whence)')
const mfdCloexec = 1

/** The filter as an array of `struct sock_filter`. Undefined when the host has no libseccomp, or one that rejects the
 *  rules; the OCI runtime then compiles them and reports what is wrong. */
export function compileSeccomp(seccomp: OciSeccomp): Buffer | undefined {
  const calls = library()
  const defaultAction = actionOf(seccomp.defaultAction, seccomp.defaultErrnoRet)
  if (calls === undefined || defaultAction === undefined) return undefined
  const filter = calls.init(defaultAction)
  try {
    const archs = [calls.nativeArch() as number]
    for (const name of seccomp.architectures ?? []) {
      const arch = calls.archByName(name.replace(/^SCMP_ARCH_/, '').toLowerCase()) as number
      const result = calls.addArch(filter, arch) as number
      if (result !== 0 && result !== -errno.EEXIST) return undefined
      if (result === 0) archs.push(arch)
    }
    for (const rule of seccomp.syscalls ?? []) {
      const action = actionOf(rule.action, rule.errnoRet)
      if (action === undefined) return undefined
      if (action === defaultAction) continue
      const added = conditionsOf(rule).every((conditions) =>
        rule.names.every((name) => {
          const number = calls.callByName(name) as number
          const count = conditions.byteLength / argumentBytes
          // Skips names that this libseccomp doesn't know, and calls that the architecture doesn't have (EDOM).
          if (number === unknownName) return true
          const result = calls.addRule(filter, action, number, count, conditions) as number
          return result === 0 || result === -errno.EEXIST || result === -errno.EDOM
        }),
      )
      if (!added) return undefined
    }
    const compiled = exported((fd) => calls.export(filter, fd))
    return Buffer.concat([newerCalls(seccomp, archs, calls.callOfArch), compiled])
  } finally {
    calls.release(filter)
  }
}

function actionOf(name: string, errnoRet: number = errno.EPERM): number | undefined {
  const action = actions[name]
  return action !== undefined && withErrno.includes(name) ? action | errnoRet : action
}

/** The conditions of a rule, as arrays of `struct scmp_arg_cmp`, one array for each alternative. Several conditions on
 *  the same argument are alternatives, as in OCI runtimes, because libseccomp can't combine them. */
function conditionsOf({ args = [] }: OciSeccompRule): Buffer[] {
  const distinct = new Set(args.map(({ index }) => index)).size === args.length
  const all = args.map(condition)
  return distinct ? [Buffer.concat(all)] : all
}

function condition({ index, op, value, valueTwo = 0 }: OciSeccompArgument): Buffer {
  const bytes = Buffer.alloc(argumentBytes)
  bytes.writeUInt32LE(index, 0)
  bytes.writeUInt32LE(Math.max(0, comparisons.indexOf(op)), 4)
  bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)), 8)
  bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(valueTwo)), 16)
  return bytes
}

function exported(write: (fd: number) => unknown): Buffer {
  const fd = memfdCreate('seccomp', mfdCloexec)
  try {
    const result = Number(write(fd))
    if (result !== 0) throw systemError(result, 'seccomp_export_bpf')
    const bytes = Buffer.alloc(lseek(fd, 0, 1))
    lseek(fd, 0, 0)
    readFd(fd, bytes)
    return bytes
  } finally {
    closeFd(fd)
  }
}

/** `struct sock_filter`: code, jump if true, jump if false, value. Jumps count from the next instruction. */
type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, value: number]
const load = 0x20
const jump = 0x05
const jumpIfEqual = 0x15
const jumpIfGreater = 0x25
const jumpIfNotLess = 0x35
const answer = 0x06
/** Offsets in `struct seccomp_data`. */
const offsetOfCall = 0
const offsetOfArch = 4

/** Instructions to put before a filter: for each architecture, they refuse calls above the highest one in the rules. */
function newerCalls(
  seccomp: OciSeccomp,
  archs: readonly number[],
  numberOf: (arch: number, name: string) => unknown,
): Buffer {
  if (lenient.includes(seccomp.defaultAction) || seccomp.defaultErrnoRet === errno.ENOSYS) return Buffer.alloc(0)
  const names = (seccomp.syscalls ?? []).flatMap((rule) => rule.names)
  const highest = new Map(
    archs.map((arch) => [arch, Math.max(-1, ...names.map((name) => Number(numberOf(arch, name))))] as const),
  )
  const blocks = [...highest].flatMap(([arch, last]) => {
    if (arch === x32 || last < 0) return []
    return [arch === x8664 ? blockOfX8664(last, highest.get(x32) ?? -1) : block(arch, last)]
  })
  const program: Instruction[] = [[load, 0, 0, offsetOfArch], ...blocks.flat()]
  // Calls that are not refused here continue with the filter itself.
  return Buffer.concat(
    program.map(([code, ifTrue, ifFalse, value], at) =>
      instruction([code, ifTrue, ifFalse, code === jump ? program.length - at - 1 : value]),
    ),
  )
}

const noSuchCall: Instruction = [answer, 0, 0, refuse | errno.ENOSYS]
const goOn: Instruction = [jump, 0, 0, 0]

function block(arch: number, last: number): Instruction[] {
  return [[jumpIfEqual, 0, 4, arch], [load, 0, 0, offsetOfCall], [jumpIfGreater, 0, 1, last], noSuchCall, goOn]
}

/** The block for x86-64. If the rules don't mention x32, calls with x32's bit are left to the filter. */
function blockOfX8664(last: number, lastOfX32: number): Instruction[] {
  return [
    [jumpIfEqual, 0, 6, x8664],
    [load, 0, 0, offsetOfCall],
    [jumpIfNotLess, 1, 0, x32Bit],
    [jumpIfGreater, 1, 2, last],
    [jumpIfGreater, 0, 1, lastOfX32 < 0 ? 0xffff_ffff : lastOfX32],
    noSuchCall,
    goOn,
  ]
}

function instruction([code, ifTrue, ifFalse, value]: Instruction): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeUInt16LE(code, 0)
  bytes.writeUInt8(ifTrue, 2)
  bytes.writeUInt8(ifFalse, 3)
  bytes.writeUInt32LE(value >>> 0, 4)
  return bytes
}
