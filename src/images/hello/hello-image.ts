/** The built-in image `hello`: one layer with one program of a few hundred bytes.
 *  Deterministic: every machine makes the same bytes, so the digests are the same. */
import { createHash } from 'node:crypto'
import { assembleArm64 } from './arm64.ts'
import { type ElfArchitecture, elfExecutable } from './elf.ts'
import { assembleX64 } from './x64.ts'

/** An OCI image configuration, as far as `hello` fills it in. */
export interface HelloImageConfig {
  readonly created: string
  readonly architecture: ElfArchitecture
  readonly os: 'linux'
  readonly config: { readonly Cmd: string[]; readonly WorkingDir: string; readonly Env: string[] }
  readonly rootfs: { readonly type: 'layers'; readonly diff_ids: string[] }
  readonly history: { readonly created: string; readonly created_by: string }[]
}

/** The parts of the image. */
export interface HelloImage {
  readonly config: HelloImageConfig
  /** The layer, uncompressed. */
  readonly layerTar: Buffer
}

const created = '2026-11-23T00:00:00Z'

/** The image for one architecture. */
export function helloImage(architecture: ElfArchitecture): HelloImage {
  const layerTar = tarOfProgram('hello', helloProgram(architecture))
  const config: HelloImageConfig = {
    created,
    architecture,
    os: 'linux',
    config: {
      Cmd: ['/hello'],
      WorkingDir: '/',
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
    },
    rootfs: { type: 'layers', diff_ids: [`sha256:${createHash('sha256').update(layerTar).digest('hex')}`] },
    history: [{ created, created_by: 'berth: src/images/hello' }],
  }
  return { config, layerTar }
}

/** The program, an executable file. */
export function helloProgram(architecture: ElfArchitecture): Buffer {
  return elfExecutable(architecture, architecture === 'amd64' ? assembleX64() : assembleArm64())
}

/** A tar archive (USTAR) of one executable file. */
function tarOfProgram(name: string, content: Buffer): Buffer {
  const header = Buffer.alloc(512)
  const octal = (value: number, digits: number) => value.toString(8).padStart(digits, '0')
  header.write(name, 0)
  header.write(octal(0o755, 7), 100)
  header.write(octal(0, 7), 108)
  header.write(octal(0, 7), 116)
  header.write(octal(content.length, 11), 124)
  header.write(octal(Date.parse(created) / 1000, 11), 136)
  header.write(' '.repeat(8), 148)
  header.write('0', 156)
  header.write('ustar\x0000', 257)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${octal(sum, 6)}\0 `, 148)
  const padding = Buffer.alloc(-content.length & 511)
  return Buffer.concat([header, content, padding, Buffer.alloc(1024)])
}
