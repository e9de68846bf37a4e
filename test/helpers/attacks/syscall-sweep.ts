/** Tries every system call by its number, with arguments that no call accepts (-1 everywhere: no descriptor, no
 *  address, no flags), and every kind of `clone`, `personality` and `socket`. A perl program runs each in its own
 *  process and prints a name and an errno for each, like that of escape-probes.ts. */

/** A number above the last system call of any kernel. */
const lastCall = 480
const numbersOf = {
  x64: { clone: 56, unshare: 272, personality: 135, socket: 41, ioctl: 16, keyctl: 250, prctl: 157 },
  arm64: { clone: 220, unshare: 97, personality: 92, socket: 198, ioctl: 29, keyctl: 219, prctl: 167 },
} as const

/** CLONE_NEW…, and the bits above 32 that `clone` ignores. */
const namespaceFlags = [0x80, 0x2_0000, 0x200_0000, 0x400_0000, 0x800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000]
const personalities = [
  0, 1, 6, 8, 0x2_0000, 0x2_0008, 0x4_0000, 0x10_0000, 0x40_0000, 0x80_0000, 0x400_0000, 0xffff_ffff,
]
/** TIOCSTI, TIOCLINUX, TIOCSCTTY, FIONREAD; the first also with a bit that the kernel cuts off. */
const ioctls = [0x5412, 0x1_0000_5412, 0x541c, 0x540e, 0x541b]

/** The program's text. */
export function sweepProgram(arch: 'x64' | 'arm64' = process.arch === 'arm64' ? 'arm64' : 'x64'): string {
  const { clone, unshare, personality, socket, ioctl, keyctl, prctl } = numbersOf[arch]
  return `
use strict; $| = 1;
sub try { my ($name, @call) = @_; pipe(my $in, my $out); my $pid = fork();
  if ($pid == 0) { my $me = $$; alarm 2; $! = 0; my $r = syscall($call[0], @call[1..$#call]); my $e = $! + 0;
    syswrite($out, $r == -1 ? $e : 0) if syscall(${arch === 'arm64' ? 172 : 39}) == $me; kill 9, $$; sleep 1; }
  close $out; sysread($in, my $answer, 10); waitpid($pid, 0);
  $answer = ($? & 127) == 31 ? 'killed' : 'gone' if $answer eq ''; print "$name\\t$answer\\n"; }
my @none = (-1) x 6;
try("call $_", $_, @none) for 0 .. ${lastCall};
try("zero $_", $_, (0) x 6) for 425 .. ${lastCall};
for my $flags (${namespaceFlags.join(', ')}) {
  try("unshare $flags", ${unshare}, $flags);
  if ($flags > 255) { try("clone $flags", ${clone}, $flags | 17, 0, 0, 0, 0);
    try("clone $flags high", ${clone}, $flags | 17 | (1 << 32), 0, 0, 0, 0); } }
try("personality $_", ${personality}, $_) for ${personalities.join(', ')};
for my $family (0 .. 50) { for my $type (1 .. 5) { try("socket $family $type", ${socket}, $family, $type, 0); } }
try("netlink $_", ${socket}, 16, 3, $_) for 0 .. 25;
try("socket 40 high", ${socket}, 40 + (1 << 32), 1, 0);
my $byte = "x" x 8;
try("ioctl $_", ${ioctl}, 0, $_, $byte) for ${ioctls.join(', ')};
try("keyctl $_", ${keyctl}, $_, -3, 0, 0, 0) for 0 .. 35;
try("prctl $_", ${prctl}, $_, @none[0 .. 3]) for 2 .. 80;
`
}

/** Calls, by their numbers, that the profiles of later versions of Docker allow and that of Debian's 20.10 does not know:
 *  process_vm_readv and _writev, name_to_handle_at, pkey_…, and what is newer than 2021. */
export function isOfLaterDocker(name: string): boolean {
  const older = process.arch === 'arm64' ? [264, 270, 271, 288, 289, 290] : [303, 310, 311, 329, 330, 331]
  const [kind = '', number = ''] = name.split(' ')
  return (kind === 'call' || kind === 'zero') && (older.includes(Number(number)) || Number(number) >= 450)
}
