/** Builds through `POST /build`: instructions, the classic stream, the cache, errors. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { BuildDirectory, type BuildFile, postBuild } from '../../helpers/clients/build-directory.ts'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'

let daemon: TestDaemon

before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
})
after(() => daemon?.[Symbol.asyncDispose]())

/** Builds a Dockerfile with files, which must succeed; returns the image's id. */
async function buildOk(
  dockerfile: string,
  files: Readonly<Record<string, BuildFile>> = {},
  query: Readonly<Record<string, string>> = {},
): Promise<{ readonly id: string; readonly output: string }> {
  using directory = new BuildDirectory({ Dockerfile: dockerfile, ...files })
  const answer = await directory.build(daemon, query)
  assert.equal(answer.error, '', answer.output)
  return answer
}

/** The same for a build that must fail; returns the message. */
async function buildError(
  dockerfile: string,
  files: Readonly<Record<string, BuildFile>> = {},
  query: Readonly<Record<string, string>> = {},
): Promise<string> {
  using directory = new BuildDirectory({ Dockerfile: dockerfile, ...files })
  const { error, output } = await directory.build(daemon, query)
  assert.notEqual(error, '', output)
  return error
}

function run(image: string, script: string): Promise<string> {
  return daemon.ok(['run', '--rm', image, 'sh', '-c', script])
}

describe('the docker command line', () => {
  test('builds, tags and runs', async () => {
    using directory = new BuildDirectory({
      Dockerfile: 'FROM busybox\nARG WHO\nRUN echo "hello $WHO" >/greeting\nCMD ["cat", "/greeting"]\n',
    })
    const tags = ['-t', 'cli:1', '-t', 'cli:two']
    await daemon.ok(['build', ...tags, '--build-arg', 'WHO=you', directory.path], { env: { DOCKER_BUILDKIT: '0' } })
    assert.equal(await daemon.ok(['run', '--rm', 'cli:two']), 'hello you')
    const quiet = await daemon.ok(['build', '-q', '--build-arg', 'WHO=you', directory.path])
    assert.equal(quiet, await daemon.ok(['image', 'inspect', '-f', '{{.Id}}', 'cli:1']))
  })

  test('takes a Dockerfile from another path', async () => {
    using directory = new BuildDirectory({ 'there/Other': 'FROM busybox\nCOPY file /file\n', 'here/file': 'x' })
    const id = await daemon.ok(['build', '-q', '-f', `${directory.path}/there/Other`, `${directory.path}/here`])
    assert.equal(await run(id, 'cat /file'), 'x')
  })
})

describe('the classic stream', () => {
  test('shows steps, ids, output and the end', async () => {
    // Compose sends `null` if it names no cache.
    const query = { t: 'stream', cachefrom: 'null' }
    const { output } = await buildOk('FROM busybox\nENV A=1\nRUN echo said $A\n', {}, query)
    assert.match(output, /^Step 1\/3 : FROM busybox\n ---> [0-9a-f]{12}\nStep 2\/3 : ENV A=1\n ---> [0-9a-f]{12}\n/)
    assert.match(output, /Step 3\/3 : RUN echo said \$A\n ---> Running in [0-9a-f]{12}\nsaid 1\n/)
    assert.match(output, / ---> Removed intermediate container [0-9a-f]{12}\n/)
    assert.match(output, /Successfully built [0-9a-f]{12}\nSuccessfully tagged stream:latest\n$/)
    assert.doesNotMatch(output, /WARNING/)
  })

  test('shows stages one after another, and which steps were cached', async () => {
    const dockerfile = 'FROM busybox AS one\nRUN echo 1 >/1\nFROM busybox\nCOPY --from=one /1 /copied\n'
    const first = await buildOk(dockerfile)
    const second = await buildOk(dockerfile)
    assert.equal(second.id, first.id)
    const steps = [...second.output.matchAll(/^Step (\d)\/4/gm)].map(([, number]) => number)
    assert.deepEqual(steps, ['1', '2', '3', '4'])
    assert.equal(second.output.match(/Using cache/g)?.length, 2)
  })

  test('ends with the failing command and its exit code', async () => {
    using directory = new BuildDirectory({ Dockerfile: 'FROM busybox\nRUN exit 7\n' })
    const { messages, error } = await directory.build(daemon)
    assert.equal(error, "The command '/bin/sh -c exit 7' returned a non-zero code: 7")
    assert.deepEqual(messages.at(-1)?.errorDetail, { code: 7, message: error })
  })

  test('refuses a faulty Dockerfile and names the line', async () => {
    using directory = new BuildDirectory({ Dockerfile: 'FROM busybox\nCOPPY a b\n' })
    const { status, error } = await directory.build(daemon)
    assert.equal(status, 400)
    assert.match(error, /dockerfile parse error on line 2: unknown instruction: COPPY/)
  })
})

describe('COPY and ADD', () => {
  test('copy files, directories and wildcards', async () => {
    const { id } = await buildOk(
      'FROM busybox\nCOPY one /a/b/renamed\nCOPY one two /c/\nCOPY dir /d\nCOPY dir/*.txt /e/\nWORKDIR /w\nCOPY one .\n',
      { one: '1', two: '2', 'dir/x.txt': 'x', 'dir/sub/y.txt': 'y' },
    )
    assert.equal(
      await run(id, 'cat /a/b/renamed /c/one /c/two /d/x.txt /d/sub/y.txt /e/x.txt /w/one; find /e -type f'),
      '112xyx1/e/x.txt',
    )
  })

  test('set owners, modes and times', async () => {
    const { id } = await buildOk(
      'FROM busybox\nRUN echo app:x:77:78::/:/bin/sh >/etc/passwd\nCOPY --chown=app f /own/f\nCOPY --chmod=4711 f /mode/f\nCOPY --chmod=u+x,go= f /sym/f\nCOPY script /script\n',
      { f: 'f', script: { mode: 0o755, text: '#!/bin/sh' } },
    )
    const looked = await run(id, "stat -c '%n %a %u:%g' /own /own/f /mode /mode/f /sym/f /script")
    assert.equal(
      looked,
      '/own 755 77:78\n/own/f 644 77:78\n/mode 755 0:0\n/mode/f 4711 0:0\n/sym/f 700 0:0\n/script 755 0:0',
    )
  })

  test('keep the modes of files that are copied from a stage', async () => {
    const first = 'FROM busybox AS one\nRUN echo >/a && chmod 755 /a\nFROM busybox\n'
    const { id } = await buildOk(`${first}COPY --from=one --chmod=600 /a /b\nCOPY --from=one --chmod=g-rx /a /c\n`)
    assert.equal(await run(id, 'stat -c %a /b /c'), '600\n705')
  })

  test('support --parents, --exclude, --link and here-documents', async () => {
    const { id } = await buildOk(
      'FROM busybox\nCOPY --parents src/**/*.c /p/\nCOPY --exclude=*.md src /x\nCOPY --link top /l/top\nCOPY <<EOF /h\nhi $PATH\nEOF\nCOPY <<"EOF" /q\n$PATH\nEOF\n',
      { top: 't', 'src/a.c': 'a', 'src/deep/b.c': 'b', 'src/c.md': 'c' },
    )
    const looked = await run(id, 'cd /; find p x l -type f | sort; cat h q')
    const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
    assert.equal(looked, `l/top\np/src/a.c\np/src/deep/b.c\nx/a.c\nx/deep/b.c\nhi ${path}\n$PATH`)
  })

  test('do not follow a symlink out of the image', async () => {
    const { id } = await buildOk(
      'FROM busybox\nRUN mkdir /real && ln -s /real /in && ln -s ../../../../real /up\nCOPY f /in/\nCOPY f /up/g\n',
      { f: 'f' },
    )
    assert.equal(await run(id, 'ls /real; test -L /in && echo link'), 'f\ng\nlink')
  })

  test('follow a destination that is a symlink', async () => {
    const links = 'ln -s old /a && ln -s /new/x /b && ln -s /made /c && mkdir /d && ln -s /old /d/f'
    const copies = ['f /a', 'f /b', 'd /c/', 'f /d/'].map((one) => `COPY ${one}\n`).join('')
    const { id } = await buildOk(`FROM busybox\nRUN echo >/old && ${links}\n${copies}`, { f: 'f', 'd/g': 'g' })
    assert.equal(
      await run(id, 'cat /old /new/x /made/g; for x in a b c d/f; do test ! -L /$x || echo $x; done'),
      'ffga\nb\nc',
    )
    for (const [link, expected] of [
      ['ln -s loop /loop', /too many levels of symbolic links: \/loop/],
      ['ln -s /etc/none/.. /loop', /cannot copy a file to \/etc\/none\/\.\./],
    ] as const)
      assert.match(await buildError(`FROM busybox\nRUN ${link}\nCOPY f /loop\n`, { f: 'f' }), expected)
  })

  test('give mode 0755 to directories that a copy creates, and keep the modes of those in it', async () => {
    const stage = 'FROM busybox AS one\nRUN mkdir -m 700 /m /m/n && chown 5:6 /m /m/n\nFROM busybox\n'
    const copies = 'COPY --from=one /m /x\nCOPY --from=one --chown=7:8 --chmod=710 /m /y/z\n'
    const { id } = await buildOk(`${stage}${copies}`)
    const shown = await run(id, 'stat -c "%n %a %u:%g" /x /x/n /y /y/z /y/z/n')
    assert.equal(shown, '/x 755 0:0\n/x/n 700 5:6\n/y 755 7:8\n/y/z 755 7:8\n/y/z/n 710 7:8')
  })

  test('do not follow a symlink out of the context', async () => {
    const message = await buildError('FROM busybox\nCOPY out /x\n', { out: { link: '/etc/passwd' } })
    assert.match(message, /"\/out" not found in the build context/)
  })

  test('leave out ignored files', async () => {
    const files = { '.dockerignore': '*.secret\n!kept.secret\n', 'a.secret': 'a', 'kept.secret': 'k', b: 'b' }
    const { id } = await buildOk('FROM busybox\nCOPY . /all\n', files)
    assert.equal(await run(id, 'ls -A /all'), '.dockerignore\nDockerfile\nb\nkept.secret')
    assert.match(await buildError('FROM busybox\nCOPY a.secret /x\n', files), /"\/a.secret" not found/)
  })

  test('unpack archives only with ADD', async () => {
    using inner = new BuildDirectory({ 'in/side': 'yes' })
    const archive = inner.tar(['-z'])
    const { id } = await buildOk('FROM busybox\nADD a.tgz /un\nCOPY a.tgz /same\nADD --unpack=false a.tgz /kept\n', {
      'a.tgz': archive,
    })
    assert.equal(
      await run(id, 'cat /un/in/side; tar -tzf /same | grep side; tar -tzf /kept | grep side'),
      'yes./in/side\n./in/side',
    )
  })
})

describe('RUN', () => {
  test('mounts a context, a stage, memory and a cache', async () => {
    const { id } = await buildOk(
      [
        'FROM busybox AS tools',
        'RUN echo tool >/tool',
        'FROM busybox',
        'RUN --mount=type=bind,target=/src cp /src/f /f && ! touch /src/g',
        'RUN --mount=type=bind,from=tools,source=/tool,target=/t cat /t >/from-tools',
        'RUN --mount=type=tmpfs,target=/tmp/m echo x >/tmp/m/x && grep -q "/tmp/m tmpfs" /proc/mounts',
        'RUN --mount=type=cache,target=/cache echo one >>/cache/log',
        'RUN --mount=type=cache,target=/cache echo two >>/cache/log && cp /cache/log /log',
      ].join('\n'),
      { f: 'from context' },
    )
    assert.equal(
      await run(id, 'cat /f /from-tools /log; ls -A /src /t /cache 2>&1 | grep -c "No such"'),
      'from contexttool\none\ntwo\n3',
    )
  })

  test('leaves no files of the runtime in the layer', async () => {
    const { id } = await buildOk('FROM scratch\nCOPY --from=busybox /bin /bin\nRUN ["/bin/busybox", "true"]\n')
    const [layer] = (await inspect(id)).RootFS.Layers.slice(-1)
    // The empty layer.
    assert.equal(layer, 'sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef')
  })

  test('has its own network with names, or none', async () => {
    const { output } = await buildOk(
      'FROM busybox\nRUN ip -o -4 addr show eth0 | wc -l\nRUN --network=none ip -o link | wc -l\n',
      {},
      { extrahosts: 'known:10.1.2.3' },
    )
    assert.match(output, /\n1\n[\s\S]*\n1\n/)
    const { output: hosts } = await buildOk(
      'FROM busybox\nRUN grep known /etc/hosts\n',
      {},
      { extrahosts: 'known:10.1.2.3' },
    )
    assert.match(hosts, /10\.1\.2\.3\tknown/)
  })

  test('has no privileges', async () => {
    assert.match(await buildError('FROM busybox\nRUN mount -t tmpfs none /mnt\n'), /non-zero code: 1/)
    assert.match(await buildError('FROM busybox\nRUN --security=insecure true\n'), /security.insecure is not allowed/)
  })
})

describe('configuration', () => {
  test('has the settings of every instruction', async () => {
    const { id } = await buildOk(
      [
        'FROM busybox',
        'ENV A=1 B="two words"',
        'LABEL k=v',
        'EXPOSE 80 53/udp',
        'VOLUME /data',
        'USER 5:6',
        'WORKDIR /w',
        'STOPSIGNAL SIGINT',
        'SHELL ["/bin/sh", "-ec"]',
        'HEALTHCHECK --interval=5s CMD true',
        'ENTRYPOINT ["echo"]',
        'CMD ["x"]',
        'ONBUILD RUN echo child',
      ].join('\n'),
      {},
      { labels: '{"more":"yes"}' },
    )
    const { Config } = await inspect(id)
    const { Env, Labels, ExposedPorts, Volumes, User, WorkingDir, StopSignal, Shell, Entrypoint, Cmd, OnBuild } = Config
    assert.deepEqual(Env?.slice(1), ['A=1', 'B=two words'])
    assert.deepEqual(Labels, { k: 'v', more: 'yes' })
    assert.deepEqual(Object.keys(ExposedPorts as object), ['80/tcp', '53/udp'])
    assert.deepEqual([Volumes, User, WorkingDir, StopSignal], [{ '/data': {} }, '5:6', '/w', 'SIGINT'])
    assert.deepEqual([Shell, Entrypoint, Cmd, OnBuild], [['/bin/sh', '-ec'], ['echo'], ['x'], ['RUN echo child']])
    assert.equal(await daemon.ok(['run', '--rm', '-u', '0', id]), 'x')
  })

  test('runs ONBUILD in the child only', async () => {
    await buildOk('FROM busybox\nONBUILD COPY f /child\nONBUILD RUN echo made >>/child\n', {}, { t: 'parent:1' })
    const { id } = await buildOk('FROM parent:1\nRUN cat /child >/seen\n', { f: 'own ' })
    assert.equal(await run(id, 'cat /seen'), 'own made')
    assert.equal((await inspect(id)).Config.OnBuild ?? null, null)
  })
})

interface Inspected {
  readonly RootFS: { readonly Layers: readonly string[] }
  readonly Config: Readonly<Record<string, unknown>> & { readonly Env?: readonly string[]; readonly OnBuild?: unknown }
}

async function inspect(id: string): Promise<Inspected> {
  return (await daemon.api<Inspected>('GET', `/images/${id}/json`)).body
}

describe('the cache', () => {
  test('repeats only steps that read a changed file', async () => {
    const dockerfile = 'FROM busybox\nCOPY a /a\nRUN cat /a >/a2\nCOPY b /b\nRUN cat /b >/b2\n'
    using directory = new BuildDirectory({ Dockerfile: dockerfile, a: '1', b: '1', c: '1' })
    await directory.build(daemon)
    directory.write({ c: '2' })
    const same = await directory.build(daemon)
    assert.equal(same.output.match(/Using cache/g)?.length, 4)
    directory.write({ b: '2' })
    const changed = await directory.build(daemon)
    assert.equal(changed.output.match(/Using cache/g)?.length, 2)
    assert.equal(await run(changed.id, 'cat /a2 /b2'), '12')
  })

  test('depends on an argument only where it is used', async () => {
    const dockerfile = 'FROM busybox\nRUN echo before >/b\nARG X\nRUN echo $X >/x\n'
    await buildOk(dockerfile, {}, { buildargs: '{"X":"1"}' })
    const { id, output } = await buildOk(dockerfile, {}, { buildargs: '{"X":"2"}' })
    assert.equal(output.match(/Using cache/g)?.length, 1)
    assert.equal(await run(id, 'cat /x'), '2')
  })

  test('is ignored with nocache; the next build uses the new steps', async () => {
    const dockerfile = 'FROM busybox\nRUN cat /proc/sys/kernel/random/uuid >/id\n'
    const first = await buildOk(dockerfile)
    const again = await buildOk(dockerfile, {}, { nocache: '1' })
    const third = await buildOk(dockerfile)
    assert.notEqual(again.id, first.id)
    assert.equal(third.id, again.id)
  })

  test('can be listed and pruned, and the store stays sound', async () => {
    await buildOk('FROM busybox\nRUN echo pruned >/p\n')
    const { body } = await daemon.api<{ BuildCache: { ID: string; Size: number; Description: string }[] }>(
      'GET',
      '/system/df?type=build-cache',
    )
    assert.ok(body.BuildCache.some(({ Description }) => Description === 'RUN echo pruned >/p'))
    const pruned = await daemon.api<{ CachesDeleted: string[] }>('POST', '/build/prune?all=1')
    assert.ok(pruned.body.CachesDeleted.length >= body.BuildCache.length)
    const { stdout, code } = await daemon.berth(['system', 'check'])
    assert.equal(code, 0, stdout)
    const { output } = await buildOk('FROM busybox\nRUN echo pruned >/p\n')
    assert.doesNotMatch(output, /Using cache/)
  })
})

describe('events of a build', () => {
  test('name the file that changed a step', async () => {
    using directory = new BuildDirectory({ Dockerfile: 'FROM busybox\nCOPY d /d\nRUN true\n', 'd/1': 'a', 'd/2': 'b' })
    await directory.build(daemon)
    directory.write({ 'd/2': 'changed' })
    const { messages } = await directory.build(daemon, { progress: 'berth', explain: '1' })
    const explained = messages.filter(({ type }) => type === 'explain')
    assert.equal(explained.length, 2)
    const [copy, second] = explained.map(({ reasons }) => reasons as { kind: string; name?: string; text: string }[])
    assert.deepEqual(
      copy?.map(({ kind, name }) => [kind, name]),
      [['file', 'd/2']],
    )
    assert.match(copy?.[0]?.text ?? '', /^d\/2 changed: [0-9a-f]{12} became [0-9a-f]{12}$/)
    assert.deepEqual(
      second?.map(({ kind }) => kind),
      ['parent'],
    )
    assert.equal(messages.at(-1)?.type, 'done')
  })
})

test('a context can be compressed; one that is not an archive is refused', async () => {
  using directory = new BuildDirectory({ Dockerfile: 'FROM busybox\nCOPY f /f\n', f: 'f' })
  for (const flag of ['-z', '-j', '-J', '--zstd']) {
    const { error } = await postBuild(daemon, { nocache: '1' }, directory.tar([flag]))
    assert.equal(error, '', flag)
  }
  const { status } = await postBuild(daemon, {}, Buffer.from('this is no archive'))
  assert.equal(status, 400)
})

test('a stage that the target does not need is not built', async () => {
  const { output } = await buildOk(
    'FROM busybox AS bad\nRUN exit 1\nFROM busybox AS good\nRUN true\n',
    {},
    { target: 'good' },
  )
  assert.doesNotMatch(output, /exit 1/)
  assert.match(
    await buildError('FROM busybox AS bad\nRUN true\n', {}, { target: 'bat' }),
    /target stage "bat" could not be found/,
  )
})
