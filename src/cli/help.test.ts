/** Every command has the flags of the official CLI's command: the same names, letters, types and defaults. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commandGroups, rootCommands } from './command-tree/command-tree.ts'
import { dockerPath, runBerth, runDocker } from './testing/run-cli.ts'

const skip = dockerPath() === undefined ? 'the official docker CLI is not on the PATH' : false

/** Flags without a meaning here: those for Windows, swarm's cluster volumes and containerd's image trees. */
const leftOut = new Set([
  'cpu-count',
  'cpu-percent',
  'io-maxbandwidth',
  'io-maxiops',
  'tree',
  'cluster',
  'availability',
  'group',
  'limit-bytes',
  'required-bytes',
  'scope',
  'secret',
  'sharing',
  'topology-preferred',
  'topology-required',
])

/** Groups that docker does not have. */
const ownGroups = new Set(['registry'])

/** Commands that docker does not have. */
const ownCommands = new Set([
  'system check',
  'volume backup',
  'volume restore',
  'enter',
  'container enter',
  'builder du',
  // In docker, this is a group with a command for each shell.
  'completion',
])

/** Flags that docker does not have. */
const ownFlags: Readonly<Record<string, readonly string[]>> = {
  update: ['publish', 'unpublish'],
  'container update': ['publish', 'unpublish'],
}

/** Commands that also have buildx's flags. docker itself has only those of the classic builder. */
const buildxCommands = new Set(['build', 'image build', 'builder build', 'builder prune'])
/** Flags of both builders whose values have another form here: buildx's form, or a list. */
const buildxForms = ['cache-from', 'platform', 'target']

const commands = [
  ...Object.keys(rootCommands)
    .filter((name) => !ownCommands.has(name))
    .map((name) => [name]),
  ...Object.entries(commandGroups)
    .filter(([group]) => !ownGroups.has(group))
    .flatMap(([group, { commands: verbs }]) => Object.keys(verbs).map((verb) => [group, verb]))
    .filter((path) => !ownCommands.has(path.join(' '))),
]

for (const path of commands) {
  test(`berth ${path.join(' ')} --help`, { skip }, async () => {
    const [expected, actual] = await Promise.all([runDocker([...path, '--help']), runBerth([...path, '--help'])])
    assert.equal(actual.exitCode, 0)
    const [ours, theirs] = [flagsOf(actual.stdout), flagsOf(expected.stdout)]
    for (const name of ownFlags[path.join(' ')] ?? []) assert.ok(delete ours[name] && !Object.hasOwn(theirs, name))
    if (buildxCommands.has(path.join(' '))) {
      for (const name of buildxForms) delete theirs[name]
      for (const name of Object.keys(ours)) if (!Object.hasOwn(theirs, name)) delete ours[name]
    }
    assert.deepEqual(ours, theirs)
    assert.equal(usageOf(actual.stdout), usageOf(expected.stdout).replace('docker', 'berth'))
    assert.equal(aliasesOf(actual.stdout), aliasesOf(expected.stdout).replaceAll('docker ', 'berth '))
  })
}

/** Commands of swarm, of plugins, and of the content trust that Docker gave up. */
const leftOutCommands = new Set(
  ['checkpoint', 'config', 'manifest', 'node', 'plugin', 'secret', 'service', 'stack', 'swarm', 'trust'].concat(
    // These are separate programs, where they are installed.
    ['buildx', 'compose'],
  ),
)

test('Berth has every command of docker', { skip }, async () => {
  const missing: string[] = []
  const root = commandsOf((await runDocker(['--help'])).stdout).filter((name) => !leftOutCommands.has(name))
  for (const name of root) {
    const group = commandGroups[name]
    if (group === undefined) {
      if (rootCommands[name] === undefined) missing.push(name)
      continue
    }
    const verbs = commandsOf((await runDocker([name, '--help'])).stdout)
    missing.push(...verbs.filter((verb) => group.commands[verb] === undefined).map((verb) => `${name} ${verb}`))
  }
  assert.deepEqual(missing, [])
})

function commandsOf(help: string): string[] {
  const lists = help.slice(help.indexOf('Commands:'))
  return [...lists.matchAll(/^ {2}([a-z]+)\*? {2,}/gm)].map((match) => match[1] ?? '')
}

function usageOf(help: string): string {
  return help.split('\n')[0] ?? ''
}

function aliasesOf(help: string): string {
  return /^Aliases:\n(.*)$/m.exec(help)?.[1] ?? ''
}

/** Name → letter, type and default. */
function flagsOf(help: string): Record<string, string> {
  const text = help.slice(help.indexOf('Options:')).replace(/\n {16,}(?! *-)/g, ' ')
  const result: Record<string, string> = {}
  for (const match of text.matchAll(/^ {2}(-\w,| {3}) --([\w-]+)( [\w-]+)? {2,}(.*)$/gm)) {
    const [, letter = '', name = '', type = '', usage = ''] = match
    // Docker's volume type belongs to swarm.
    if (!leftOut.has(name) && !(name === 'type' && help.includes('volume create'))) {
      result[name] = [letter.trim(), type.trim(), /\(default ("[^"]*"|[^ )]+)\)$/.exec(usage.trim())?.[1] ?? ''].join(
        ' ',
      )
    }
  }
  return result
}

test('berth --help lists only existing commands', async () => {
  const { stdout } = await runBerth(['--help'])
  for (const name of Object.keys(rootCommands)) assert.match(stdout, new RegExp(`^ {2}${name} +\\S`, 'm'))
  assert.doesNotMatch(stdout, /swarm|buildx|plugin/)
})

test('berth help run is berth run --help', async () => {
  const [left, right] = await Promise.all([runBerth(['help', 'run']), runBerth(['run', '--help'])])
  assert.deepEqual(left, right)
  assert.match(left.stdout, /^Usage: {2}berth run \[OPTIONS\] IMAGE/)
})
