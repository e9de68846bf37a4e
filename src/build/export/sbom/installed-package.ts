/** A package found in an image. */
export interface InstalledPackage {
  readonly type: 'deb' | 'apk' | 'rpm' | 'npm' | 'pypi'
  readonly name: string
  readonly version: string
  readonly architecture?: string
  /** The license as the package states it. */
  readonly license?: string
  readonly supplier?: string
  /** The file that names the package, as a path from the root. */
  readonly foundIn: string
}

/** The distribution, from /etc/os-release. https://www.freedesktop.org/software/systemd/man/os-release.html */
export interface Distribution {
  readonly id: string
  readonly version: string
}

/** Parses an os-release file. Undefined when it names no distribution. */
export function parseOsRelease(text: string): Distribution | undefined {
  const values = new Map(
    text.split('\n').flatMap((line) => {
      const match = /^([A-Z_]+)=(.*)$/.exec(line.trim())
      return match === null ? [] : [[match[1] ?? '', (match[2] ?? '').replace(/^(["'])(.*)\1$/, '$2')] as const]
    }),
  )
  const id = values.get('ID')
  return id === undefined || id === '' ? undefined : { id, version: values.get('VERSION_ID') ?? '' }
}
