/** What programs try in order to escape from a container: system calls, files of the kernel, devices. A perl program
 *  (every Debian has perl) tries all of it, and prints one line for each: the probe's name and its result. */

/** A system call by its numbers on x86-64 and arm64 (0: there is none) and its arguments, as perl has them. */
type Call = readonly [name: string, amd64: number, arm64: number, args: string]

const newUser = 0x1000_0000
const calls: readonly Call[] = [
  ['unshare user', 272, 97, `${newUser}`],
  ['unshare mount', 272, 97, `${0x2_0000}`],
  ['unshare net', 272, 97, `${0x4000_0000}`],
  ['unshare pid', 272, 97, `${0x2000_0000}`],
  ['unshare ipc', 272, 97, `${0x0800_0000}`],
  ['unshare uts', 272, 97, `${0x0400_0000}`],
  ['unshare cgroup', 272, 97, `${0x0200_0000}`],
  ['setns', 308, 268, '0, 0'],
  ['clone user', 56, 220, `${newUser + 17}, 0, 0, 0, 0`],
  ['clone3', 435, 435, '0, 0'],
  ['mount', 165, 40, '"none", "/tmp", "tmpfs", 0, 0'],
  ['mount remount', 165, 40, '"none", "/proc/sys", "none", 4096 + 32, 0'],
  ['umount', 166, 39, '"/proc/sys", 2'],
  ['pivot_root', 155, 41, '"/", "/tmp"'],
  ['open_tree', 428, 428, '-100, "/", 1'],
  ['move_mount', 429, 429, '-100, "/", -100, "/tmp", 0'],
  ['fsopen', 430, 430, '"tmpfs", 0'],
  ['fsmount', 432, 432, '-1, 0, 0'],
  ['mount_setattr', 442, 442, '-100, "/", 0, 0, 0'],
  ['keyctl', 250, 219, '0, -3, 0, 0, 0'],
  ['add_key', 248, 217, '"user", "x", "y", 1, -3'],
  ['request_key', 249, 218, '"user", "x", 0, 0'],
  ['bpf', 321, 280, '0, 0, 0'],
  ['perf_event_open', 298, 241, '0, 0, -1, -1, 0'],
  ['userfaultfd', 323, 282, '0'],
  // Not the program itself, which would stop then.
  ['ptrace attach', 101, 117, '16, (getppid() == 1 ? 99999 : 1), 0, 0'],
  ['process_vm_readv', 310, 270, '1, 0, 0, 0, 0, 0'],
  ['process_vm_writev', 311, 271, '1, 0, 0, 0, 0, 0'],
  ['kcmp', 312, 272, '1, 1, 0, 0, 0'],
  ['pidfd_getfd', 438, 438, '-1, 0, 0'],
  ['init_module', 175, 105, '0, 0, ""'],
  ['finit_module', 313, 273, '-1, "", 0'],
  ['delete_module', 176, 106, '"no_such_module", 0'],
  ['kexec_load', 246, 104, '0, 0, 0, 0'],
  ['kexec_file_load', 320, 294, '-1, -1, 0, 0, 0'],
  ['reboot', 169, 142, '0, 0, 0, 0'],
  ['swapon', 167, 224, '"/no/such", 0'],
  ['swapoff', 168, 225, '"/no/such"'],
  ['clock_settime', 227, 112, '0, 0'],
  ['settimeofday', 164, 170, '0, 0'],
  ['acct', 163, 89, '0'],
  ['quotactl', 179, 60, '0, 0, 0, 0'],
  ['iopl', 172, 0, '3'],
  ['ioperm', 173, 0, '0, 1, 1'],
  ['syslog', 103, 116, '10, 0, 0'],
  ['io_uring_setup', 425, 425, '1, 0'],
  ['open_by_handle_at', 304, 265, '-100, 0, 0'],
  ['name_to_handle_at', 303, 264, '-100, 0, 0, 0, 0'],
  ['lookup_dcookie', 212, 18, '0, 0, 0'],
  ['fanotify_init', 300, 262, '0, 0'],
  ['sethostname', 170, 161, '"x", 1'],
  ['setdomainname', 171, 162, '"x", 1'],
  ['vhangup', 153, 58, ''],
  ['get_mempolicy', 239, 236, '0, 0, 0, 0, 0'],
  ['set_mempolicy', 238, 237, '0, 0, 0'],
  ['mbind', 237, 235, '0, 0, 0, 0, 0, 0'],
  ['move_pages', 279, 239, '0, 0, 0, 0, 0, 0'],
  ['migrate_pages', 256, 238, '0, 0, 0, 0'],
  ['personality', 135, 92, `${0x0400_0000}`],
  ['uselib', 134, 0, '"/no/such"'],
  ['ustat', 136, 0, '0, 0'],
  ['sysfs', 139, 0, '3'],
  ['_sysctl', 156, 0, '0'],
  ['nfsservctl', 180, 42, '0, 0, 0'],
  ['socket raw', 41, 198, '2, 3, 1'],
  ['socket packet', 41, 198, '17, 3, 0'],
  ['socket vsock', 41, 198, '40, 1, 0'],
  ['socket crypto', 41, 198, '38, 5, 0'],
  ['socket audit', 41, 198, '16, 3, 9'],
  ['socket bluetooth', 41, 198, '31, 3, 1'],
  ['socket key', 41, 198, '15, 3, 2'],
  ['setpriority', 141, 140, '0, 0, -20'],
  ['ioprio_set', 251, 30, '1, 0, (1 << 13)'],
  ['mlockall', 151, 230, '2'],
  ['chroot', 161, 51, '"/tmp"'],
]

/** Files that reveal the host or reach it. */
const readable = [
  '/proc/kcore',
  '/proc/keys',
  '/proc/key-users',
  '/proc/kmsg',
  '/proc/timer_list',
  '/proc/sched_debug',
  '/proc/latency_stats',
  '/proc/interrupts',
  '/proc/slabinfo',
  '/proc/kpagecount',
  '/proc/1/environ',
  '/proc/1/mem',
  '/sys/kernel/notes',
  '/sys/kernel/vmcoreinfo',
  '/sys/firmware/memmap',
  '/sys/firmware/dmi/tables/DMI',
  '/sys/kernel/debug/sched',
]

/** Trees in which each file that can be opened for writing is a probe. */
const writableTrees = ['/proc', '/sys']

/** Devices by their numbers: the probe creates a node, then opens it. */
const devices: readonly (readonly [name: string, kind: 'c' | 'b', major: number, minor: number])[] = [
  ['mem', 'c', 1, 1],
  ['port', 'c', 1, 4],
  ['kmsg', 'c', 1, 11],
  ['tty0', 'c', 4, 0],
  ['ptmx of the host', 'c', 5, 2],
  ['rtc', 'c', 10, 135],
  ['fuse', 'c', 10, 229],
  ['kvm', 'c', 10, 232],
  ['tun', 'c', 10, 200],
  ['loop-control', 'c', 10, 237],
  ['loop0', 'b', 7, 0],
  ['sda', 'b', 8, 0],
  ['vda', 'b', 254, 0],
  ['full', 'c', 1, 7],
]

/** The program's text. Each probe runs in its own process, so that it does not affect the next one. */
export function probeProgram(arch: NodeJS.Architecture = process.arch): string {
  const tries = calls.flatMap(([name, amd64, arm64, args]) => {
    const number = arch === 'arm64' ? arm64 : amd64
    // The kernel gets memory that perl allows it to write.
    const own = args.replace(/"([^"]*)"/g, (text, inner: string) => `(my $t${inner.replace(/\W/g, '_')} = ${text})`)
    return number === 0
      ? []
      : [`try("call ${name}", sub { syscall(${[number, own].filter((part) => part !== '').join(', ')}) });`]
  })
  const files = readable.map(
    (path) => `try("read ${path}", sub { my ($f, $b); sysopen($f, "${path}", 0) && sysread($f, $b, 1) ? 0 : -1 });`,
  )
  const mknod = arch === 'arm64' ? 33 : 259
  const nodes = devices.map(([name, kind, major, minor]) => {
    const number = ((major & 0xfff) << 8) | (minor & 0xff)
    const mode = kind === 'c' ? 0o020600 : 0o060600
    return `try("device ${name}", sub { my $p = "/tmp/node"; unlink $p; syscall(${mknod}, -100, $p, ${mode}, ${number}) == 0 && sysopen(my $f, $p, ${2 | 0o4000}) ? 0 : -1 });`
  })
  return `
use strict; $| = 1;
sub try { my ($name, $work) = @_; pipe(my $in, my $out); my $pid = fork();
  if ($pid == 0) { $! = 0; my $r = $work->(); my $e = $! + 0; syswrite($out, $r == -1 ? $e : 0) ; kill 9, $$; sleep 1; }
  close $out; sysread($in, my $answer, 10); waitpid($pid, 0); print "$name\\t", ($answer eq '' ? 'killed' : $answer), "\\n"; }
sub walk { my ($dir) = @_; opendir(my $d, $dir) or return; for my $name (readdir $d) {
  next if $name eq '.' or $name eq '..'; next if $dir eq '/proc' && ($name =~ /^[0-9]+$/ || $name eq 'self' || $name eq 'thread-self');
  my $path = "$dir/$name"; next if -l $path; if (-d _) { walk($path) } elsif (-f _) { print "write $path\\t0\\n" if sysopen(my $f, $path, 1 | 04000) } } }
${[...tries, ...files, ...nodes].join('\n')}
${writableTrees.map((path) => `walk("${path}");`).join(' ')}
`
}

const eperm = 1
const enoent = 2
const enxio = 6
const eacces = 13
const enodev = 19
const erofs = 30
const enosys = 38

/** Whether the call was allowed: it succeeded, or would have succeeded with better arguments. */
export function isAllowed(answer: string): boolean {
  if (answer === 'killed') return false
  return ![eperm, enoent, enxio, eacces, enodev, erofs, enosys].includes(Number(answer))
}

/** The results, by the probes' names. */
export function parseAnswers(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split('\n').flatMap((line) => (line.includes('\t') ? [line.split('\t') as [string, string]] : [])),
  )
}
