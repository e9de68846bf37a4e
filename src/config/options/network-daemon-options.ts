/** Options of `berthd` for networks, including those for which Berth has only one choice. */
import type { DaemonOption } from './daemon-option.ts'

/** The options for networks, by the names that the code uses for them. */
export const networkDaemonOptions = {
  allowDirectRouting: {
    flag: 'allow-direct-routing',
    key: 'allow-direct-routing',
    kind: 'boolean',
    help: "Let hosts with a route to it reach published ports at containers' own addresses",
  },
  bridge: {
    flag: 'bridge',
    short: 'b',
    key: 'bridge',
    kind: 'string',
    help: 'Bridge of the host to use as the default one; "none" for no default bridge',
  },
  defaultAddressPool: {
    flag: 'default-address-pool',
    kind: 'list',
    help: 'Range from which networks without a subnet get one (base=CIDR,size=LENGTH)',
  },
  defaultAddressPools: {
    key: 'default-address-pools',
    kind: 'objects',
    help: 'The same in daemon.json: a list of objects with base and size',
  },
  bip: { flag: 'bip', key: 'bip', kind: 'string', help: 'IPv4 address and prefix of the default bridge (CIDR)' },
  bip6: { flag: 'bip6', key: 'bip6', kind: 'string', help: 'IPv6 address and prefix of the default bridge (CIDR)' },
  defaultGateway: {
    flag: 'default-gateway',
    key: 'default-gateway',
    kind: 'string',
    help: "Containers' IPv4 router on the default bridge (default: the bridge)",
  },
  defaultGatewayV6: {
    flag: 'default-gateway-v6',
    key: 'default-gateway-v6',
    kind: 'string',
    help: "Containers' IPv6 router on the default bridge (default: the bridge)",
  },
  defaultNetworkOpt: {
    flag: 'default-network-opt',
    kind: 'list',
    help: 'Default option of new networks (DRIVER=NAME=VALUE)',
  },
  defaultNetworkOpts: {
    key: 'default-network-opts',
    kind: 'object',
    help: 'Default options of new networks: {"DRIVER": {"NAME": "VALUE"}}',
  },
  fixedCidr: {
    flag: 'fixed-cidr',
    key: 'fixed-cidr',
    kind: 'string',
    help: "Part of the default bridge's range from which containers get their addresses",
  },
  fixedCidrV6: {
    flag: 'fixed-cidr-v6',
    key: 'fixed-cidr-v6',
    kind: 'string',
    help: 'IPv6 range of the default bridge',
  },
  ipForward: {
    flag: 'ip-forward',
    key: 'ip-forward',
    kind: 'boolean',
    help: 'Let the host forward packets (default true)',
  },
  ipMasq: {
    flag: 'ip-masq',
    key: 'ip-masq',
    kind: 'boolean',
    help: "Use the host's address for outgoing connections of the default bridge (default true)",
  },
  iptables: {
    flag: 'iptables',
    key: 'iptables',
    kind: 'boolean',
    help: 'Packet filter rules (always true; with nftables)',
  },
  ip6tables: { flag: 'ip6tables', key: 'ip6tables', kind: 'boolean', help: 'The same for IPv6' },
  ipv6: { flag: 'ipv6', key: 'ipv6', kind: 'boolean', help: 'Enable IPv6 on the default bridge' },
  icc: {
    flag: 'icc',
    key: 'icc',
    kind: 'boolean',
    help: 'Let containers of the default bridge reach each other (default true)',
  },
  userlandProxy: {
    flag: 'userland-proxy',
    key: 'userland-proxy',
    kind: 'boolean',
    help: 'Only false: published ports need no proxy (default false)',
  },
  firewallBackend: {
    flag: 'firewall-backend',
    key: 'firewall-backend',
    kind: 'string',
    help: 'Only nftables (default "nftables")',
  },
  hostGatewayIps: {
    flag: 'host-gateway-ip',
    key: 'host-gateway-ips',
    kind: 'list',
    help: "Address that host-gateway means in --add-host (default the gateway of the container's network)",
    reloadable: true,
  },
  hostGatewayIp: {
    key: 'host-gateway-ip',
    kind: 'string',
    help: 'Older name of host-gateway-ips, for one address',
    reloadable: true,
  },
  ipForwardNoDrop: {
    flag: 'ip-forward-no-drop',
    key: 'ip-forward-no-drop',
    kind: 'boolean',
    help: 'Always on: Berth sets no policy of the host to drop',
  },
  networkControlPlaneMtu: {
    flag: 'network-control-plane-mtu',
    key: 'network-control-plane-mtu',
    kind: 'number',
    help: 'Only 1500: there is no swarm',
  },
  networkDiagnosticPort: {
    flag: 'network-diagnostic-port',
    key: 'network-diagnostic-port',
    kind: 'number',
    help: 'Only 0: Berth has no diagnostic server',
  },
  userlandProxyPath: {
    flag: 'userland-proxy-path',
    key: 'userland-proxy-path',
    kind: 'string',
    help: 'Only empty: there is no proxy',
  },
} as const satisfies Record<string, DaemonOption>
