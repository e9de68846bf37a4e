/** Containers' networks without containers: the network code creates namespaces, and tests start servers and clients
 *  in them. */
import { execFile } from 'node:child_process'
import { randomBytes, randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { promisify } from 'node:util'
import { nullLogger } from '../../../src/base/index.ts'
import {
  type NetworkConfig,
  type NetworkRequest,
  Networks,
  type PortRequest,
  type SandboxRequest,
} from '../../../src/network/index.ts'
import { Database } from '../../../src/store/index.ts'
import {
  addAddress,
  addDefaultRoute,
  createBridge,
  createNetworkNamespace,
  createVeth,
  deleteLink,
  deleteNetworkNamespace,
  inNetworkNamespace,
  RouteSocket,
  setLink,
} from '../../../src/sys/index.ts'

export const skip = process.env.BERTH_TEST_ROOT === '1' ? false : 'needs root: BERTH_TEST_ROOT=1'

const run = promisify(execFile)

/** A daemon's networks that can be opened several times on the same database. */
export interface NetworkHost {
  open(config?: Partial<NetworkConfig>, live?: readonly string[]): Promise<Networks>
  readonly directory: string
}

/** Everything that it creates is removed after the test. */
export function networkHost(t: TestContext): NetworkHost {
  const directory = mkdtempSync('/tmp/bn')
  const db = Database.open(join(directory, 'db'))
  let last: Networks | undefined
  t.after(async () => {
    await last?.close({ remove: true })
    db.close()
    rmSync(directory, { recursive: true })
  })
  return {
    directory,
    async open(config = {}, live = []) {
      await last?.close()
      last = undefined
      last = await Networks.open({
        db,
        stateDir: join(directory, 'netns'),
        logger: nullLogger,
        config: { bip: undefined, mtu: 1500, icc: true, hostIp: '0.0.0.0', published: 'open', pools: [], ...config },
        instance: directory,
      })
      await last.restore(new Set(live))
      return last
    },
  }
}

/** On the default bridge unless said otherwise. */
export function sandboxRequest(name: string, options: Partial<SandboxRequest> = {}): SandboxRequest {
  const containerId = name.padEnd(64, '0')
  return { containerId, name, hostname: name, endpoints: [{ network: 'bridge' }], ports: [], ...options }
}

/** A bridge network without options. */
export function networkRequest(name: string, options: Partial<NetworkRequest> = {}): NetworkRequest {
  return {
    name,
    driver: 'bridge',
    scope: '',
    internal: false,
    attachable: false,
    ingress: false,
    enableIpv4: true,
    enableIpv6: false,
    configOnly: false,
    configFrom: '',
    ipamDriver: 'default',
    ipamOptions: null,
    ipam: [],
    options: {},
    labels: {},
    ...options,
  }
}

/** A request for a host port; a random one when none is given. */
export function publish(containerPort: number, options: Partial<PortRequest> = {}): PortRequest {
  return { protocol: 'tcp', containerPort, hostIp: '', hostPort: 0, ...options }
}

/** A web server in a namespace that answers with the client's address. */
export function serve(t: TestContext, netns: string, port: number): void {
  const server = createServer((request, response) => {
    response.end(String(request.socket.remoteAddress).replace('::ffff:', ''))
  })
  // Without a host name the socket is made at once, while the thread is in that namespace.
  inNetworkNamespace(netns, () => server.listen(port))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
}

/** A UDP server in a namespace that answers everything at port 7 with `text`, until it is stopped. */
export function answerUdp(t: TestContext, netns: string, text: string): () => void {
  // A lookup that answers at once lets bind make the socket while the thread is in the namespace.
  const server = createSocket({ type: 'udp4', lookup: (name, _options, done) => done(null, name, 4) })
  server.on('message', (_message, from) => server.send(text, from.port, from.address))
  inNetworkNamespace(netns, () => server.bind(7, '0.0.0.0'))
  let open = true
  const stop = () => {
    if (open) server.close()
    open = false
  }
  t.after(stop)
  return stop
}

/** A server's answer to a client in a namespace (default: the host's own); 'failed' without one. */
export async function get(url: string, netns?: string): Promise<string> {
  const command = ['curl', '-sSf', '-m', '2', '--noproxy', '*', url]
  const [file = '', ...args] = netns === undefined ? command : ['nsenter', `--net=${netns}`, ...command]
  try {
    return (await run(file, args)).stdout
  } catch {
    return 'failed'
  }
}

/** The output of a command in a namespace. */
export async function runIn(netns: string, ...command: string[]): Promise<string> {
  return (await run('nsenter', [`--net=${netns}`, ...command])).stdout
}

/** Another computer on a network of the host. */
export interface Neighbour {
  readonly netns: string
  readonly address: string
  /** The host's address on that network. */
  readonly hostAddress: string
}

/** Creates a neighbor of the host: a namespace behind a bridge that plays the role of a network card. */
export function neighbour(t: TestContext): Neighbour {
  const tag = randomBytes(3).toString('hex')
  const netns = `/tmp/bnout${tag}`
  const prefix = `10.${randomInt(100, 250)}.${randomInt(0, 250)}`
  const host = RouteSocket.open()
  t.after(() => {
    deleteNetworkNamespace(netns)
    host.execute(deleteLink(`bt${tag}`))
    host.close()
  })
  const mac = (last: number) => `02:00:${tag.replace(/(..)(..)(..)/, '$1:$2:$3')}:0${last}`
  host.execute(createBridge({ name: `bt${tag}`, mac: mac(1), mtu: 1500 }))
  const index = host.findLink(`bt${tag}`)?.index ?? 0
  host.execute(addAddress(index, `${prefix}.1`, 24), setLink(index, { up: true }))
  createNetworkNamespace(netns)
  const fd = openSync(netns, 'r')
  const peer = { name: 'eth0', mac: mac(2), namespaceFd: fd }
  host.execute(createVeth({ name: `btv${tag}`, mtu: 1500, master: index, peer }), setLink(`btv${tag}`, { up: true }))
  closeSync(fd)
  inNetworkNamespace(netns, () => {
    const route = RouteSocket.open()
    const eth0 = route.findLink('eth0')?.index ?? 0
    route.execute(
      setLink(1, { up: true }),
      setLink(eth0, { up: true }),
      addAddress(eth0, `${prefix}.2`, 24),
      addDefaultRoute(eth0, `${prefix}.1`),
    )
    route.close()
  })
  return { netns, address: `${prefix}.2`, hostAddress: `${prefix}.1` }
}

/** Names of the host's links that begin with a prefix. */
export function linkNames(start: string): string[] {
  const host = RouteSocket.open()
  try {
    return host
      .links()
      .map((link) => link.name)
      .filter((name) => name.startsWith(start))
  } finally {
    host.close()
  }
}
