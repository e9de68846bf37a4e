/** The context that every case has, and the base image that all stand on. */
import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { packEntries } from '../../src/archive/index.ts'
import { writeBusyboxArchive } from '../helpers/images/test-image.ts'
import type { CorpusCase } from './corpus-case.ts'

const shared: Readonly<Record<string, string>> = {
  'a.txt': 'a\n',
  'b.txt': 'bb\n',
  'dir/one.txt': '1\n',
  'dir/two.md': '2\n',
  'dir/sub/three.txt': '3\n',
  '.hidden': 'h\n',
  'space name.txt': 's\n',
}

/** Writes a case's context and its Dockerfile into an empty directory. */
export async function writeCorpusContext(directory: string, { dockerfile, files = {} }: CorpusCase): Promise<void> {
  const put = (path: string, content: string | Buffer, mode = 0o644) => {
    const target = join(directory, path)
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, content)
    chmodSync(target, mode)
  }
  for (const [path, content] of Object.entries(shared)) put(path, content)
  put('run.sh', '#!/bin/sh\n', 0o755)
  mkdirSync(join(directory, 'empty'))
  mkdirSync(join(directory, 'linkdir'))
  symlinkSync('a.txt', join(directory, 'link'))
  symlinkSync('../a.txt', join(directory, 'linkdir/up'))
  const archive = await packedArchive()
  put('archive.tar', archive)
  put('archive.tar.gz', gzipSync(archive))
  put('Dockerfile', dockerfile)
  for (const [path, value] of Object.entries(files)) {
    if (typeof value === 'string') put(path, value)
    else put(path, value[0], value[1])
  }
}

async function packedArchive(): Promise<Buffer> {
  const parts: Buffer[] = []
  const members = [
    { entry: { type: 'directory', path: 'in/', mode: 0o750, uid: 3, gid: 4 } },
    { entry: { type: 'file', path: 'in/file', mode: 0o600, uid: 3, gid: 4 }, body: Buffer.from('packed\n') },
    { entry: { type: 'symlink', path: 'in/link', linkPath: 'file' } },
  ] as const
  for await (const part of packEntries(members)) parts.push(part)
  return Buffer.concat(parts)
}

/** Writes the archive of the image `base`: busybox with a user and things to be removed. */
export async function writeCorpusBase(path: string): Promise<void> {
  await writeBusyboxArchive({
    path,
    reference: 'base:latest',
    prepare: (rootfs) => {
      const put = (name: string, content: string) => {
        mkdirSync(dirname(join(rootfs, name)), { recursive: true })
        writeFileSync(join(rootfs, name), content)
      }
      // Every image has what the kernel's file systems are mounted on.
      for (const name of ['dev', 'proc', 'sys']) mkdirSync(join(rootfs, name))
      put('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:app:/home/app:/bin/sh\n')
      put('etc/group', 'root:x:0:\napp:x:1000:\n')
      put('etc/remove-me', 'x\n')
      put('var/remove-me/inside', 'x\n')
      chownSync(join(rootfs, 'home/app'), 1000, 1000)
    },
  })
}
