/** The same operations on Debian's dockerd and on Berth cause the same events, in the same order and with the same
 *  attributes, except for differences between the engines' versions. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { CommandOptions, CommandResult } from '../../helpers/command.ts'
import { requestOverSocket } from '../../helpers/daemons/api.ts'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { StockDocker } from '../../helpers/daemons/stock-docker.ts'
import { writeBusyboxArchive } from '../../helpers/images/test-image.ts'
import { patience, until } from '../../helpers/wait.ts'

let daemon: TestDaemon
let stock: StockDocker

before(async () => {
  ;[daemon, stock] = await Promise.all([TestDaemon.start(), StockDocker.start()])
  const archive = join(stock.root, 'busybox.tar')
  await writeBusyboxArchive({ path: archive, reference: 'busybox:latest' })
  await Promise.all([daemon, stock].map((engine) => engine.docker(['load', '-q', '-i', archive])))
})
after(async () => {
  await daemon?.[Symbol.asyncDispose]()
  await stock?.[Symbol.asyncDispose]()
})

interface Engine {
  readonly root: string
  docker(args: readonly string[], options?: CommandOptions): Promise<CommandResult>
}

interface Event {
  readonly Type: string
  readonly Action: string
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> | null }
  readonly scope: string
}

const alone = ['--network', 'none']

/** Each operation waits for the end of the previous one. Some are meant to fail. */
function operations(root: string): readonly (readonly string[])[] {
  const file = join(root, 'file')
  const health = ['--health-cmd', 'true', '--health-interval', '1h']
  return [
    ['create', '--name', 'one', ...alone, '-v', 'vol:/v', '-l', 'a=b', ...health, 'busybox', 'sleep', '1000'],
    ['start', 'one'],
    ['exec', 'one', 'true'],
    ['exec', 'one', 'false'],
    ['pause', 'one'],
    ['unpause', 'one'],
    ['rename', 'one', 'two'],
    ['rename', 'two', 'one'],
    ['update', '--pids-limit', '50', 'one'],
    ['top', 'one'],
    ['cp', file, 'one:/tmp/'],
    ['cp', 'one:/etc/passwd', `${file}.out`],
    ['export', '-o', `${file}.export`, 'one'],
    ['commit', 'one', 'image:1'],
    ['kill', '-s', 'WINCH', 'one'],
    ['stop', '-t', '1', 'one'],
    ['start', 'one'],
    ['restart', '-t', '0', 'one'],
    ['kill', 'one'],
    ['wait', 'one'],
    ['start', 'one'],
    ['rm', '-f', 'one'],
    ['run', '--name', 'three', ...alone, 'busybox', 'true'],
    ['run', '--rm', ...alone, '--name', 'four', 'busybox', 'sh', '-c', 'exit 3'],
    ['start', '-a', 'three'],
    ['rm', 'three'],
    ['tag', 'image:1', 'image:2'],
    ['rmi', 'image:2'],
    ['save', '-o', `${file}.save`, 'image:1'],
    ['rmi', 'image:1'],
    ['load', '-i', `${file}.save`],
    ['rmi', 'image:1'],
    ['volume', 'create', 'other'],
    ['volume', 'rm', 'other', 'vol'],
    [
      'run',
      '--name',
      'five',
      ...alone,
      '-m',
      '8m',
      '--memory-swap',
      '8m',
      'busybox',
      'sh',
      '-c',
      'x=x; while :; do x=$x$x; done',
    ],
    ['rm', 'five'],
    ['container', 'prune', '-f', '--filter', 'label=none'],
    ['run', '-d', '--name', 'six', ...alone, '--restart', 'on-failure:1', 'busybox', 'false'],
  ]
}

async function life(engine: Engine): Promise<string[]> {
  writeFileSync(join(engine.root, 'file'), 'x')
  const since = Math.floor(Date.now() / 1000)
  for (const operation of operations(engine.root)) await engine.docker(operation)
  const over = async () => (await engine.docker(['inspect', '-f', '{{.State.Status}} {{.RestartCount}}', 'six'])).stdout
  await until(async () => (await over()) === 'exited 1\n', { what: 'the last restart' })
  await engine.docker(['rm', 'six'])
  const path = `/events?since=${since}&until=${Math.ceil(Date.now() / 1000) + 1}`
  const { text } = await requestOverSocket<string>(join(engine.root, 's'), 'GET', path)
  const events = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Event)
  // Earlier events have the same second.
  const first = events.findIndex(({ Type, Action }) => Type === 'volume' && Action === 'create')
  return events
    .slice(first)
    .filter((event) => !isOfVersion(event))
    .map(shown)
}

/** Docker 20.10 mounts volumes again for cp and export, with events. */
function isOfVersion({ Type, Action }: Event): boolean {
  return Type === 'volume' && (Action === 'mount' || Action === 'unmount')
}

function shown({ Type, Action, Actor, scope }: Event): string {
  // Since Docker 23.
  const { execDuration: _, ...attributes } = Actor.Attributes ?? {}
  const masked = Object.entries(attributes).map(([name, value]) => `${name}=${mask(value)}`)
  return `${Type} ${Action} ${mask(Actor.ID)} ${masked.toSorted().join(' ')} ${scope}`
}

function mask(text: string): string {
  return text.replace(/(sha256:)?[0-9a-f]{64}/, '$1…')
}

test('40 operations cause the same events as in Docker', { timeout: 150_000 * patience }, async () => {
  const [ours, theirs] = await Promise.all([life(daemon), life(stock)])
  assert.ok(theirs.length > 90, `${theirs.length} events`)
  const oom = ours.findIndex((event) => event.startsWith('container oom'))
  assert.match(ours[oom + 1] ?? '', /^container die .*exitCode=137/)
  // Docker's event comes from another stream, and is lost if the container ends first.
  const isNotOom = (event: string) => !event.startsWith('container oom')
  assert.equal(ours.filter((event) => !isNotOom(event)).length, 1)
  assert.deepEqual(ours.filter(isNotOom), theirs.filter(isNotOom))
})
