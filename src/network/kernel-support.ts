/** What the running kernel lacks for containers' networks. Each feature is tried in a network namespace of its own, which
 *  ends at once, so nothing on the host changes. */
import { closeSync, openSync } from 'node:fs'
import { messageOf } from '../base/index.ts'
import {
  createBridge,
  createVeth,
  hostInfo,
  inNewNetworkNamespace,
  RouteSocket,
  redirectLoopbackPorts,
} from '../sys/index.ts'

/** A feature that the kernel lacks or refuses. */
export interface MissingFeature {
  /** What users of the engine cannot do, such as 'names of containers in user-defined networks'. */
  readonly feature: string
  /** The kernel's release and its error. */
  readonly reason: string
}

/** Tries one feature in the calling thread's network namespace. Throws the system's error. */
type Probe = () => void

const redirects = [{ protocol: 'udp', port: 53, target: 1053 }] as const
const mac = '02:00:00:00:00:01'

const kernelProbes: Readonly<Record<string, Probe>> = {
  'bridge networks': () => {
    const namespaceFd = openSync('/proc/thread-self/ns/net', 'r')
    const socket = RouteSocket.open()
    try {
      socket.execute(createBridge({ name: 'probe', mac, mtu: 1500 }))
      socket.execute(createVeth({ name: 'probe0', peer: { name: 'probe1', mac, namespaceFd }, mtu: 1500 }))
    } finally {
      socket.close()
      closeSync(namespaceFd)
    }
  },
  'names of containers in user-defined networks': () =>
    void redirectLoopbackPorts('probe', '127.0.0.11', redirects, { way: 'rewrite' }),
  'names of containers in user-defined networks with --userns-remap': () =>
    void redirectLoopbackPorts('probe', '127.0.0.11', redirects, { way: 'translate' }),
}

/** Features that work do not stop working while the kernel runs; one that is missing may come with a module. */
const known = new Set<string>()

/** The features that the kernel lacks now. Those that worked once are not tried again. Main thread only. */
export function missingFeatures(probes = kernelProbes): readonly MissingFeature[] {
  return Object.entries(probes).flatMap(([feature, probe]) => {
    if (known.has(feature)) return []
    try {
      inNewNetworkNamespace(probe)
      known.add(feature)
      return []
    } catch (error) {
      return [{ feature, reason: `Linux ${hostInfo().kernelVersion}: ${messageOf(error)}` }]
    }
  })
}
