/** Options of `berthd` for TCP sockets with TLS. */
import type { DaemonOption } from './daemon-option.ts'

/** The options for TLS, by the names that the code uses for them. */
export const tlsOptions = {
  tls: {
    flag: 'tls',
    key: 'tls',
    kind: 'boolean',
    help: 'Use TLS on tcp sockets; implied by --tlsverify. --tls=false allows tcp without TLS on any address',
  },
  tlscacert: {
    flag: 'tlscacert',
    key: 'tlscacert',
    kind: 'string',
    help: 'Trust only client certificates signed by this CA',
  },
  tlscert: { flag: 'tlscert', key: 'tlscert', kind: 'string', help: 'TLS certificate file' },
  tlskey: { flag: 'tlskey', key: 'tlskey', kind: 'string', help: 'TLS key file' },
  tlsverify: {
    flag: 'tlsverify',
    key: 'tlsverify',
    kind: 'boolean',
    help: 'Use TLS and verify the clients. --tls --tlsverify=false allows any client on any address',
  },
} as const satisfies Record<string, DaemonOption>
