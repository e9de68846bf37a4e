/** The engine and the registry inside another program. The programs are read from docs/embedding.md. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { runCommand } from '../../helpers/command.ts'
import { cgroupName, mountsBelow, networkTag } from '../../helpers/daemons/daemon.ts'

const project = join(import.meta.dirname, '../../..')

/** The program below a heading of the page. */
function programOf(heading: string): string {
  const [, section = ''] = readFileSync(join(project, 'docs/embedding.md'), 'utf8').split(`\n## ${heading}\n`)
  const [, program = ''] = /```[jt]s\n([\s\S]*?)```/.exec(section) ?? []
  assert.notEqual(program, '', heading)
  return program
}

async function withProgram(
  heading: string,
  change: (text: string) => string,
  use: (run: () => ReturnType<typeof runCommand>, root: string) => Promise<void>,
): Promise<void> {
  const root = mkdtempSync('/tmp/b-')
  // The program lies in the project, because it imports the package by name.
  const path = join(project, `embedding-${process.pid}.mjs`)
  writeFileSync(path, change(programOf(heading)))
  try {
    await use(() => runCommand(join(project, 'bin/node'), ['--disable-warning=ExperimentalWarning', path, root]), root)
  } finally {
    rmSync(path, { force: true })
    rmSync(root, { recursive: true, force: true })
  }
}

test('an engine runs a container and leaves nothing behind', async () => {
  await withProgram(
    'An engine',
    (text) => text,
    async (run, root) => {
      const { code, stdout, stderr } = await run()
      assert.equal(code, 0, stderr)
      assert.match(stdout, /ended with 0\n$/)
      assert.match(stdout, /created container [0-9a-f]{12}/)
      assert.deepEqual(mountsBelow(root), [])
      assert.ok(!existsSync(join(root, 'api.sock')))
      const data = join(root, 'data')
      assert.ok(!existsSync(`/sys/fs/cgroup/${cgroupName(data)}`) && !existsSync(`/sys/fs/cgroup/pids/${cgroupName(data)}`)) // biome-ignore format: one condition
      const { stdout: tables } = await runCommand('nft', ['list', 'tables'])
      assert.ok(!tables.includes(networkTag(data)), tables)
    },
  )
})

test('the umask of the program stays; a umask other than 022 causes a warning', async () => {
  for (const umask of ['022', '077']) {
    const before = `process.umask(0o${umask})
const silent = { debug() {}, info() {}, error() {}, child: () => silent, warn: (text) => console.log('warning:', text) }
`
    const change = (text: string) =>
      text
        .replace('const [root]', `${before}const [root]`)
        .replace('hosts: [address] })', 'hosts: [address] }, { logger: silent })')
        .replace('client.close()', "client.close()\n  console.log('umask', process.umask().toString(8))")
    await withProgram('An engine', change, async (run) => {
      const { code, stdout, stderr } = await run()
      assert.equal(code, 0, stderr)
      assert.match(stdout, new RegExp(`^umask ${Number(umask)}$`, 'm'))
      assert.equal(stdout.includes('warning: the umask of this program is not 022'), umask !== '022', stdout)
    })
  }
})

test('an invalid setting is named', async () => {
  await withProgram(
    'An engine',
    (text) => text.replace('hosts: [address]', "hosts: [address], 'no-such-key': 1"),
    async (run) => {
      const { code, stderr } = await run()
      assert.equal(code, 1)
      assert.match(stderr, /no-such-key/)
    },
  )
})

test('a registry answers requests', async () => {
  await withProgram(
    'A registry',
    (text) => text,
    async (run) => {
      const { code, stdout, stderr } = await run()
      assert.equal(code, 0, stderr)
      assert.match(stdout, /^http:\/\/127\.0\.0\.1:\d+ answers 200\n$/)
    },
  )
})

test('a TypeScript program compiles with the options that the page names', async () => {
  const root = mkdtempSync('/tmp/b-')
  try {
    mkdirSync(join(root, 'node_modules/@types'), { recursive: true })
    symlinkSync(project, join(root, 'node_modules/berth'))
    symlinkSync(join(project, 'node_modules/@types/node'), join(root, 'node_modules/@types/node'))
    writeFileSync(join(root, 'package.json'), '{"type":"module"}')
    writeFileSync(join(root, 'program.ts'), programOf('Setting it up'))
    const compilerOptions = {
      ...{ strict: true, module: 'nodenext', target: 'esnext', noEmit: true, allowImportingTsExtensions: true },
      types: ['node'],
    }
    writeFileSync(join(root, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['program.ts'] }))
    const compiler = join(project, 'node_modules/typescript/bin/tsc')
    const { code, stdout } = await runCommand(join(project, 'bin/node'), [compiler, '-p', root], {
      timeoutMs: 300_000,
    })
    assert.equal(code, 0, stdout)
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
})
