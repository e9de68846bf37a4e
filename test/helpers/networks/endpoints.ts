/** Questions that tests of networks ask containers. */
import assert from 'node:assert/strict'
import type { TestDaemon } from '../daemons/daemon.ts'

export interface Endpoint {
  readonly IPAddress: string
  readonly IPPrefixLen: number
  readonly Gateway: string
  readonly MacAddress: string
  readonly NetworkID: string
  readonly EndpointID: string
  readonly DNSNames: readonly string[] | null
}

/** Helpers that use the daemon of a test file, which must exist when they are called. */
export function networkHelpers(daemonOf: () => TestDaemon) {
  /** A web server that returns its own name. */
  function web(name: string, ...options: string[]): Promise<string> {
    const script = `mkdir /www; echo ${name} >/www/index.html; exec httpd -f -p 80 -h /www`
    return daemonOf().ok(['run', '-d', '--name', name, ...options, 'busybox', 'sh', '-c', script])
  }

  async function endpoints(container: string): Promise<Readonly<Record<string, Endpoint>>> {
    return JSON.parse(await daemonOf().ok(['inspect', '-f', '{{json .NetworkSettings.Networks}}', container]))
  }

  async function addressOn(container: string, network: string): Promise<string> {
    return (await endpoints(container))[network]?.IPAddress ?? ''
  }

  /** Whether a container can fetch the page at an address. */
  async function reaches(from: string, address: string): Promise<boolean> {
    const script = `timeout 2 wget -qO- http://${address}/`
    return (await daemonOf().docker(['exec', from, 'sh', '-c', script])).code === 0
  }

  async function refused(args: readonly string[], message: RegExp): Promise<void> {
    const { code, stderr } = await daemonOf().docker(args)
    assert.notEqual(code, 0, args.join(' '))
    assert.match(stderr, message)
  }

  return { web, endpoints, addressOn, reaches, refused }
}
