import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { CapturedOutput, runBerth } from '../testing/run-cli.ts'
import { bundleModules } from './bundle-modules.ts'
import { rehearse, writeBundle } from './write-bundle.ts'

const root = join(import.meta.dirname, '../../..')

async function inTemporaryDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'bb-'))
  try {
    await work(directory)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

test('writeBundle() makes a command line that works like the sources', async () => {
  await inTemporaryDirectory(async (directory) => {
    writeBundle(root, directory)
    await rehearse(directory)
    const { main } = (await import(pathToFileURL(join(directory, 'cli.mjs')).href)) as typeof import('../main.ts')
    for (const args of [
      ['--version'],
      ['--help'],
      ['run', '--help'],
      ['images', '--help'],
      // The registry is not in the bundle, because it uses packages.
      ['registry', 'serve', '--help'],
      ['registry', 'check', '--config', '/nonexistent/registry.yml'],
      ['run', '--foo'],
      ['foo'],
    ]) {
      const output = new CapturedOutput()
      const errors = new CapturedOutput()
      const exitCode = await main(args, { output, errors })
      assert.deepEqual({ exitCode, stdout: output.text, stderr: errors.text }, await runBerth(args))
    }
    const { node, files } = JSON.parse(await readFile(join(directory, 'cli.json'), 'utf8'))
    assert.equal(node, process.version)
    assert.ok(files.some(([path]: [string]) => path === 'src/cli/container/process/run.ts'))
    assert.ok(!files.some(([path]: [string]) => path.startsWith('src/cli/registry/')))
  })
})

test('bundleModules() accepts every form that the sources use', async () => {
  await inTemporaryDirectory(async (directory) => {
    await writeFile(
      join(directory, 'main.ts'),
      "import { join as j } from 'node:path'\nimport { a, type T, inc as plus } from './index.ts'\nexport async function main(): Promise<T> {\n  const { late } = await IMPORT('./late.ts')\n  return j(a, late(plus(1)))\n}\n".replace(
        'IMPORT',
        'import',
      ),
    )
    await writeFile(
      join(directory, 'index.ts'),
      "export type { T } from './a.ts'\nexport {\n  a,\n  type T as U,\n  b as inc,\n} from './a.ts'\n",
    )
    await writeFile(
      join(directory, 'a.ts'),
      "export type T = string\nexport const a: T = 'x'\nexport function b(n: number): number {\n  return n + 1\n}\nexport class C {\n  readonly d = a\n}\n",
    )
    await writeFile(join(directory, 'late.ts'), 'export function late(n: number): string {\n  return String(n)\n}\n')
    const { text, files } = bundleModules(directory, 'main.ts', ['main'])
    assert.deepEqual(files, ['main.ts', 'index.ts', 'a.ts', 'late.ts'])
    await writeFile(join(directory, 'out.mjs'), text)
    const { main } = (await import(pathToFileURL(join(directory, 'out.mjs')).href)) as { main: () => Promise<string> }
    assert.equal(await main(), 'x/2')
  })
})

test('bundleModules() refuses unknown forms', async () => {
  await inTemporaryDirectory(async (directory) => {
    const path = join(directory, 'main.ts')
    await writeFile(path, "import fs from 'node:fs'\nexport const main = fs\n")
    assert.throws(
      () => bundleModules(directory, 'main.ts', ['main']),
      /main\.ts has a line that cannot be bundled: import fs/,
    )
    await writeFile(path, "import { x } from 'koffi'\nexport const main = x\n")
    assert.throws(() => bundleModules(directory, 'main.ts', ['main']), /imports the package koffi/)
  })
})
