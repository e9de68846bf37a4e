/** The flags of `create` and `run`. */
import type { Flag } from '../../flags/flag.ts'
import { parseBinarySize } from '../../format/units.ts'
import {
  checkAddHost,
  checkAddress,
  checkAttach,
  checkDevice,
  checkDeviceRule,
  checkEnv,
  checkLabel,
  checkLink,
  checkSysctl,
  checkUlimit,
} from './check-values.ts'
import { checkMount } from './mount-options.ts'
import { checkNetwork } from './network-options.ts'
import { parseGpus, parseRate, parseWeight } from './resource-options.ts'

/** Makes a check that parses the value and keeps it unchanged. */
function parsedBy(parse: (value: string) => unknown): (value: string) => string {
  return (value) => {
    parse(value)
    return value
  }
}

function flag(name: string, type: Flag['type'], help: string, more: Partial<Flag> = {}): Flag {
  return { name, type, help, ...more }
}

const checkBytesRate = parsedBy((value) => parseRate(value, parseBinarySize))
const checkOperationsRate = parsedBy((value) => parseRate(value, Number))

const resources: readonly Flag[] = [
  flag('blkio-weight', 'uint16', 'Relative weight of block I/O, 10 to 1000, or 0 for none', { shownDefault: '0' }),
  flag('blkio-weight-device', 'list', 'Relative weight of block I/O of one device', {
    shownDefault: '[]',
    check: parsedBy(parseWeight),
  }),
  flag('cgroup-parent', 'string', 'Parent cgroup of the container'),
  flag('cgroupns', 'string', "Cgroup namespace: 'host' or 'private'"),
  flag('cpu-count', 'int', 'Number of CPUs (Windows only)', { hidden: true }),
  flag('cpu-percent', 'int', 'Percentage of CPUs (Windows only)', { hidden: true }),
  flag('cpu-period', 'int', 'Period of the CPU quota in microseconds'),
  flag('cpu-quota', 'int', 'CPU time within a period in microseconds'),
  flag('cpu-rt-period', 'int', 'Period of real-time CPU time in microseconds'),
  flag('cpu-rt-runtime', 'int', 'Real-time CPU time within a period in microseconds'),
  flag('cpu-shares', 'int', 'Relative weight of CPU time', { short: 'c' }),
  flag('cpus', 'decimal', 'Number of CPUs'),
  flag('cpuset-cpus', 'string', 'CPUs to run on (0-3, 0,1)'),
  flag('cpuset-mems', 'string', 'Memory nodes to use (0-3, 0,1)'),
  flag('device', 'list', 'Device of the host to add', { check: checkDevice }),
  flag('device-cgroup-rule', 'list', 'Rule for the list of allowed devices', { check: checkDeviceRule }),
  flag('device-read-bps', 'list', 'Limit of bytes a second read from a device', {
    shownDefault: '[]',
    check: checkBytesRate,
  }),
  flag('device-read-iops', 'list', 'Limit of reads a second from a device', {
    shownDefault: '[]',
    check: checkOperationsRate,
  }),
  flag('device-write-bps', 'list', 'Limit of bytes a second written to a device', {
    shownDefault: '[]',
    check: checkBytesRate,
  }),
  flag('device-write-iops', 'list', 'Limit of writes a second to a device', {
    shownDefault: '[]',
    check: checkOperationsRate,
  }),
  flag('gpus', 'gpu-request', "GPUs to add ('all' for all of them)", { check: parsedBy(parseGpus) }),
  flag('io-maxbandwidth', 'bytes', 'I/O bandwidth of the system drive (Windows only)', { hidden: true }),
  flag('io-maxiops', 'uint', 'I/O operations a second of the system drive (Windows only)', { hidden: true }),
  flag('kernel-memory', 'bytes', 'Ignored: the kernel has no such limit any more'),
  flag('memory', 'bytes', 'Limit of memory', { short: 'm' }),
  flag('memory-reservation', 'bytes', 'Soft limit of memory'),
  flag('memory-swap', 'bytes', "Limit of memory and swap together, '-1' for none"),
  flag('memory-swappiness', 'int', 'How readily memory is swapped, 0 to 100', { shownDefault: '-1' }),
  flag('oom-kill-disable', 'bool', 'Do not kill when memory runs out'),
  flag('oom-score-adj', 'int', 'Preference of the kernel when memory runs out, -1000 to 1000'),
  flag('pids-limit', 'int', 'Number of processes, -1 for no limit'),
  flag('shm-size', 'bytes', 'Size of /dev/shm'),
  flag('storage-opt', 'list', 'Options of the storage driver'),
  flag('ulimit', 'ulimit', 'Limits of processes (NAME=SOFT[:HARD])', { shownDefault: '[]', check: checkUlimit }),
]

const networking: readonly Flag[] = [
  flag('add-host', 'list', 'Line for /etc/hosts (HOST:IP)', { check: checkAddHost }),
  flag('dns', 'list', 'Address of a DNS server', { check: checkAddress }),
  flag('dns-opt', 'list', 'Option of the resolver', { hidden: true }),
  flag('dns-option', 'list', 'Option of the resolver'),
  flag('dns-search', 'list', 'Domain that the resolver searches'),
  flag('domainname', 'string', 'NIS domain name'),
  flag('expose', 'list', 'Port or range of ports that the container offers'),
  flag('hostname', 'string', "The container's host name", { short: 'h' }),
  flag('ip', 'string', 'IPv4 address (172.30.100.104)'),
  flag('ip6', 'string', 'IPv6 address (2001:db8::33)'),
  flag('link', 'list', 'Link to another container', { check: checkLink }),
  flag('link-local-ip', 'list', 'Link-local address'),
  flag('mac-address', 'string', 'MAC address (92:d0:c6:0a:29:33)'),
  flag('net', 'network', 'Network to join', { hidden: true, check: checkNetwork }),
  flag('net-alias', 'list', 'Name in the network', { hidden: true }),
  flag('network', 'network', 'Network to join: a name, bridge, host, none or container:NAME', { check: checkNetwork }),
  flag('network-alias', 'list', 'Name in the network'),
  flag('publish', 'list', 'Publish ports of the container ([[IP:]HOST_PORT:]PORT[/PROTOCOL])', { short: 'p' }),
  flag('publish-all', 'bool', 'Publish all exposed ports at free ports of the host', { short: 'P' }),
]

const process: readonly Flag[] = [
  flag('annotation', 'map', 'Annotation, passed on to the OCI runtime', { shownDefault: 'map[]' }),
  flag('attach', 'list', 'Connect to STDIN, STDOUT or STDERR', { short: 'a', check: checkAttach }),
  flag('cap-add', 'list', 'Capability to add'),
  flag('cap-drop', 'list', 'Capability to take away'),
  flag('cidfile', 'string', "File to write the container's id to"),
  flag('disable-content-trust', 'bool', 'Do not check signatures, which is not supported', { defaultTrue: true }),
  flag('entrypoint', 'string', "Program in place of the image's entrypoint"),
  flag('env', 'list', 'Environment variable (NAME=VALUE, or NAME to pass it on)', { short: 'e', check: checkEnv }),
  flag('env-file', 'list', 'File of environment variables'),
  flag('group-add', 'list', 'Group to join as well'),
  flag('health-cmd', 'string', 'Command that tells whether the container works'),
  flag('health-interval', 'duration', 'Time between checks (ms|s|m|h)', { shownDefault: '0s' }),
  flag('health-retries', 'int', 'Failures in a row that make it unhealthy'),
  flag('health-start-interval', 'duration', 'Time between checks while it starts (ms|s|m|h)', { shownDefault: '0s' }),
  flag('health-start-period', 'duration', 'Time to start in, when failures do not count (ms|s|m|h)', {
    shownDefault: '0s',
  }),
  flag('health-timeout', 'duration', 'Longest time of one check (ms|s|m|h)', { shownDefault: '0s' }),
  flag('help', 'bool', 'Show this help'),
  flag('init', 'bool', 'Run a small init that passes signals on and reaps processes'),
  flag('interactive', 'bool', 'Keep STDIN open', { short: 'i' }),
  flag('ipc', 'string', 'IPC namespace'),
  flag('isolation', 'string', 'Isolation technology'),
  flag('label', 'list', 'Label (NAME=VALUE)', { short: 'l', check: checkLabel }),
  flag('label-file', 'list', 'File of labels, one a line'),
  flag('log-driver', 'string', 'Log driver'),
  flag('log-opt', 'list', 'Option of the log driver'),
  flag('name', 'string', 'Name of the container'),
  flag('no-healthcheck', 'bool', "Do not run the image's health check"),
  flag('pid', 'string', 'PID namespace'),
  flag('platform', 'string', 'Platform of the image (os[/arch[/variant]])'),
  flag('privileged', 'bool', 'Give the container all rights on the host'),
  flag('quiet', 'bool', 'Do not show the progress of a pull', { short: 'q' }),
  flag('restart', 'string', 'When to start again: no, on-failure[:N], always, unless-stopped', { shownDefault: 'no' }),
  flag('rm', 'bool', 'Remove the container and its anonymous volumes when it ends'),
  flag('runtime', 'string', 'OCI runtime to use'),
  flag('security-opt', 'list', 'Security option'),
  flag('stop-signal', 'string', 'Signal that stops the container'),
  flag('stop-timeout', 'int', 'Seconds to stop in before it is killed'),
  flag('sysctl', 'map', 'Kernel parameter (NAME=VALUE)', { shownDefault: 'map[]', check: checkSysctl }),
  flag('tty', 'bool', 'Give the container a terminal', { short: 't' }),
  flag('use-api-socket', 'bool', "Give the container the daemon's socket"),
  flag('user', 'string', 'User to run as (NAME|UID[:GROUP|GID])', { short: 'u' }),
  flag('userns', 'string', 'User namespace'),
  flag('uts', 'string', 'UTS namespace'),
  flag('workdir', 'string', 'Directory to start in', { short: 'w' }),
]

const storage: readonly Flag[] = [
  flag('mount', 'mount', 'Mount to add (type=bind|volume|tmpfs,source=…,target=…)', { check: checkMount }),
  flag('read-only', 'bool', "Make the container's root file system read-only"),
  flag('tmpfs', 'list', 'Directory to mount a tmpfs on'),
  flag('volume', 'list', 'Directory or volume to mount ([SOURCE:]TARGET[:OPTIONS])', { short: 'v' }),
  flag('volume-driver', 'string', 'Driver of volumes'),
  flag('volumes-from', 'list', 'Container whose mounts to take over'),
]

/** The flags that both commands have. */
export const createFlags: readonly Flag[] = [...resources, ...networking, ...process, ...storage]

/** `--pull`. Its help differs in one word between the commands. */
export function pullFlag(before: string): Flag {
  return flag('pull', 'string', `Pull the image before ${before} ("always", "missing", "never")`, {
    shownDefault: 'missing',
  })
}
