/** Options of dockerd for which Berth has only one choice. A user may ask for that choice; any other is refused with
 *  the reason. So a daemon.json of Docker's either means the same here or is refused. */
import { invalidArgument } from '../../base/index.ts'
import type { RawValues } from './parse-options.ts'

/** The keys of `features`, and the values that ask for what Berth does. */
const features: Readonly<Record<string, { readonly allowed: readonly boolean[]; readonly reason: string }>> = {
  // The builder that clients ask for. Berth has one builder, which serves both values.
  buildkit: { allowed: [true, false], reason: '' },
  cdi: { allowed: [true], reason: 'CDI devices are always available' },
  'containerd-snapshotter': { allowed: [false], reason: 'Berth does not use containerd' },
}

/** Throws `invalidArgument` with the name of the first option whose value differs from Berth's choice. */
export function checkFixedChoices(raw: RawValues): void {
  const driver = raw.storageDriver
  if (driver !== undefined && driver !== '' && driver !== 'overlay2') {
    throw invalidArgument(`storage-driver: "${driver}" is not supported: layers are kept with overlayfs ("overlay2")`)
  }
  if (raw.userlandProxy === true) {
    throw invalidArgument(
      'userland-proxy: true is not supported: published ports are reached on all addresses, including 127.0.0.1, without a proxy',
    )
  }
  checkNetworkChoices(raw)
  for (const [name, value] of Object.entries((raw.features ?? {}) as Record<string, unknown>)) {
    const feature = features[name]
    if (feature === undefined) throw invalidArgument(`features: unknown feature "${name}"`)
    if (typeof value !== 'boolean') throw invalidArgument(`features: "${name}" must be true or false`)
    if (!feature.allowed.includes(value)) {
      throw invalidArgument(`features: "${name}": ${value} is not supported: ${feature.reason}`)
    }
  }
}

function checkNetworkChoices(raw: RawValues): void {
  const { firewallBackend, userlandProxyPath, networkControlPlaneMtu, networkDiagnosticPort } = raw
  if (firewallBackend !== undefined && firewallBackend !== '' && firewallBackend !== 'nftables') {
    throw invalidArgument(`firewall-backend: "${firewallBackend}" is not supported: Berth's rules are nftables rules`)
  }
  if (userlandProxyPath !== undefined && userlandProxyPath !== '') {
    throw invalidArgument('userland-proxy-path is not supported: published ports are reached without a proxy')
  }
  // 1500 is Docker's default.
  if (networkControlPlaneMtu !== undefined && networkControlPlaneMtu !== 1500) {
    throw invalidArgument('network-control-plane-mtu is not supported: Berth has no swarm and so no control plane')
  }
  if (networkDiagnosticPort !== undefined && networkDiagnosticPort !== 0) {
    throw invalidArgument('network-diagnostic-port is not supported: Berth has no diagnostic server for networks')
  }
}
