/** Images that tests make themselves from Debian's static busybox; nothing comes from the internet. */
import { createHash } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { runOrThrow } from '../command.ts'

export interface TestImageOptions {
  /** The path of the archive. */
  readonly path: string
  readonly reference?: string
  /** `config` of the image configuration; default: Cmd `sh` and a PATH. */
  readonly config?: Readonly<Record<string, unknown>>
  /** Adds to the image's file system before it is packed. */
  readonly prepare?: (rootfs: string) => void | Promise<void>
}

const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Writes a docker-archive (what `docker load` reads) of a busybox image; returns the image's id. */
export async function writeBusyboxArchive({
  path: target,
  reference = 'busybox:latest',
  config = {},
  prepare,
}: TestImageOptions): Promise<string> {
  const work = mkdtempSync('/tmp/b-img-')
  try {
    const rootfs = join(work, 'rootfs')
    await fillRootfs(rootfs)
    await prepare?.(rootfs)
    const layer = join(work, 'layer.tar')
    await packRootfs(rootfs, layer)
    const diffId = `sha256:${createHash('sha256').update(readFileSync(layer)).digest('hex')}`
    const image = JSON.stringify({
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
      os: 'linux',
      created: '2023-11-14T22:13:20Z',
      config: { Cmd: ['sh'], Env: [path], ...config },
      rootfs: { type: 'layers', diff_ids: [diffId] },
      history: [{ created: '2023-11-14T22:13:20Z', created_by: 'busybox-static' }],
    })
    const id = createHash('sha256').update(image).digest('hex')
    writeFileSync(join(work, `${id}.json`), image)
    const manifest = [{ Config: `${id}.json`, RepoTags: [reference], Layers: ['layer.tar'] }]
    writeFileSync(join(work, 'manifest.json'), JSON.stringify(manifest))
    await runOrThrow('tar', ['-C', work, '-cf', target, 'manifest.json', `${id}.json`, 'layer.tar'])
    return `sha256:${id}`
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** tar fails, rarely, because a directory's change time moved between two reads, though no process writes there
 *  (seen on kernel 6.18; the cause is unknown). The archive is then made again, so that no doubtful one is used. */
async function packRootfs(rootfs: string, target: string, tries = 3): Promise<void> {
  try {
    await runOrThrow('tar', ['--sort=name', '--mtime=@1700000000', '--numeric-owner', '-C', rootfs, '-cf', target, '.'])
  } catch (error) {
    if (tries <= 1 || !String(error).includes('file changed as we read it')) throw error
    await packRootfs(rootfs, target, tries - 1)
  }
}

async function fillRootfs(rootfs: string): Promise<void> {
  for (const directory of ['bin', 'etc', 'root', 'home/app', 'var/spool', 'usr/bin']) {
    mkdirSync(join(rootfs, directory), { recursive: true })
  }
  mkdirSync(join(rootfs, 'tmp'))
  chmodSync(join(rootfs, 'tmp'), 0o1777)
  copyFileSync('/bin/busybox', join(rootfs, 'bin/busybox'))
  chmodSync(join(rootfs, 'bin/busybox'), 0o755)
  const applets = (await runOrThrow('/bin/busybox', ['--list'])).split('\n')
  for (const applet of applets) if (applet !== 'busybox') symlinkSync('busybox', join(rootfs, 'bin', applet))
  writeFileSync(join(rootfs, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:app:/home/app:/bin/sh\n')
  writeFileSync(join(rootfs, 'etc/group'), 'root:x:0:\napp:x:1000:\nextra:x:2000:app\naudio:x:29:\n')
  writeFileSync(join(rootfs, 'etc/not-executable'), 'text\n', { mode: 0o644 })
}
