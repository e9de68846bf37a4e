/** Flags that precede the command. */
import type { Flag } from '../flags/flag.ts'

/** The flags in the order of `berth --help`. */
export function globalFlags(): readonly Flag[] {
  return [
    { name: 'config', type: 'string', help: 'Directory of the client\'s configuration (default "~/.docker")' },
    {
      name: 'context',
      short: 'c',
      type: 'string',
      help: 'Context to use (overrides DOCKER_HOST and the context set with "berth context use")',
    },
    { name: 'debug', short: 'D', type: 'bool', help: 'Show what caused an error' },
    { name: 'host', short: 'H', type: 'list', help: 'Address of the daemon (unix://PATH or tcp://HOST:PORT)' },
    {
      name: 'log-level',
      short: 'l',
      type: 'string',
      help: 'Level of messages ("debug", "info", "warn", "error", "fatal")',
      shownDefault: 'info',
    },
    { name: 'tls', type: 'bool', help: 'Use TLS; implied by --tlsverify' },
    {
      name: 'tlscacert',
      type: 'string',
      help: 'Trust only certificates that this CA signed (default "~/.docker/ca.pem")',
    },
    { name: 'tlscert', type: 'string', help: 'TLS certificate of the client (default "~/.docker/cert.pem")' },
    { name: 'tlskey', type: 'string', help: 'TLS key of the client (default "~/.docker/key.pem")' },
    { name: 'tlsverify', type: 'bool', help: "Use TLS and check the daemon's certificate" },
    { name: 'version', short: 'v', type: 'bool', help: 'Print the version and exit' },
  ]
}
