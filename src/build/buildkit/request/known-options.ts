/** The options of BuildKit's Dockerfile frontend and exporters that Berth knows. */
import type { BuildOutput } from '../../../api/index.ts'
import { notImplemented } from '../../../base/index.ts'
import { hasOutputAttribute } from '../../export/index.ts'

const frontendOptions: ReadonlySet<string> = new Set([
  ...['filename', 'target', 'platform', 'no-cache', 'image-resolve-mode', 'add-hosts', 'shm-size', 'ulimit'],
  ...['memory', 'memswap', 'cpushares', 'cpuperiod', 'cpuquota', 'cpusetcpus', 'cpusetmems'],
  ...['cgroup-parent', 'force-network-mode', 'hostname', 'cache-from', 'cache-imports'],
  ...['context', 'contextkey', 'dockerfilekey', 'contextsubdir'],
  // These have no effect here.
  ...['source', 'cmdline', 'syntax', 'multi-platform', 'requestid', 'frontend.caps', 'override-copy-image'],
])

/** Prefixes of options. `vcs:` and `input:` only matter for the provenance of other builders; several local sessions
 *  are one session here. */
const frontendPrefixes = [
  'build-arg:',
  'label:',
  'context:',
  'sharedkey:localdir:',
  'attest:',
  'vcs:',
  'input:',
  'input-metadata:',
  'local-sessionid:',
  'local-sharedkeyhint:',
]

/** Options that give RUN something that Berth's builder does not have. Without it, the build would do other things. */
const refusedOptions: ReadonlySet<string> = new Set(['devices'])

/** Gives a warning for each option of the frontend that Berth does not know. Throws `notImplemented` for an option that
 *  a build can't do without. */
export function unknownFrontendOptions(attrs: Readonly<Record<string, string>>): readonly string[] {
  return Object.keys(attrs).flatMap((name) => {
    // BuildKit ignores the subdirectory of a local context, too.
    const isRefused = refusedOptions.has(name) || (name === 'contextsubdir' && (attrs.context ?? '') !== '')
    if (isRefused) throw notImplemented(`the Dockerfile frontend's option ${name}`)
    if (frontendOptions.has(name) || frontendPrefixes.some((prefix) => name.startsWith(prefix))) return []
    return [`Unknown option ${JSON.stringify(name)} of the Dockerfile frontend is ignored`]
  })
}

/** Gives an output without the attributes that its exporter does not have, and a warning for each of those. */
export function withKnownAttributes({ type, attrs }: BuildOutput): {
  readonly output: BuildOutput
  readonly warnings: readonly string[]
} {
  const isKnown = (name: string) => hasOutputAttribute(type, name)
  const names = Object.keys(attrs)
  return {
    output: { type, attrs: Object.fromEntries(Object.entries(attrs).filter(([name]) => isKnown(name))) },
    warnings: names
      .filter((name) => !isKnown(name))
      .map((name) => `Unknown option ${JSON.stringify(name)} of the ${type} exporter is ignored`),
  }
}
