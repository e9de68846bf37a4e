/** Plugins of docker's command line: docker and `berth` run them in the same way. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { cliPluginDirectory, findCliPlugin } from '../../helpers/clients/cli-plugins.ts'
import { TwoClis } from '../../helpers/clients/two-clis.ts'
import { runCommand } from '../../helpers/command.ts'
import { berthProgram, noDockerCli, TestDaemon } from '../../helpers/daemons/daemon.ts'

let daemon: TestDaemon
let clis: TwoClis

/** A plugin that prints its arguments and the daemon's address. */
const plugin = `#!/bin/sh
case $1 in
docker-cli-plugin-metadata) echo '{"SchemaVersion":"0.1.0","Vendor":"us","ShortDescription":"Greets"}'; exit ;;
__complete) shift; echo "asked $*" >&2; printf 'morning\\tby day\\nnight\\n:4\\n'; exit ;;
esac
for word in "$@"; do echo "argument $word"; done
echo "host \${DOCKER_HOST-none}"
[ "\${DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND-}" = "" ] || echo 'called as a plugin'
case "$*" in *exit*) exit 7 ;; *kill*) kill -TERM $$ ;; *read*) cat ;; esac
`

before(async () => {
  daemon = await TestDaemon.start()
  clis = new TwoClis(daemon)
  const directory = join(daemon.root, 'plugins')
  mkdirSync(directory)
  for (const name of ['greet', 'buildx']) writeFileSync(join(directory, `docker-${name}`), plugin, { mode: 0o755 })
  writeFileSync(join(directory, 'docker-mute'), 'not to be run', { mode: 0o644 })
  const config = { cliPluginsExtraDirs: [directory, cliPluginDirectory], aliases: { builder: 'buildx' } }
  clis.configure('config.json', JSON.stringify(config))
})
after(() => daemon?.[Symbol.asyncDispose]())

const scripts: readonly string[] = [
  'docker greet',
  "docker greet a 'b c' --flag=x -f",
  'docker -D --log-level=error greet -H x',
  'docker greet exit; echo $?',
  'docker greet kill; echo $?',
  'echo input | docker greet read',
  'docker -H unix:///elsewhere greet',
  'docker builder again',
  'docker mute',
  'docker nope',
  "docker --help | grep '[*]' | grep -v -e buildx -e compose",
]
for (const script of scripts) {
  test(script, { skip: noDockerCli }, async () => {
    const { theirs, ours } = await clis.compare(script)
    assert.deepEqual(ours, theirs)
  })
}

function berth(words: readonly string[], env: NodeJS.ProcessEnv = {}): ReturnType<typeof runCommand> {
  const unset = { DOCKER_HOST: undefined, BERTH_HOST: undefined, DOCKER_CONTEXT: undefined }
  const config = { DOCKER_CONFIG: join(daemon.root, 'ours/config') }
  return runCommand(berthProgram, words, { env: { ...unset, ...config, ...env } })
}

test("a plugin gets the address of berth's daemon", { skip: noDockerCli }, async () => {
  assert.match((await berth(['greet'])).stdout, /^host unix:\/\/\/run\/berth\.sock$/m)
  assert.match(
    (await berth(['greet'], { BERTH_HOST: 'unix:///b', DOCKER_HOST: 'unix:///d' })).stdout,
    /^host unix:\/\/\/b$/m,
  )
  await berth(['context', 'create', 'far', '--docker', 'host=unix:///far'])
  assert.match((await berth(['greet'], { DOCKER_CONTEXT: 'far' })).stdout, /^host none$/m)
})

test('completion includes plugins', { skip: noDockerCli }, async () => {
  const { stdout } = await berth(['__complete', 'fish', 'gre'])
  assert.equal(stdout, '-\ngreet\tA plugin\n')
  const inside = await berth(['__complete', 'fish', 'greet', 'good', ''])
  assert.deepEqual([inside.stdout, inside.stderr], ['-\nmorning\tby day\nnight\n', 'asked greet good \n'])
})

const noCompose = findCliPlugin('docker-compose') === undefined ? 'no docker-compose plugin' : noDockerCli

test('berth compose works', { skip: noCompose }, async () => {
  await daemon.loadBusybox()
  const project = join(daemon.root, 'web')
  mkdirSync(project)
  writeFileSync(
    join(project, 'compose.yaml'),
    'services: {app: {image: busybox, command: sleep 1000, stop_grace_period: 0s}}\n',
  )
  const compose = async (...words: string[]) => {
    const { code, stdout, stderr } = await berth([
      '-H',
      daemon.host,
      'compose',
      '--project-directory',
      project,
      ...words,
    ])
    assert.equal(code, 0, stderr)
    return stdout
  }
  await compose('up', '-d')
  assert.equal(await compose('ps', '--services'), 'app\n')
  await compose('down')
  assert.equal(await daemon.ok(['ps', '-aq']), '')
})
