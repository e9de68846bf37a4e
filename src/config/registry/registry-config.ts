/** What `registry.yml` says, checked: the configuration of `berth registry serve`. Which settings there are and what
 *  they are when left out stands here; `registry.sample.yml` in the project's root explains each of them. */

import type { RegistriesConfig } from '../registries-config.ts'

/** Where the registry listens. */
export interface RegistryAddress {
  /** '': every address of the machine. */
  readonly host: string
  /** 0: any that is free. */
  readonly port: number
}

/** Paths of PEM files. */
export interface RegistryTls {
  readonly certificateFile: string
  readonly keyFile: string
  /** Authorities of the certificates that clients must show. Absent: none is asked for. */
  readonly clientCaFile: string | undefined
}

/** A bucket of an S3-compatible service. */
export interface RegistryBucket {
  readonly bucket: string
  readonly region: string
  /** Absent: Amazon's. */
  readonly endpoint: string | undefined
  readonly forcePathStyle: boolean
  /** Put before every key; '' or ending with a slash. */
  readonly prefix: string
  /** Absent: as the environment says (variables, files and roles that all AWS programs know). */
  readonly credentials:
    | {
        readonly accessKeyId: string
        readonly secretAccessKey: string
        readonly sessionToken: string | undefined
      }
    | undefined
}

export type RegistryPlace =
  | { readonly kind: 'folder'; readonly folder: string }
  | { readonly kind: 's3'; readonly s3: RegistryBucket }

export type RegistryAction = 'pull' | 'push' | 'delete'

/** Whom a rule is for, and what they may do where. A right is there when any rule gives it. */
export interface RegistryRule {
  readonly users: readonly string[]
  readonly groups: readonly string[]
  /** Also for those who don't say who they are. */
  readonly anonymous: boolean
  /** Patterns of repository names: `*` within a part, `**` for any parts, `${user}` for the user's name. */
  readonly repositories: readonly string[]
  readonly actions: readonly RegistryAction[]
  /** May list all repositories. */
  readonly catalog: boolean
}

/** Bearer tokens of the registry's own token service. */
export interface OwnTokens {
  readonly service: string
  readonly issuer: string
  /** Where clients get tokens; absent: `/token` of the address that they called. */
  readonly realm: string | undefined
  /** PEM of an EC P-256 key; absent: one that the registry makes and keeps in its storage. */
  readonly keyFile: string | undefined
  readonly expiresMs: number
  readonly refreshExpiresMs: number
}

/** Bearer tokens of another program's token service. */
export interface ForeignTokens {
  readonly realm: string
  readonly service: string
  readonly issuer: string
  /** PEM of certificates whose keys, or whose holders', sign tokens. */
  readonly certificatesFile: string | undefined
  /** JSON Web Key Set. */
  readonly jwksFile: string | undefined
}

export type RegistryAuth =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'users'
      readonly realm: string
      readonly htpasswdFile: string
      readonly groups: Readonly<Record<string, readonly string[]>>
      /** Absent: every user may do everything, nobody else anything. */
      readonly rules: readonly RegistryRule[] | undefined
      /** Absent: names and passwords in each request (Basic). */
      readonly tokens: OwnTokens | undefined
    }
  | { readonly kind: 'foreign'; readonly tokens: ForeignTokens }

/** Another registry that this one is a cache of. */
export interface RegistryProxy {
  readonly remote: string
  readonly username: string | undefined
  readonly password: string | undefined
  /** How long something is kept after it was last wanted; 0: for ever. */
  readonly ttlMs: number
  /** 0: no limit. */
  readonly maxSizeBytes: number
  /** Where blobs stand while they arrive. */
  readonly spoolFolder: string
  /** How the remote is reached; proxies hold credentials, and are never to be shown. */
  readonly client: Pick<RegistriesConfig, 'proxies' | 'certificateDirectories'>
}

export interface RegistryConfig {
  readonly listen: readonly RegistryAddress[]
  readonly tls: RegistryTls | undefined
  readonly storage: RegistryPlace
  readonly deleteEnabled: boolean
  readonly readonly: boolean
  readonly auth: RegistryAuth
  readonly limits: {
    readonly manifestBytes: number
    /** Uploads that take bytes at the same time. */
    readonly uploads: number
    readonly idleMs: number
    readonly headerBytes: number
  }
  readonly proxy: RegistryProxy | undefined
  readonly gc: {
    /** 0: only by `berth registry gc`. */
    readonly intervalMs: number
    readonly graceMs: number
  }
  readonly log: {
    readonly access: boolean
    readonly format: 'json' | 'text'
    readonly level: 'debug' | 'info' | 'warn' | 'error'
  }
  readonly metrics: boolean
  readonly http: {
    /** Locations without scheme and host. */
    readonly relativeUrls: boolean
    /** `https://registry.example.com`: what Locations begin with; absent: as the request says. */
    readonly publicUrl: string | undefined
    /** Added to every answer. */
    readonly headers: Readonly<Record<string, string>>
    /** How long requests under way may go on when the registry ends. */
    readonly drainMs: number
  }
  readonly catalog: { readonly pageSize: number }
}
