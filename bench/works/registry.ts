/** Berth's registry compared with Debian's `docker-registry` (in docker's column): 32 clients each push a layer as
 *  docker does it (POST, PATCH, PUT), and pull it. The clients are curl, which costs almost nothing. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../test/helpers/ports.ts'
import { type Engine, runTimed } from '../engine.ts'
import type { Work } from '../work.ts'

const clients = 32
const layerBytes = 48_000_000

/** Sends layer $1 with digest $2 to registry $3. */
const pushScript = `
location() { tr -d '\\r' | sed -n 's/^[Ll]ocation: //p'; }
absolute() { case $1 in /*) echo "$2$1" ;; *) echo "$1" ;; esac; }
with() { case $1 in *\\?*) echo "$1&digest=$2" ;; *) echo "$1?digest=$2" ;; esac; }
upload=$(absolute "$(curl -sf -D - -o /dev/null -X POST "$3/v2/bench/blobs/uploads/" | location)" "$3")
upload=$(absolute "$(curl -sf -D - -o /dev/null -X PATCH -H Expect: -H 'Transfer-Encoding: chunked' -T "$1" "$upload" | location)" "$3")
curl -sf -o /dev/null -X PUT "$(with "$upload" "$2")"
`
const pullScript = `test "$(curl -sf "$3/v2/bench/blobs/$2" -o /dev/null -w '%{size_download}')" = ${layerBytes}`

/** The layers, which are made once: files and their digests. */
class Layers {
  readonly directory = mkdtempSync('/tmp/bb-l-')
  readonly #arguments: string[] = []

  constructor() {
    for (let index = 0; index < clients; index++) {
      const bytes = randomBytes(layerBytes)
      const path = join(this.directory, `layer-${index}`)
      writeFileSync(path, bytes)
      this.#arguments.push(path, `sha256:${createHash('sha256').update(bytes).digest('hex')}`)
    }
  }

  /** Runs a script for all layers at the same time, and gives the time in ms. */
  async forAll(script: string, url: string): Promise<number> {
    const one = join(this.directory, 'one.sh')
    writeFileSync(one, `set -e\n${script}`)
    const all =
      'url=$1 one=$2; shift 2; pids=; while [ $# -gt 0 ]; do sh "$one" "$1" "$2" "$url" & pids="$pids $!"; shift 2; done; for pid in $pids; do wait $pid || exit 1; done'
    return await runTimed(['sh', '-c', all, 'sh', url, one, ...this.#arguments])
  }
}

/** A registry with its own folder. */
class Server {
  readonly root: string
  readonly url: string
  readonly #process: ChildProcess

  private constructor(root: string, url: string, process: ChildProcess) {
    this.root = root
    this.url = url
    this.#process = process
  }

  static async start(engine: Engine): Promise<Server> {
    const root = mkdtempSync('/tmp/bb-r-')
    const address = `127.0.0.1:${await freePort()}`
    mkdirSync(join(root, 'storage'))
    const config = join(root, 'config.yml')
    const { checkout } = engine.kind
    const isBerth = checkout !== undefined
    writeFileSync(
      config,
      isBerth
        ? `storage: {folder: ${root}/storage}\nlog: {access: false, level: error}\n`
        : `version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nstorage: {filesystem: {rootdirectory: ${root}/storage}}\nhttp: {addr: '${address}'}\n`,
    )
    const [program, args]: readonly [string, readonly string[]] = isBerth
      ? [join(checkout, 'bin/berth'), ['registry', 'serve', '--config', config, '--listen', address]]
      : ['docker-registry', ['serve', config]]
    const server = new Server(
      root,
      `http://${address}`,
      spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] }),
    )
    for (let tries = 0; !(await server.#answers()); tries++) {
      if (tries === 200) throw new Error(`${program} does not answer`)
      await sleep(50)
    }
    return server
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve))
    this.#process.kill('SIGKILL')
    await ended
    rmSync(this.root, { recursive: true, force: true })
  }

  async #answers(): Promise<boolean> {
    try {
      return (await fetch(`${this.url}/v2/`)).ok
    } catch {
      return false
    }
  }
}

let layers: Layers | undefined
const pullServers = new Map<string, Server>()
let usersOfLayers = 0

function takeLayers(): Layers {
  usersOfLayers += 1
  layers ??= new Layers()
  return layers
}

function giveLayers(): void {
  usersOfLayers -= 1
  if (usersOfLayers > 0 || layers === undefined) return
  rmSync(layers.directory, { recursive: true, force: true })
  layers = undefined
}

export const registryWorks: readonly Work[] = [
  {
    key: 'registry-push',
    title: 'registry: 32 clients push 48 MB each',
    unit: 'ms',
    rounds: 3,
    quickRounds: 1,
    budget: { docker: 1 },
    without: ['podman'],
    prepare: async () => void takeLayers(),
    async measure(engine) {
      const server = await Server.start(engine)
      try {
        await runTimed(['sync'])
        return (await layers?.forAll(pushScript, server.url)) ?? 0
      } finally {
        await server.stop()
      }
    },
    tidy: async () => giveLayers(),
  },
  {
    key: 'registry-pull',
    title: 'registry: 32 clients pull 48 MB each',
    unit: 'ms',
    rounds: 3,
    quickRounds: 1,
    budget: { docker: 1 },
    without: ['podman'],
    async prepare(engine) {
      const server = await Server.start(engine)
      pullServers.set(engine.name, server)
      await takeLayers().forAll(pushScript, server.url)
      await runTimed(['sync'])
    },
    measure: async (engine) => (await layers?.forAll(pullScript, pullServers.get(engine.name)?.url ?? '')) ?? 0,
    async tidy(engine) {
      await pullServers.get(engine.name)?.stop()
      pullServers.delete(engine.name)
      giveLayers()
    },
  },
]
