/** Berth's default seccomp profile. It has Docker's rules, so that programs that run with Docker run with Berth. System
 *  calls that it does not name fail with EPERM. `clone3` fails with ENOSYS, so that libc falls back to `clone`, whose
 *  flags a filter can inspect. */
import type { OciSeccompArgument } from '../../oci/index.ts'
import type { SeccompProfile, SeccompProfileRule } from './seccomp-profile.ts'
import { commonSyscalls, expandNames } from './seccomp-syscalls.ts'

const allow = 'SCMP_ACT_ALLOW'
const EPERM = 1
const ENOSYS = 38
/** CLONE_NEWNS | NEWCGROUP | NEWUTS | NEWIPC | NEWUSER | NEWPID | NEWNET: none of them may be set. */
const namespaceFlags = 0x7e020000
const AF_VSOCK = 40

/** System calls that each capability allows. The kernel itself checks most of them as well. */
const byCapability: Readonly<Record<string, string>> = {
  CAP_DAC_READ_SEARCH: 'open_by_handle_at',
  CAP_SYS_ADMIN: `bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr
    lsm_list_modules lsm_set_self_attr mount mount_setattr move_mount open_tree perf_event_open quotactl quotactl_fd
    setdomainname sethostname setns syslog umount umount2 unshare`,
  CAP_SYS_BOOT: 'reboot',
  CAP_SYS_CHROOT: 'chroot',
  CAP_SYS_MODULE: 'delete_module init_module finit_module',
  CAP_SYS_PACCT: 'acct',
  CAP_SYS_PTRACE: 'kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace',
  CAP_SYS_RAWIO: 'iopl ioperm',
  CAP_SYS_TIME: 'settimeofday stime clock_settime[64]',
  CAP_SYS_TTY_CONFIG: 'vhangup',
  CAP_SYS_NICE: 'get_mempolicy mbind set_mempolicy set_mempolicy_home_node',
  CAP_SYSLOG: 'syslog',
  CAP_BPF: 'bpf',
  CAP_PERFMON: 'perf_event_open',
}

const byArchitecture: readonly { readonly arches: readonly string[]; readonly names: string }[] = [
  { arches: ['ppc64le'], names: 'sync_file_range2 swapcontext' },
  {
    arches: ['arm', 'arm64'],
    names: 'arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls',
  },
  { arches: ['amd64', 'x32'], names: 'arch_prctl' },
  { arches: ['amd64', 'x32', 'x86'], names: 'modify_ldt' },
  { arches: ['s390', 's390x'], names: 's390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr' },
  { arches: ['riscv64'], names: 'riscv_flush_icache' },
]

/** Values of personality(2) that only change the layout of addresses or the output of uname. */
const personalities = [0x0, 0x8, 0x20000, 0x20008, 0xffffffff]

const mips = (bits: string): readonly { architecture: string; subArchitectures: string[] }[] => {
  const family = [bits, `${bits}64`, `${bits}64N32`].map((name) => `SCMP_ARCH_${name}`)
  return family.slice(1).map((architecture) => ({
    architecture,
    subArchitectures: family.filter((name) => name !== architecture),
  }))
}

const s390 = ['s390', 's390x']

/** The profile of every container that is not privileged and has no other profile. */
export const defaultSeccompProfile: SeccompProfile = {
  defaultAction: 'SCMP_ACT_ERRNO',
  defaultErrnoRet: EPERM,
  archMap: [
    { architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86', 'SCMP_ARCH_X32'] },
    { architecture: 'SCMP_ARCH_AARCH64', subArchitectures: ['SCMP_ARCH_ARM'] },
    { architecture: 'SCMP_ARCH_S390X', subArchitectures: ['SCMP_ARCH_S390'] },
    { architecture: 'SCMP_ARCH_RISCV64', subArchitectures: [] },
    ...mips('MIPS'),
    ...mips('MIPSEL'),
  ],
  syscalls: [
    { names: commonSyscalls, action: allow },
    // Before Linux 4.8, a traced process could escape its filter.
    { names: ['process_vm_readv', 'process_vm_writev', 'ptrace'], action: allow, includes: { minKernel: '4.8' } },
    { names: ['socket'], action: allow, args: [argument(0, 'SCMP_CMP_NE', AF_VSOCK)] },
    ...personalities.map((value) => ({
      names: ['personality'],
      action: allow,
      args: [argument(0, 'SCMP_CMP_EQ', value)],
    })),
    ...byArchitecture.map(({ arches, names }) => ({ names: expandNames(names), action: allow, includes: { arches } })),
    ...Object.entries(byCapability).map(([cap, names]) => ({
      names: expandNames(names),
      action: allow,
      includes: { caps: [cap] },
    })),
    ...cloneRules(),
  ],
}

/** Without CAP_SYS_ADMIN, clone may create processes and threads but no namespaces. */
function cloneRules(): SeccompProfileRule[] {
  const excluded = { caps: ['CAP_SYS_ADMIN'] }
  const noNamespaces = (index: number): OciSeccompArgument[] => [
    { index, value: namespaceFlags, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' },
  ]
  return [
    { names: ['clone'], action: allow, args: noNamespaces(0), excludes: { ...excluded, arches: s390 } },
    // On s390, the first two arguments of clone are swapped.
    { names: ['clone'], action: allow, args: noNamespaces(1), includes: { arches: s390 }, excludes: excluded },
    { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS, excludes: excluded },
  ]
}

function argument(index: number, op: string, value: number): OciSeccompArgument {
  return { index, value, op }
}
