/** Connections to registries: pools that differ in proxy, certificates and how strictly TLS is checked. */
import type { Agent, AgentOptions } from 'node:http'
import type { SecureContextOptions } from 'node:tls'
import { nodeHttp, nodeHttps } from '../../../http/index.ts'
import { type HostCertificates, readHostCertificates } from './certificates.ts'
import { type ProxySettings, proxyFor } from './proxies.ts'

export interface AgentPoolOptions {
  readonly proxies?: ProxySettings
  /** Directories with Docker's `HOST[:PORT]/*.crt|*.cert|*.key`; the first one that has the host counts. */
  readonly certificateDirectories?: readonly string[]
}

/** What a connection depends on beside the URL. */
export interface AgentChoice {
  /** Accept any certificate. */
  readonly insecureTls: boolean
  /** The registry for which this is done: its certificates count where the URL's host has none of its own, as for
   *  its token server. */
  readonly registryHost: string | undefined
}

const maxAgents = 64
const unknownIssuer = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

/** Agents by what they were made for. Idle connections do not keep the process alive. */
export class AgentPool {
  readonly #options: AgentPoolOptions
  readonly #agents = new Map<string, Agent>()
  /** Hosts whose certificates only the system's store explains. */
  readonly #wide = new Set<string>()

  constructor(options: AgentPoolOptions) {
    this.#options = options
  }

  /** The agent for a request. Reads certificates anew, so that changed ones count from the next request on. */
  agentFor(url: URL, choice: AgentChoice): Agent {
    const proxy = proxyFor(url, this.#options.proxies ?? {})
    const proxyEnv = proxy === undefined ? {} : { proxyEnv: { HTTP_PROXY: proxy, HTTPS_PROXY: proxy } }
    if (url.protocol !== 'https:')
      return this.#agent(`http ${proxy}`, () => new nodeHttp.Agent({ ...shared, ...proxyEnv }))
    const { insecureTls } = choice
    const certificates = this.#certificates(url, choice)
    const isWide = this.#wide.has(url.host)
    return this.#agent(`https ${proxy} ${insecureTls} ${isWide} ${certificates.signature}`, () => {
      const { Agent } = nodeHttps()
      return new Agent({ ...shared, ...proxyEnv, ...trust(certificates, isWide), rejectUnauthorized: !insecureTls })
    })
  }

  /** Whether the URL is reached by a proxy. */
  usesProxy(url: URL): boolean {
    return proxyFor(url, this.#options.proxies ?? {}) !== undefined
  }

  /** After a failed connection: true when another try may succeed because more issuers are trusted then. The system's
   *  store is read only for hosts that need it, for that takes a tenth of a second. */
  widen(url: URL, code: string | undefined): boolean {
    if (code === undefined || !unknownIssuer.has(code) || this.#wide.has(url.host)) return false
    this.#wide.add(url.host)
    return true
  }

  /** Closes the idle connections. */
  close(): void {
    for (const agent of this.#agents.values()) agent.destroy()
    this.#agents.clear()
  }

  #certificates(url: URL, { registryHost }: AgentChoice): HostCertificates {
    const roots = this.#options.certificateDirectories ?? []
    const hosts = [url.host, ...(url.port === '' ? [`${url.host}:443`] : []), registryHost ?? '']
    return readHostCertificates(roots, hosts)
  }

  #agent(key: string, make: () => Agent): Agent {
    const known = this.#agents.get(key)
    if (known !== undefined) return known
    const agent = make()
    this.#agents.set(key, agent)
    for (const oldest of this.#agents.keys()) {
      if (this.#agents.size <= maxAgents) break
      // Not destroyed: it may have work under way. Its idle connections end by themselves.
      this.#agents.delete(oldest)
    }
    return agent
  }
}

const shared: AgentOptions = { keepAlive: true, timeout: 15_000 }
let systemAuthorities: readonly string[] | undefined

function trust({ authorities, clients }: HostCertificates, isWide: boolean): SecureContextOptions {
  const pairs =
    clients.length === 0 ? {} : { cert: clients.map(({ cert }) => cert), key: clients.map(({ key }) => key) }
  if (!isWide) return authorities.length === 0 ? pairs : { ...pairs, ca: [...authorities] }
  // Loaded on first use: TLS is 6 MB of code that a daemon without pulls does without.
  systemAuthorities ??= process.getBuiltinModule('node:tls').getCACertificates('system')
  return { ...pairs, ca: [...systemAuthorities, ...authorities] }
}
