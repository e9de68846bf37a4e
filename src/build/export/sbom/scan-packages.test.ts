import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { turnsDuring } from '../../../../test/helpers/turns.ts'
import { readRpmHeader } from './package-databases.ts'
import { scanInThread } from './scan-in-thread.ts'
import { scanPackages } from './scan-packages.ts'
import { packageUrl, spdxAttestation } from './spdx-document.ts'

const dpkg = `Package: bash
Status: install ok installed
Maintainer: Matthias Klose <doko@debian.org>
Architecture: amd64
Version: 5.2.15-2+b7
Description: GNU Bourne Again SHell
 Version: not this

Package: gone
Status: deinstall ok config-files
Version: 1

Package: libc6
Status: install ok installed
Architecture: amd64
Version: 2.36-9
`

test('scanPackages finds the packages of Debian, Alpine, Node and Python', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'b-sbom-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  const put = (path: string, text: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  put('var/lib/dpkg/status', dpkg)
  put('lib/apk/db/installed', 'C:Q1\nP:musl\nV:1.2.4-r2\nA:x86_64\nL:MIT\nF:lib\nR:ld.so\n\nP:zlib\nV:1.3-r0\n\n')
  put('app/node_modules/@scope/pkg/package.json', '{"name":"@scope/pkg","version":"2.0.0","license":"Apache-2.0"}')
  put('app/node_modules/broken/package.json', '{')
  put('app/package.json', '{"name":"the-app-itself","version":"1.0.0"}')
  put(
    'usr/lib/python3/dist-packages/My_Lib-1.1.dist-info/METADATA',
    'Name: My_Lib\nVersion: 1.1\nLicense: BSD license\n\nVersion: 9\n',
  )
  put('usr/lib/os-release', 'PRETTY_NAME="x"\nID=debian\nVERSION_ID="12"\n')
  put('proc/var/lib/dpkg/status', dpkg)
  mkdirSync(join(root, 'etc'))
  symlinkSync('../usr/lib/os-release', join(root, 'etc/os-release'))
  symlinkSync('/', join(root, 'loop'))
  const scanned = scanPackages(root)
  assert.deepEqual(scanned.distribution, { id: 'debian', version: '12' })
  assert.deepEqual(
    scanned.packages.map((one) => packageUrl(one, scanned.distribution)),
    [
      'pkg:apk/debian/musl@1.2.4-r2?arch=x86_64&distro=debian-12',
      'pkg:apk/debian/zlib@1.3-r0?distro=debian-12',
      'pkg:deb/debian/bash@5.2.15-2%2Bb7?arch=amd64&distro=debian-12',
      'pkg:deb/debian/libc6@2.36-9?arch=amd64&distro=debian-12',
      'pkg:npm/%40scope/pkg@2.0.0',
      'pkg:pypi/my-lib@1.1',
    ],
  )
  const options = { name: 'app', created: '2026-01-02T03:04:05.123456789Z', toolVersion: '1' }
  const document = spdxAttestation(scanned, options).predicate as Readonly<Record<string, unknown>>
  assert.deepEqual(document.creationInfo, { created: '2026-01-02T03:04:05Z', creators: ['Tool: berth-1'] })
  const packages = document.packages as readonly Readonly<Record<string, unknown>>[]
  const bash = packages.find(({ name }) => name === 'bash')
  assert.equal(bash?.supplier, 'Organization: Matthias Klose (doko@debian.org)')
  assert.deepEqual(
    packages.map(({ licenseDeclared }) => licenseDeclared),
    ['MIT', 'NOASSERTION', 'NOASSERTION', 'NOASSERTION', 'Apache-2.0', 'NOASSERTION'],
  )
  assert.deepEqual(spdxAttestation(await scanInThread(root), options).predicate, document)
})

test('scanInThread() does not block the event loop, and ends when it is aborted', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'b-sbom-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  for (let at = 0; at < 100; at++) mkdirSync(join(root, `d${at}`))
  assert.notEqual(await turnsDuring(() => scanInThread(root)), 0)
  const reason = new Error('enough')
  await assert.rejects(scanInThread(root, { signal: AbortSignal.abort(reason) }), reason)
  const abort = new AbortController()
  const scan = scanInThread(root, { signal: abort.signal })
  abort.abort(reason)
  await assert.rejects(scan, reason)
})

/** An rpm header with these text tags. */
function rpmHeader(tags: Readonly<Record<number, string>>): Buffer {
  const texts = Object.entries(tags).map(([tag, text]) => [Number(tag), Buffer.from(`${text}\0`)] as const)
  const index: Buffer[] = []
  let offset = 0
  for (const [tag, text] of texts) {
    const entry = Buffer.alloc(16)
    for (const [at, value] of [tag, 6, offset, 1].entries()) entry.writeUInt32BE(value, at * 4)
    index.push(entry)
    offset += text.length
  }
  const head = Buffer.alloc(8)
  head.writeUInt32BE(texts.length, 0)
  head.writeUInt32BE(offset, 4)
  return Buffer.concat([head, ...index, ...texts.map(([, text]) => text)])
}

test('readRpmHeader reads name, version and architecture, and gives nothing for other data', () => {
  const header = rpmHeader({ 1000: 'bash', 1001: '5.2', 1002: '3.fc40', 1014: 'GPL-3.0-or-later', 1022: 'x86_64' })
  assert.deepEqual(readRpmHeader(header, '/rpmdb.sqlite'), [
    {
      type: 'rpm',
      name: 'bash',
      version: '5.2-3.fc40',
      architecture: 'x86_64',
      license: 'GPL-3.0-or-later',
      foundIn: '/rpmdb.sqlite',
    },
  ])
  assert.deepEqual(readRpmHeader(Buffer.from('xx'), ''), [])
  assert.deepEqual(readRpmHeader(Buffer.alloc(64, 0xff), ''), [])
})
