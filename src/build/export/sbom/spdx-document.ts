/** An SBOM as an SPDX document. https://spdx.github.io/spdx-spec/v2.3/ */
import { createHash } from 'node:crypto'
import type { Attestation } from '../attestations/attestation-manifest.ts'
import type { Distribution, InstalledPackage } from './installed-package.ts'
import type { ScannedPackages } from './scan-packages.ts'

/** Facts for the document. */
export interface SpdxOptions {
  /** Name of what the document describes. */
  readonly name: string
  /** RFC 3339. */
  readonly created: string
  readonly toolVersion: string
}

/** The predicate of an SBOM attestation. Equal packages and options give equal bytes. */
export function spdxAttestation(scanned: ScannedPackages, options: SpdxOptions): Attestation {
  return { predicateType: 'https://spdx.dev/Document', predicate: spdxDocument(scanned, options) }
}

function spdxDocument(
  { distribution, packages }: ScannedPackages,
  { name, created, toolVersion }: SpdxOptions,
): object {
  const listed = packages.map((one) => spdxPackage(one, distribution))
  const identity = createHash('sha256')
    .update(JSON.stringify([name, created, listed]))
    .digest('hex')
  return {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name,
    documentNamespace: `urn:berth:sbom:${identity}`,
    creationInfo: { created: created.replace(/\.\d+Z$/, 'Z'), creators: [`Tool: berth-${toolVersion}`] },
    packages: listed,
    relationships: listed.map(({ SPDXID }) => ({
      spdxElementId: 'SPDXRef-DOCUMENT',
      relationshipType: 'DESCRIBES',
      relatedSpdxElement: SPDXID,
    })),
  }
}

function spdxPackage(one: InstalledPackage, distribution: Distribution | undefined) {
  const { type, name, version, license, supplier, foundIn } = one
  const digest = createHash('sha256').update([type, name, version, foundIn].join('\0')).digest('hex')
  return {
    SPDXID: `SPDXRef-Package-${type}-${name.replace(/[^A-Za-z0-9.-]/g, '-')}-${digest.slice(0, 16)}`,
    name,
    versionInfo: version,
    ...(supplier === undefined ? {} : { supplier: supplierOf(supplier) }),
    downloadLocation: 'NOASSERTION',
    filesAnalyzed: false,
    sourceInfo: `found in ${foundIn}`,
    licenseConcluded: 'NOASSERTION',
    licenseDeclared: license !== undefined && isLicenseExpression(license) ? license : 'NOASSERTION',
    copyrightText: 'NOASSERTION',
    externalRefs: [
      {
        referenceCategory: 'PACKAGE-MANAGER',
        referenceType: 'purl',
        referenceLocator: packageUrl(one, distribution),
      },
    ],
  }
}

/** The package URL of a package. https://github.com/package-url/purl-spec/blob/main/PURL-TYPES.rst */
export function packageUrl(one: InstalledPackage, distribution: Distribution | undefined): string {
  const { type, name, version, architecture } = one
  const encode = (text: string) => encodeURIComponent(text).replaceAll('%3A', ':')
  if (type === 'pypi') return `pkg:pypi/${encode(name)}@${encode(version)}`
  if (type === 'npm') return `pkg:npm/${name.split('/').map(encodeURIComponent).join('/')}@${encode(version)}`
  const namespace = distribution === undefined ? '' : `${encode(distribution.id)}/`
  const qualifiers = [
    ...(architecture === undefined ? [] : [`arch=${encode(architecture)}`]),
    ...(distribution === undefined || distribution.version === ''
      ? []
      : [`distro=${encode(`${distribution.id}-${distribution.version}`)}`]),
  ]
  return `pkg:${type}/${namespace}${encode(name)}@${encode(version)}${qualifiers.length === 0 ? '' : `?${qualifiers.join('&')}`}`
}

function supplierOf(text: string): string {
  const [, name = text, address] = /^(.*?)\s*<([^<>]+)>$/.exec(text) ?? []
  return `Organization: ${name}${address === undefined ? '' : ` (${address})`}`
}

/** True when the text consists of words that look like SPDX identifiers, joined by SPDX's operators. */
function isLicenseExpression(text: string): boolean {
  return /^\(*[A-Za-z0-9][A-Za-z0-9.+-]*\)*(?: (?:AND|OR|WITH) \(*[A-Za-z0-9][A-Za-z0-9.+-]*\)*)*$/.test(text)
}
