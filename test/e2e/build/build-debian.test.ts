/** Builds on a real Debian: a compiler, Python with cache mounts and a secret, a service from packages. */
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { debianArchive } from '../../helpers/images/debian-image.ts'
import { until } from '../../helpers/wait.ts'

let daemon: TestDaemon
let work: string
let debian: string

before(async () => {
  const { path, reference } = await debianArchive()
  debian = reference
  daemon = await TestDaemon.start()
  await daemon.ok(['load', '-q', '-i', path])
  work = mkdtempSync('/tmp/b-deb-')
  cpSync(join(import.meta.dirname, '../../fixtures/builds'), work, { recursive: true })
})
after(async () => {
  await daemon?.[Symbol.asyncDispose]()
  if (work !== undefined) rmSync(work, { recursive: true, force: true })
})

async function build(directory: string, tag: string, options: readonly string[] = []): Promise<string> {
  const args = ['build', '--progress', 'plain', '-t', tag, ...options, join(work, directory)]
  const { code, stdout, stderr } = await daemon.berth(args)
  assert.equal(code, 0, stdout + stderr)
  return stdout + stderr
}

test('a C program is compiled and tested in stages and copied into an empty image', async () => {
  await build('c-program', 'wordcount', ['--build-arg', `BASE=${debian}`])
  const counted = await daemon.docker(['run', '--rm', '-i', 'wordcount'], { input: 'one two\nthree' })
  assert.equal(counted.stdout, '3\n')
  const layers = await daemon.ok(['image', 'inspect', '-f', '{{len .RootFS.Layers}}', 'wordcount'])
  assert.equal(layers, '2')
})

test('a service is installed from packages and runs as its own user', async () => {
  await build('debian-service', 'service', ['--build-arg', `BASE=${debian}`])
  const id = await daemon.ok(['run', '-d', 'service'])
  const fetch = () => daemon.docker(['exec', id, 'curl', '-fsS', 'http://127.0.0.1:8080/'])
  await until(async () => (await fetch()).stdout === 'It works.\n', { what: 'the service to answer' })
  await daemon.ok(['rm', '-f', id])
})

test('a Python program is built with cache mounts and a secret that does not leak', async () => {
  const base = join(work, 'python-base')
  cpSync(join(work, 'onbuild/child'), base, { recursive: true })
  const packages = 'apt-get update && apt-get install -y --no-install-recommends python3'
  writeFileSync(join(base, 'Dockerfile'), `FROM ${debian}\nRUN ${packages} && rm -rf /var/lib/apt/lists/*\n`)
  await build('python-base', 'python:3')
  const secret = 'a very secret token'
  writeFileSync(join(work, 'token'), secret)
  const told = await build('python-app', 'wordstat', ['--secret', `id=token,src=${join(work, 'token')}`])
  assert.match(told, /Ran 1 test/)
  const counted = await daemon.docker(['run', '--rm', '-i', 'wordstat', '--top', '1'], { input: 'a b A' })
  assert.equal(counted.stdout, 'a 2\n')
  const length = await daemon.ok(['run', '--rm', '--entrypoint', 'cat', 'wordstat', '/token-length'])
  assert.equal(length.trim(), String(secret.length))
  const history = await daemon.ok(['history', '--no-trunc', 'wordstat'])
  assert.ok(!history.includes(secret) && !daemon.log.includes(secret) && !told.includes(secret))
})
