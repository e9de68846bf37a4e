/** Builds of contexts with many files: which steps a changed file repeats, which files are sent, and that the same
 *  files give the same image. */
import assert from 'node:assert/strict'
import { linkSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { TestContext } from '../../helpers/clients/build-context.ts'
import { runCommand } from '../../helpers/command.ts'
import { CountingProxy } from '../../helpers/daemons/counting-proxy.ts'
import { berthProgram, TestDaemon } from '../../helpers/daemons/daemon.ts'

let daemon: TestDaemon
let proxy: CountingProxy
before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
  proxy = await CountingProxy.start(join(daemon.root, 'p'), daemon.socket)
})
after(async () => {
  await proxy?.[Symbol.asyncDispose]()
  await daemon?.[Symbol.asyncDispose]()
})

/** Builds; returns the output and the image's id. */
async function build(
  args: readonly string[],
  host = proxy.host,
): Promise<{ readonly shown: string; readonly id: string }> {
  const idFile = join(daemon.root, 'id')
  const command = ['-H', host, 'build', '--network', 'none', '--progress', 'plain', '--iidfile', idFile, ...args]
  const { code, stdout, stderr } = await runCommand(berthProgram, command)
  assert.equal(code, 0, stdout + stderr)
  return { shown: stderr, id: readFileSync(idFile, 'utf8').trim() }
}

describe('3,000 files', () => {
  const files = 3_000
  const dockerfile = `FROM busybox AS tools
COPY tools /tools
RUN ls /tools >/list
FROM busybox
WORKDIR /app
COPY lib lib
RUN find lib -type f | wc -l >/libs
COPY src src
RUN find src -type f | wc -l >/sources
COPY --from=tools /list /list
`
  let context: TestContext

  before(() => {
    context = new TestContext({ Dockerfile: dockerfile, 'tools/a': 'A' })
    const places = ['lib', 'src'].flatMap((name) => Array.from({ length: 15 }, (_, index) => `${name}/d${index}`))
    for (let index = 0; index < files; index += 1) {
      context.put(`${places[index % places.length]}/f${index}`, `content ${index}\n`)
    }
  })
  after(() => context?.[Symbol.dispose]())

  test('the same build gives the same image id with SOURCE_DATE_EPOCH, also on another daemon', async () => {
    const reproducible = (name: string) => [
      ...['--build-arg', 'SOURCE_DATE_EPOCH=1700000000', '--provenance', 'false'],
      ...['--output', `type=image,name=${name},rewrite-timestamp=true`],
    ]
    const first = await build([...reproducible('same:1'), context.path])
    const cached = await build([...reproducible('same:2'), context.path])
    assert.equal(cached.id, first.id)
    utimesSync(join(context.path, 'src/d0/f15'), new Date(), new Date())
    const anew = await build([...reproducible('same:3'), '--no-cache', context.path])
    assert.equal(anew.id, first.id)
    await using other = await TestDaemon.start()
    await daemon.ok(['save', '-o', context.beside('base.tar'), 'busybox'])
    await other.ok(['load', '-q', '-i', context.beside('base.tar')])
    const elsewhere = await build([...reproducible('same:1'), context.path], other.host)
    assert.equal(elsewhere.id, first.id)
  })

  test('a changed file repeats only the steps that read it, and --explain names it', async () => {
    const before = await build(['-t', 'many:1', context.path])
    proxy.takeSentBytes()
    context.put('src/d7/f1762', 'another content\n')
    const { shown, id } = await build(['--explain', '-t', 'many:2', context.path])
    assert.notEqual(id, before.id)
    assert.deepEqual(builtSteps(shown), [
      'COPY src src',
      'RUN find src -type f | wc -l >/sources',
      'COPY --from=tools /list /list',
    ])
    const explained = shown.slice(shown.indexOf('Built because not in the cache:'))
    assert.match(
      explained,
      /^ COPY src src\n {3}- src\/d7\/f1762 changed: [0-9a-f]{12} became [0-9a-f]{12}\n(?! {3}-)/m,
    )
    assert.equal(explained.match(/src\/d\d+\/f\d+/g)?.length, 1, explained)
    const names = 'for f in src/d7/f1762 src/d7/f1732 ; do cat $f; done; cat /sources /libs'
    assert.equal(
      await daemon.ok(['run', '--rm', '--network', 'none', 'many:2', 'sh', '-c', names]),
      'another content\ncontent 1732\n1500\n1500',
    )
    proxy.takeSentBytes()
    assert.deepEqual(builtSteps((await build(['--explain', '-t', 'many:2', context.path])).shown), [])
    const sent = proxy.takeSentBytes()
    assert.ok(sent < 10_000, `a build that finds all its steps sends no list of files: ${sent} bytes`)
  })

  test('rewritten files with the same contents are cache hits, and the next build needs no list', async () => {
    const { id } = await build([context.path])
    context.put('lib/d3/f3', 'content 3\n')
    assert.equal((await build([context.path])).id, id)
    proxy.takeSentBytes()
    assert.equal((await build([context.path])).id, id)
    const sent = proxy.takeSentBytes()
    assert.ok(sent < 10_000, `${sent} bytes`)
  })
})

test('a changed file behind a symlink is noticed, whatever part of the source is the link', async () => {
  for (const source of ['link', 'way/file', 'links/*']) {
    using context = new TestContext({
      Dockerfile: `FROM busybox\nCOPY ${source} /copied/\nRUN cat /copied/* >/text\n`,
      'real/file': 'one',
      link: '-> real/file',
      way: '-> real',
      'links/one': '-> ../real/file',
    })
    const texts: string[] = []
    for (const text of ['one', 'one', 'two', 'two']) {
      context.put('real/file', text)
      await build(['-t', 'behind:1', context.path])
      texts.push(await daemon.ok(['run', '--rm', '--network', 'none', 'behind:1', 'cat', '/text']))
    }
    assert.deepEqual(texts, ['one', 'one', 'two', 'two'], source)
  }
})

describe('a context of 100,000 files', () => {
  const directories = 100
  const filesEach = 1_000
  let context: TestContext

  before(() => {
    context = new TestContext({ 'wanted/a': 'A', 'wanted/b': 'B' })
    for (let index = 0; index < directories; index += 1) fill(join(context.path, 'huge', `d${index}`))
  })
  after(() => context?.[Symbol.dispose]())

  /** Hard links, which are faster to make than files and the same to a build. */
  function fill(directory: string): void {
    mkdirSync(directory, { recursive: true })
    const first = join(directory, 'f0')
    writeFileSync(first, 'x'.repeat(1000))
    for (let index = 1; index < filesEach; index += 1) linkSync(first, join(directory, `f${index}`))
  }

  /** Builds with this Dockerfile; returns how many bytes the client sent. */
  async function sentBytes(dockerfile: string): Promise<number> {
    context.put('Dockerfile', dockerfile)
    proxy.takeSentBytes()
    await build(['-t', 'huge:1', context.path])
    return proxy.takeSentBytes()
  }

  test('is not sent if the Dockerfile needs none of it', async () => {
    const sent = await sentBytes('FROM busybox\nCOPY wanted /wanted\n')
    assert.ok(sent < 10_000, `${sent} bytes`)
  })

  test('is not listed for wildcards that match only files beside it', async () => {
    const sent = await sentBytes('FROM busybox\nCOPY want* Docker* */a /found/\nRUN ls /found >/names\n')
    assert.ok(sent < 30_000, `${sent} bytes`)
    assert.equal(await daemon.ok(['run', '--rm', '--network', 'none', 'huge:1', 'cat', '/names']), 'Dockerfile\na\nb')
  })

  test('lists one directory if one is named, and sends the matching contents', async () => {
    const sent = await sentBytes('FROM busybox\nCOPY huge/d7/f99* /few/\n')
    // The list has 1,000 names; eleven files of 1 KB match.
    assert.ok(sent > 11_000 && sent < 200_000, `${sent} bytes`)
    assert.equal(await daemon.ok(['run', '--rm', '--network', 'none', 'huge:1', 'sh', '-c', 'ls /few | wc -l']), '11')
  })

  test('is sent once, and only listed when the same files are needed again', async () => {
    const dockerfile = 'FROM busybox\nRUN --mount=type=bind,source=huge/d1,target=/h cat /h/* | wc -c >/bytes\n'
    const first = await sentBytes(dockerfile)
    assert.ok(first > 1_000_000, `${first} bytes`)
    const second = await sentBytes(dockerfile)
    assert.ok(second < 200_000, `${second} bytes`)
  })

  test('is not even listed if it is ignored', async () => {
    context.put('.dockerignore', 'huge\n')
    const sent = await sentBytes('FROM busybox\nCOPY . /all\nRUN test -e /all/wanted/b && test ! -e /all/huge\n')
    assert.ok(sent < 10_000, `${sent} bytes`)
  })
})

/** The steps that ran: neither cached nor internal steps of the builder. */
function builtSteps(shown: string): readonly string[] {
  const names = new Map(
    [...shown.matchAll(/^(#\d+) \[[^\]]*\d+\/\d+\] ((?:COPY|RUN|WORKDIR) .*)$/gm)].map(([, id = '', name = '']) => [
      id,
      name,
    ]),
  )
  const cached = new Set([...shown.matchAll(/^(#\d+) CACHED$/gm)].map(([, id]) => id))
  return [...names].filter(([id]) => !cached.has(id)).map(([, name]) => name)
}
