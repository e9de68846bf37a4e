/** Log servers for tests: rsyslog, journald in its own namespace, a server of the Forward protocol (npm), and one of
 *  GELF (npm for UDP, a plain TCP listener that splits at zero bytes). Each records what it receives. */
import { randomBytes } from 'node:crypto'
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { FluentServer, type FluentServerOptions } from '@fluent-org/logger'
// @ts-expect-error it has no types
import createGelfServer from 'graygelf/server.js'
import { RunningCommand, runCommand } from '../command.ts'
import { freePort } from '../ports.ts'
import { until } from '../wait.ts'

/** A message of GELF. */
export type GelfMessage = Readonly<Record<string, string | number>>

/** Debian's rsyslog, which writes each message unchanged to a file. */
export class SyslogServer implements AsyncDisposable {
  readonly root: string
  readonly udpPort: number
  readonly tcpPort: number
  readonly tlsPort: number
  readonly socket: string
  readonly #process: RunningCommand

  private constructor(root: string, ports: readonly number[], process: RunningCommand) {
    this.root = root
    this.udpPort = ports[0] ?? 0
    this.tcpPort = ports[1] ?? 0
    this.tlsPort = ports[2] ?? 0
    this.socket = join(root, 'devlog')
    this.#process = process
  }

  static async start(): Promise<SyslogServer> {
    const root = mkdtempSync('/tmp/b-sl-')
    const ports = [await freePort(), await freePort(), await freePort()]
    const [udp, tcp] = ports
    writeFileSync(
      join(root, 'conf'),
      `global(workDirectory="${root}")
module(load="imudp") module(load="imtcp") module(load="imuxsock" SysSock.Use="off")
template(name="raw" type="string" string="%timegenerated% %rawmsg%\\n")
template(name="parts" type="string" string="%syslogfacility-text%.%syslogseverity-text% [%app-name%] [%programname%] %msg%\\n")
ruleset(name="all") {
  action(type="omfile" file="${root}/raw" template="raw" asyncWriting="off" flushOnTXEnd="on")
  action(type="omfile" file="${root}/parts" template="parts" asyncWriting="off" flushOnTXEnd="on")
}
input(type="imudp" port="${udp}" address="127.0.0.1" ruleset="all")
input(type="imtcp" port="${tcp}" address="127.0.0.1" ruleset="all")
input(type="imuxsock" Socket="${root}/devlog" CreatePath="on" ruleset="all" RateLimit.Interval="0")
`,
    )
    const process = new RunningCommand('rsyslogd', ['-n', '-iNONE', '-f', join(root, 'conf')])
    const server = new SyslogServer(root, ports, process)
    await until(() => existsSync(server.socket), { what: () => `rsyslogd to start:\n${process.stderr}` })
    return server
  }

  /** The unchanged messages, one per line. */
  get raw(): string {
    return readIfThere(join(this.root, 'raw'))
  }

  /** `facility.severity [app-name] [program] message`, one a line. */
  get parts(): string {
    return readIfThere(join(this.root, 'parts'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGTERM')
    await this.#process.ended
    rmSync(this.root, { recursive: true, force: true })
  }
}

/** systemd's journald, as a separate instance next to the host's journal. */
export class JournalServer implements AsyncDisposable {
  readonly #namespace: string
  readonly #process: RunningCommand

  private constructor(namespace: string, process: RunningCommand) {
    this.#namespace = namespace
    this.#process = process
  }

  static async start(): Promise<JournalServer> {
    const namespace = `bt${randomBytes(4).toString('hex')}`
    const program = ['/usr/lib/systemd/systemd-journald', '/lib/systemd/systemd-journald'].find(existsSync) ?? ''
    const server = new JournalServer(namespace, new RunningCommand(program, [namespace]))
    await until(() => existsSync(server.socket), { what: () => `journald to start:\n${server.#process.stderr}` })
    return server
  }

  get socket(): string {
    return `/run/systemd/journal.${this.#namespace}/socket`
  }

  /** Its entries of a container, oldest first. */
  async entries(containerId: string): Promise<Readonly<Record<string, unknown>>[]> {
    const match = `CONTAINER_ID_FULL=${containerId}`
    const args = ['--namespace', this.#namespace, '-o', 'json', '--all', '--no-pager', match]
    const { stdout } = await runCommand('journalctl', args)
    return stdout
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGTERM')
    await this.#process.ended
    const name = this.#namespace
    for (const path of globSync([`/run/systemd/journal.${name}`, `/{run,var}/log/journal/*.${name}`])) {
      rmSync(path, { recursive: true, force: true })
    }
  }
}

/** An event of the Forward protocol. */
export interface FluentEvent {
  readonly tag: string
  readonly time: unknown
  readonly record: Readonly<Record<string, string>>
}

/** A server of the Forward protocol, which confirms batches on request. */
export class FluentdServer extends FluentServer implements AsyncDisposable {
  readonly events: FluentEvent[] = []

  constructor(options: FluentServerOptions) {
    super(options)
    this.on('entry', (tag: string, time: unknown, record: Record<string, string>) => {
      this.events.push({ tag, time, record })
    })
  }

  static async start(port = 0): Promise<FluentdServer> {
    const server = new FluentdServer({ listenOptions: { host: '127.0.0.1', port } })
    await server.listen()
    return server
  }

  /** The lines of a container. */
  lines(containerId: string): string[] {
    return this.events.filter(({ record }) => record.container_id === containerId).map(({ record }) => record.log ?? '')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

/** A server of GELF over UDP (npm) or TCP. */
export class GelfServer implements AsyncDisposable {
  readonly messages: GelfMessage[] = []
  readonly port: number
  readonly #close: () => void

  private constructor(port: number, close: () => void) {
    this.port = port
    this.#close = close
  }

  static async udp(): Promise<GelfServer> {
    const port = await freePort()
    const udp = createGelfServer()
    const server = new GelfServer(port, () => udp.close())
    udp.on('message', (message: GelfMessage) => server.messages.push(message))
    udp.listen(port, '127.0.0.1')
    return server
  }

  static async tcp(): Promise<GelfServer> {
    const connections = new Set<Socket>()
    const port = await freePort()
    const tcp: Server = createServer((connection) => {
      connections.add(connection)
      let text = ''
      connection.setEncoding('utf8').on('data', (chunk: string) => {
        const parts = (text + chunk).split('\0')
        text = parts.pop() ?? ''
        for (const part of parts) server.messages.push(JSON.parse(part) as GelfMessage)
      })
    })
    const server = new GelfServer(port, () => {
      tcp.close()
      for (const connection of connections) connection.destroy()
    })
    await new Promise<void>((resolve) => tcp.listen(port, '127.0.0.1', resolve))
    return server
  }

  of(containerId: string): GelfMessage[] {
    return this.messages.filter((message) => message._container_id === containerId)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close()
  }
}

function readIfThere(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}
