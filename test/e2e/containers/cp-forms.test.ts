/** berth cp and docker cp on one daemon: the same files, texts and exit codes. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { runOrThrow } from '../../helpers/command.ts'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'

let daemon: TestDaemon
let directory: string

before(async () => {
  directory = mkdtempSync('/tmp/b-cf-')
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
})
after(async () => {
  await daemon?.[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true, force: true })
})

async function startContainer(name: string): Promise<void> {
  await daemon.ok(['run', '-d', '--name', name, '-v', `vol-${name}:/vol`, 'busybox', 'sleep', '1000'])
  const script =
    'mkdir -p /d/sub; echo one >/d/one; echo two >/d/sub/two; ln /d/one /d/hard; ln -s sub /d/link; ln -s /d/one /abs; echo v >/vol/f'
  await shell(name, script)
}

async function shell(name: string, script: string): Promise<string> {
  return await daemon.ok(['exec', name, 'sh', '-c', script])
}

describe('berth cp copies what docker cp copies', () => {
  type Tool = 'docker' | 'berth'

  /** Runs a command with both CLIs; returns the outputs, with times and directories masked. */
  async function outcome(tool: Tool, args: readonly string[], cwd: string): Promise<string> {
    const run = tool === 'docker' ? daemon.docker(args, { cwd }) : daemon.berth(args, { cwd })
    const { code, stdout, stderr } = await run
    return `${code} ${stdout}${stderr
      .replaceAll(cwd, 'CWD')
      .replace(/^berth: /, '')
      .replace(/time=.*\n/g, '')}`
  }

  /** Checks for the same result and the same files, or that both fail. */
  async function assertAlike(args: readonly string[], attempt: (tool: Tool) => Promise<string>): Promise<void> {
    const theirs = await attempt('docker')
    const ours = await attempt('berth')
    if (theirs.startsWith('0')) assert.equal(ours, theirs, args.join(' '))
    else assert.ok(ours.startsWith('1'), `${args.join(' ')}\n${theirs}\n${ours}`)
  }

  /** Source and target, with every form of either. */
  const outwards =
    '/d .|/d dir|/d new|/d file|/d dirlink|/d dangling|/d/ new/|/d/. new|/d/. dir/.|/d/one new/|/d/one filelink|/d/one/ new|/abs new|-L /abs new|-L /abs dir|/d/link dir|-L /d/link dir|/d/link/ new|/vol/f new/x|/vol/. .'
  const inwards =
    'new /w|new /w/new|new /w/file|new /w/dirlink|new/ /w/new/|new/. /w/new|new/. /w/dir/.|new/one /w/new/|new/one /w/filelink|filelink /w/new|-L filelink /w/new|-L filelink /w/dir|dirlink /w/dir|-L dirlink /w/dir|dirlink/ /w/new|new/one /w/none/x'

  test('with every form of path, in both directions', async () => {
    await startContainer('forms')
    const base = join(directory, 'forms')
    const look = `cd ${base}; find . -printf '%p %y %l %m %U\\n' | sort; cat file dir/* fresh new 2>/dev/null; true`
    const makeLocal = (): void => {
      rmSync(base, { recursive: true, force: true })
      mkdirSync(join(base, 'dir/d'), { recursive: true })
      writeFileSync(join(base, 'file'), 'old')
      for (const [name, to] of [
        ['dirlink', 'dir'],
        ['filelink', 'file'],
        ['dangling', 'fresh'],
      ] as const) {
        symlinkSync(to, join(base, name))
      }
    }
    for (const pair of outwards.split('|')) {
      const words = pair.split(' ')
      const args = ['cp', ...words.slice(0, -2), `forms:${words.at(-2)}`, words.at(-1) ?? '']
      await assertAlike(args, async (tool) => {
        makeLocal()
        return `${await outcome(tool, args, base)}\n${await runOrThrow('sh', ['-c', look])}`
      })
    }
    makeLocal()
    await daemon.ok(['cp', 'forms:/d', join(base, 'new')])
    for (const pair of inwards.split('|')) {
      const words = pair.split(' ')
      const args = ['cp', ...words.slice(0, -1), `forms:${words.at(-1)}`]
      await assertAlike(args, async (tool) => {
        await shell(
          'forms',
          'rm -rf /w; mkdir -p /w/dir /w/d; echo old >/w/file; cd /w; ln -s dir dirlink; ln -s file filelink',
        )
        const said = await outcome(tool, args, base)
        return `${said}\n${await shell('forms', 'cd /w; find . | sort | xargs stat -c "%n %F %a %u"; cat file dir/* new new/* 2>/dev/null; true')}`
      })
    }
    await daemon.ok(['rm', '-fv', 'forms'])
  })

  test('with tar streams, and with the same errors for impossible combinations', async () => {
    await startContainer('streams')
    const [theirs, ours] = await Promise.all(
      ['docker', join(import.meta.dirname, '../../../bin/berth')].map((tool) =>
        runOrThrow('sh', ['-c', `${tool} -H ${daemon.host} cp streams:/d - | tar -tvf -`]),
      ),
    )
    assert.equal(ours, theirs)
    const berth = join(import.meta.dirname, '../../../bin/berth')
    await runOrThrow('sh', [
      '-c',
      `cd ${directory} && echo piped >piped && tar -cf - piped | ${berth} -H ${daemon.host} cp - streams:/vol`,
    ])
    assert.equal(await shell('streams', 'cat /vol/piped'), 'piped')
    for (const args of [
      ['cp', 'a', 'b'],
      ['cp', 'streams:/a', 'streams:/b'],
      ['cp', 'streams:/d', join(directory, 'piped')],
      ['cp', 'streams:/d/one', join(directory, 'missing/')],
      ['cp', 'streams:/none', directory],
      ['cp', join(directory, 'none'), 'streams:/'],
      ['cp', directory, 'streams:/d/one'],
    ]) {
      const strip = (text: string): string => text.replace(/time=.*\n/g, '').replace(/^berth: /, '')
      const [docker, own] = [await daemon.docker(args), await daemon.berth(args)]
      assert.deepEqual([own.code, strip(own.stderr)], [docker.code, strip(docker.stderr)], args.join(' '))
    }
    await daemon.ok(['rm', '-fv', 'streams'])
  })
})

test("the streams of cp and export have the file type in the mode, as Docker's", async () => {
  await daemon.ok(['create', '--name', 'kinds', 'busybox'])
  for (const [path, mode] of [
    ['/bin/busybox', '0100755'],
    ['/bin/sh', '0120777'],
    ['/bin', '0040755'],
  ] as const) {
    const { text } = await daemon.api('GET', `/containers/kinds/archive?path=${path}`)
    assert.equal(text.slice(100, 107), mode, path)
  }
  const exported = await daemon.api('GET', '/containers/kinds/export')
  const at = exported.text.indexOf('bin/busybox\0')
  assert.equal(exported.text.slice(at + 100, at + 107), '0100755')
  await daemon.ok(['rm', 'kinds'])
})
