/** Pools of connections to registries, one for each combination of proxy, certificates and strictness of TLS. */
import type { Agent, AgentOptions } from 'node:http'
import type { SecureContextOptions } from 'node:tls'
import { nodeHttp, nodeHttps } from '../../../http/index.ts'
import { type HostCertificates, readHostCertificates } from './certificates.ts'
import { type ProxySettings, proxyFor } from './proxies.ts'

export interface AgentPoolOptions {
  readonly proxies?: ProxySettings
  /** Directories with Docker's layout `HOST[:PORT]/*.crt|*.cert|*.key`. The first one that has the host is used. */
  readonly certificateDirectories?: readonly string[]
}

/** The properties of a connection besides its URL. */
export interface AgentChoice {
  /** Accept any certificate. */
  readonly insecureTls: boolean
  /** The registry for which the request is sent. Its certificates are used if the URL's host has none, for example for
   *  the registry's token server. */
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

/** Agents by their properties. Idle connections don't keep the process alive. */
export class AgentPool {
  readonly #options: AgentPoolOptions
  readonly #agents = new Map<string, Agent>()
  /** Hosts whose certificates need the system's store of authorities. */
  readonly #wide = new Set<string>()

  constructor(options: AgentPoolOptions) {
    this.#options = options
  }

  /** The agent for a request. Checks the certificate files each time, so that changes apply to the next request.
   *  Throws as `readHostCertificates` and `proxyFor` do. */
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

  /** True if the URL is reached through a proxy. */
  usesProxy(url: URL): boolean {
    return proxyFor(url, this.#options.proxies ?? {}) !== undefined
  }

  /** To be called after a failed connection. True if a retry may succeed, because more issuers are trusted from now
   *  on. The system's store is read only for hosts that need it, because that takes a tenth of a second. */
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
      // The agent is not destroyed, because requests may be running on it. Its idle connections expire.
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
  // Loaded on first use, because TLS is 6 MB of code that a daemon without pulls doesn't need.
  systemAuthorities ??= process.getBuiltinModule('node:tls').getCACertificates('system')
  return { ...pairs, ca: [...systemAuthorities, ...authorities] }
}
