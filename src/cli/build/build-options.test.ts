import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { csvFields } from '../../build/dockerfile/index.ts'
import { parseFlags } from '../flags/parse-flags.ts'
import { givenInput } from '../testing/run-cli.ts'
import { buildFlags } from './build-flags.ts'
import { parseCacheOption } from './cache-options.ts'
import { remoteUrl, resolveContext } from './context/context-source.ts'
import { parseOutputs } from './output-options.ts'
import { readSecrets } from './secret-options.ts'
import { parseSshAgents } from './ssh/ssh-options.ts'

test("csvFields() reads CSV's quotes", () => {
  assert.deepEqual(csvFields('type=local,"dest=a,b"'), ['type=local', 'dest=a,b'])
  assert.deepEqual(csvFields('"say ""x""",'), ['say "x"', ''])
  for (const bad of ['a"b', '"open', '"a"b'])
    assert.throws(() => csvFields(bad), /parse error on line 1, column \d+/, bad)
})

function outputs(...args: readonly string[]) {
  return parseOutputs(parseFlags(args, buildFlags).flags, { isTerminal: false }).map(({ output, dest, target }) => {
    return [output.type, output.attrs, dest, target]
  })
}

test('parseOutputs() accepts the short forms', () => {
  assert.deepEqual(outputs('-o', 'out'), [['local', {}, 'out', undefined]])
  assert.deepEqual(outputs('-o', '-'), [['tar', {}, '-', undefined]])
  assert.deepEqual(outputs('--push'), [['image', { push: 'true' }, undefined, undefined]])
  assert.deepEqual(outputs('--load'), [['image', {}, undefined, undefined]])
  assert.deepEqual(outputs('-o', 'type=docker'), [['image', {}, undefined, undefined]])
  assert.deepEqual(outputs(), [])
})

test('parseOutputs() accepts types, destinations and targets', () => {
  assert.deepEqual(outputs('-o', 'type=oci,dest=x.tar,target=web,compression=zstd'), [
    ['oci', { compression: 'zstd' }, 'x.tar', 'web'],
  ])
  assert.deepEqual(outputs('-o', 'type=docker,dest=-'), [['docker', {}, '-', undefined]])
  assert.deepEqual(outputs('-o', 'type=registry,name=r/x', '--push'), [
    ['registry', { name: 'r/x', push: 'true' }, undefined, undefined],
  ])
})

test('parseOutputs() refuses contradictions', () => {
  const refusals: readonly (readonly [string, RegExp])[] = [
    ['dest=x,name=y', /type is required for output/],
    ['type=gif', /exporter "gif" could not be found/],
    ['type=local', /dest is required for local exporter/],
    ['type=oci,tar=false', /dest is required for oci exporter/],
    ['type=image,dest=x', /dest is not supported by the image exporter/],
    ['type=oci,x', /invalid field 'x' must be a key=value pair/],
  ]
  for (const [value, expected] of refusals) assert.throws(() => outputs('-o', value), expected, value)
  assert.throws(() => outputs('--push', '--load'), /push and load may not be set together/)
  const { flags } = parseFlags(['-o', '-'], buildFlags)
  assert.throws(() => parseOutputs(flags, { isTerminal: true }), /refusing to write to console/)
})

test('readSecrets() finds files and variables, also by an id alone', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'b-secret-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const file = join(directory, 'token')
  writeFileSync(file, 'from file')
  const read = (value: string) => {
    return readSecrets([value], { TOKEN: 'from env' }).map((one) => [
      one.id,
      Buffer.from(one.value, 'base64').toString(),
    ])
  }
  assert.deepEqual(read(`id=a,src=${file}`), [['a', 'from file']])
  assert.deepEqual(read('id=a,env=TOKEN'), [['a', 'from env']])
  assert.deepEqual(read('id=TOKEN'), [['TOKEN', 'from env']])
  assert.deepEqual(read('type=env,id=a,src=TOKEN'), [['a', 'from env']])
  assert.throws(() => read('src=x'), /secret missing id/)
  assert.throws(() => read('id=x'), /failed to stat x: stat x: no such file or directory/)
  assert.throws(() => read('id=x,foo=y'), /unexpected key 'foo' in 'foo=y'/)
  writeFileSync(file, Buffer.alloc(600_000))
  assert.throws(() => read(`id=a,src=${file}`), /secret a too big\. max size 500KB/)
})

test('parseSshAgents() accepts sockets and keys, and refuses the rest', () => {
  assert.throws(() => parseSshAgents(['default'], {}), /invalid empty ssh agent socket/)
  assert.throws(
    () => parseSshAgents(['default'], { SSH_AUTH_SOCK: '/nonexistent/s' }),
    /failed to stat \/nonexistent\/s/,
  )
  assert.throws(() => parseSshAgents([`k=${import.meta.filename}`], {}), /it is not a private key/)
})

test("parseCacheOption() keeps directories on the client's side", () => {
  assert.deepEqual(parseCacheOption('r.example/app:1', 'from'), {
    option: { type: 'registry', attrs: { ref: 'r.example/app:1' } },
    directory: undefined,
  })
  assert.deepEqual(parseCacheOption('type=local,src=x,tag=y', 'from'), {
    option: { type: 'local', attrs: { tag: 'y' } },
    directory: 'x',
  })
  assert.deepEqual(parseCacheOption('type=local,dest=x,mode=max', 'to'), {
    option: { type: 'local', attrs: { mode: 'max' } },
    directory: 'x',
  })
  assert.throws(() => parseCacheOption('type=local', 'to'), /local cache exporter requires dest/)
  assert.throws(() => parseCacheOption('mode=max', 'to'), /type required/)
})

test('remoteUrl() distinguishes addresses from paths', () => {
  assert.equal(remoteUrl('https://host.example/x.tar.gz'), 'https://host.example/x.tar.gz')
  assert.equal(remoteUrl('git@host.example:a/b.git#main:sub'), 'git@host.example:a/b.git#main:sub')
  assert.equal(remoteUrl('github.com/a/b#v1:dir'), 'https://github.com/a/b.git#v1:dir')
  for (const path of ['.', '/srv/x', 'git', 'a.git']) assert.equal(remoteUrl(path), undefined, path)
})

test('resolveContext() reads an archive as a context and a text as a Dockerfile', async () => {
  assert.deepEqual(await resolveContext('-', givenInput('FROM scratch\n')), {
    kind: 'none',
    dockerfile: 'FROM scratch\n',
  })
  const tar = `${'x'.padEnd(257, '\0')}ustar\0`
  const found = await resolveContext('-', givenInput(tar.padEnd(1024, '\0')))
  assert.equal(found.kind, 'tar')
  await assert.rejects(resolveContext('-', givenInput('')), /the Dockerfile cannot be empty/)
  await assert.rejects(
    resolveContext('/nonexistent/dir', givenInput('')),
    /unable to prepare context: path "\/nonexistent\/dir" not found/,
  )
  await assert.rejects(resolveContext(import.meta.filename, givenInput('')), /is not a directory/)
})
