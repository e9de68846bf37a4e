/** Berth's default AppArmor profile for containers. It allows and denies what Docker's does.
 *  apparmor.d(5); https://docs.docker.com/engine/security/apparmor/ */

/** The profile's name in the kernel and in `inspect`. */
export const defaultAppArmorProfile = 'docker-default'

/** Denied access to paths below /proc and /sys, whatever their file modes allow. */
const denied = [
  // Everything in /proc except processes' own files, /proc/sys, and the limits of message queues.
  '@{PROC}/* w',
  '@{PROC}/{[^1-9],[^1-9][^0-9],[^1-9s][^0-9y][^0-9s],[^1-9][^0-9][^0-9][^0-9/]*}/** w',
  '@{PROC}/sys/[^kn]** w',
  '@{PROC}/sys/kernel/{?,??,[^s][^h][^m]**} w',
  '@{PROC}/sysrq-trigger rwklx',
  '@{PROC}/kcore rwklx',
  '/sys/[^f]*/** wklx',
  '/sys/f[^s]*/** wklx',
  '/sys/fs/[^c]*/** wklx',
  '/sys/fs/c[^g]*/** wklx',
  '/sys/fs/cg[^r]*/** wklx',
  '/sys/firmware/** rwklx',
  '/sys/devices/virtual/powercap/** rwklx',
  '/sys/kernel/security/** rwklx',
]

/** The profile's text for apparmor_parser(8). `daemonProfile`: the profile of the daemon, which must be able to signal
 *  containers. */
export function appArmorProfile(daemonProfile: string): string {
  const name = defaultAppArmorProfile
  const peers = [...new Set(['unconfined', 'crun', 'runc', daemonProfile])]
  return [
    '#include <tunables/global>',
    `profile ${name} flags=(attach_disconnected,mediate_deleted) {`,
    '  #include <abstractions/base>',
    '  network,',
    '  capability,',
    '  file,',
    '  umount,',
    ...peers.map((peer) => `  signal (receive) peer=${quote(peer)},`),
    `  signal (send,receive) peer=${name},`,
    ...denied.map((rule) => `  deny ${rule},`),
    '  deny mount,',
    `  ptrace (trace,read,tracedby,readby) peer=${name},`,
    '}',
    '',
  ].join('\n')
}

/** Quotes a profile's name, which may be a path with spaces. */
function quote(name: string): string {
  return /^[\w.-]+$/.test(name) ? name : JSON.stringify(name)
}
