/** Parsers for the databases of package managers. Each gives an empty list for a text of another format. */
import type { InstalledPackage } from './installed-package.ts'

/** dpkg's status file, or single paragraphs of it. https://man7.org/linux/man-pages/man1/dpkg.1.html */
export function readDpkgStatus(text: string, foundIn: string): readonly InstalledPackage[] {
  return paragraphsOf(text).flatMap((fields) => {
    const [name, version, status = 'install ok installed'] = ['Package', 'Version', 'Status'].map((key) =>
      fields.get(key),
    )
    if (name === undefined || version === undefined || !status.endsWith(' installed')) return []
    const [architecture, supplier] = [fields.get('Architecture'), fields.get('Maintainer')]
    return [{ type: 'deb', name, version, foundIn, ...optional({ architecture, supplier }) }]
  })
}

/** apk's database. https://wiki.alpinelinux.org/wiki/Apk_spec */
export function readApkInstalled(text: string, foundIn: string): readonly InstalledPackage[] {
  return text.split('\n\n').flatMap((block) => {
    const fields = new Map(
      block
        .split('\n')
        .map((line) => [line.slice(0, 1), line.slice(2)] as const)
        .reverse(),
    )
    const [name, version] = [fields.get('P'), fields.get('V')]
    if (name === undefined || version === undefined) return []
    const values = { architecture: fields.get('A'), license: fields.get('L'), supplier: fields.get('m') }
    return [{ type: 'apk', name, version, foundIn, ...optional(values) }]
  })
}

/** A package.json of node_modules. https://docs.npmjs.com/cli/configuring-npm/package-json */
export function readPackageJson(text: string, foundIn: string): readonly InstalledPackage[] {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return []
  }
  if (typeof value !== 'object' || value === null) return []
  const { name, version, license } = value as Readonly<Record<string, unknown>>
  if (typeof name !== 'string' || typeof version !== 'string') return []
  return [{ type: 'npm', name, version, foundIn, ...(typeof license === 'string' ? { license } : {}) }]
}

/** METADATA of a dist-info directory, or PKG-INFO of an egg.
 *  https://packaging.python.org/specifications/core-metadata/ */
export function readPythonMetadata(text: string, foundIn: string): readonly InstalledPackage[] {
  const [head = ''] = text.split(/\r?\n\r?\n/, 1)
  const [fields = new Map<string, string>()] = paragraphsOf(head)
  const [name, version] = [fields.get('Name'), fields.get('Version')]
  if (name === undefined || version === undefined) return []
  const license = fields.get('License-Expression') ?? fields.get('License')
  return [
    { type: 'pypi', name: name.toLowerCase().replace(/[-_.]+/g, '-'), version, foundIn, ...optional({ license }) },
  ]
}

/** A package header from rpm's database. https://rpm-software-management.github.io/rpm/manual/format_header.html */
export function readRpmHeader(blob: Buffer, foundIn: string): readonly InstalledPackage[] {
  const values = rpmValues(blob)
  const [name, version, release = ''] = [1000, 1001, 1002].map((tag) => values.get(tag))
  // rpm lists imported keys as packages.
  if (name === undefined || version === undefined || name === 'gpg-pubkey') return []
  const epoch = values.get(1003)
  const full = `${epoch === undefined || epoch === '0' ? '' : `${epoch}:`}${version}${release === '' ? '' : `-${release}`}`
  const known = { architecture: values.get(1022), license: values.get(1014), supplier: values.get(1011) }
  return [{ type: 'rpm', name, version: full, foundIn, ...optional(known) }]
}

/** The header's tags whose value is a string or a number. */
function rpmValues(blob: Buffer): ReadonlyMap<number, string> {
  const values = new Map<number, string>()
  if (blob.length < 8) return values
  const count = blob.readUInt32BE(0)
  const data = 8 + count * 16
  for (let at = 8; at + 16 <= Math.min(data, blob.length); at += 16) {
    const [tag, type, offset] = [blob.readInt32BE(at), blob.readUInt32BE(at + 4), data + blob.readUInt32BE(at + 8)]
    const isText = type === 6 || type === 8 || type === 9
    if (isText && offset < blob.length) values.set(tag, blob.toString('utf8', offset, endOfText(blob, offset)))
    else if (type === 4 && offset + 4 <= blob.length) values.set(tag, String(blob.readUInt32BE(offset)))
  }
  return values
}

function endOfText(blob: Buffer, start: number): number {
  const end = blob.indexOf(0, start)
  return end === -1 ? blob.length : end
}

/** Paragraphs of `Key: value` lines. Continuation lines begin with white space and are skipped. */
function paragraphsOf(text: string): readonly Map<string, string>[] {
  return text.split(/\r?\n(?:\r?\n)+/).map((paragraph) => {
    const fields = new Map<string, string>()
    for (const line of paragraph.split(/\r?\n/)) {
      const match = /^([A-Za-z][\w-]*):\s*(.*)$/.exec(line)
      if (match !== null && !fields.has(match[1] ?? '')) fields.set(match[1] ?? '', match[2] ?? '')
    }
    return fields
  })
}

/** Leaves out the undefined values. */
function optional<K extends string>(values: Readonly<Record<K, string | undefined>>): { readonly [key in K]?: string } {
  const given = Object.entries(values).filter((entry) => typeof entry[1] === 'string' && entry[1] !== '')
  return Object.fromEntries(given) as { readonly [key in K]?: string }
}
