/** An image of the host's own Debian release. debootstrap makes it once per machine; later runs reuse it. */
import { createHash } from 'node:crypto'
import {
  createReadStream,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { acquireLock } from '../../../src/sys/index.ts'
import { runOrThrow } from '../command.ts'
import { until } from '../wait.ts'

const keptAt = '/var/tmp/berth-tests'
const lockPatienceMs = 10 * 60 * 1000
/** Takes a minute on an idle machine with a good mirror. */
const bootstrapLimitMs = 9 * 60 * 1000

/** Path of an archive for `docker load`, whose image is `debian:CODENAME`; returns that name too. */
export async function debianArchive(): Promise<{ readonly path: string; readonly reference: string }> {
  const suite = codename()
  const reference = `debian:${suite}`
  const path = join(keptAt, `debian-${suite}-${process.arch}.tar`)
  if (existsSync(path)) return { path, reference }
  mkdirSync(keptAt, { recursive: true, mode: 0o700 })
  let lock: { release(): void } | undefined
  await until(
    () => {
      try {
        lock ??= acquireLock(join(keptAt, 'lock'))
      } catch {
        // Another run is making it.
      }
      return lock !== undefined
    },
    { timeoutMs: lockPatienceMs, intervalMs: 200, what: () => 'another run to make the Debian image' },
  )
  try {
    // Only a complete archive gets its name, so a killed run leaves none.
    if (!existsSync(path)) await makeArchive(suite, reference, path)
    return { path, reference }
  } finally {
    lock?.release()
  }
}

async function makeArchive(suite: string, reference: string, path: string): Promise<void> {
  const work = mkdtempSync(join(keptAt, 'work-'))
  try {
    const rootfs = join(work, 'rootfs')
    await runOrThrow('debootstrap', ['--variant=minbase', suite, rootfs, mirrorOf(suite)], {
      timeoutMs: bootstrapLimitMs,
    })
    rmSync(join(rootfs, 'var/cache/apt/archives'), { recursive: true, force: true })
    mkdirSync(join(rootfs, 'var/cache/apt/archives/partial'), { recursive: true })
    const layer = join(work, 'layer.tar')
    await runOrThrow('tar', ['-C', rootfs, '--numeric-owner', '-cf', layer, '.'])
    const hash = createHash('sha256')
    for await (const chunk of createReadStream(layer)) hash.update(chunk as Buffer)
    const image = JSON.stringify({
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
      os: 'linux',
      created: '2023-11-14T22:13:20Z',
      config: { Cmd: ['bash'], Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'] },
      rootfs: { type: 'layers', diff_ids: [`sha256:${hash.digest('hex')}`] },
      history: [{ created: '2023-11-14T22:13:20Z', created_by: 'debootstrap' }],
    })
    const id = createHash('sha256').update(image).digest('hex')
    writeFileSync(join(work, `${id}.json`), image)
    const manifest = [{ Config: `${id}.json`, RepoTags: [reference], Layers: ['layer.tar'] }]
    writeFileSync(join(work, 'manifest.json'), JSON.stringify(manifest))
    await runOrThrow('tar', ['-C', work, '-cf', join(work, 'image.tar'), 'manifest.json', `${id}.json`, 'layer.tar'])
    renameSync(join(work, 'image.tar'), path)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

function codename(): string {
  const [, name] = /^VERSION_CODENAME=(\S+)$/m.exec(readFileSync('/etc/os-release', 'utf8')) ?? []
  if (name === undefined) throw new Error('the host is no Debian')
  return name
}

/** The mirror from which the host gets the release. */
function mirrorOf(suite: string): string {
  const texts = globSync(['/etc/apt/sources.list', '/etc/apt/sources.list.d/*']).map((file) =>
    readFileSync(file, 'utf8'),
  )
  for (const text of texts) {
    const line = new RegExp(`^deb\\s+(?:\\[[^\\]]*\\]\\s+)?(\\S+)\\s+${suite}\\s`, 'm').exec(text)?.[1]
    if (line !== undefined) return line
    for (const paragraph of text.split(/\n\s*\n/)) {
      const suites = /^Suites:(.*)$/m.exec(paragraph)?.[1]?.trim().split(/\s+/) ?? []
      const uri = /^URIs:\s*(\S+)/m.exec(paragraph)?.[1]
      if (suites.includes(suite) && uri !== undefined) return uri
    }
  }
  throw new Error(`no source of ${suite} in the host's apt configuration`)
}
