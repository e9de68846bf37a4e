/** The flags of `build`: those of `docker buildx build` and of the classic `docker build`. */
import { invalidArgument } from '../../base/index.ts'
import type { Flag } from '../flags/flag.ts'

const what: readonly Flag[] = [
  { name: 'file', short: 'f', type: 'string', help: 'The Dockerfile, "-" for stdin (default: "PATH/Dockerfile")' },
  { name: 'target', type: 'list', help: 'Stage to build; several are built at the same time' },
  { name: 'build-arg', type: 'list', help: 'Value of an ARG (NAME=VALUE, or NAME to take it from the environment)' },
  {
    name: 'build-context',
    type: 'list',
    help: 'Additional context for FROM and COPY --from (NAME=PATH, URL, docker-image://IMAGE, oci-layout://PATH[:TAG], target:STAGE)',
  },
  { name: 'platform', type: 'strings', help: 'Platform to build for (os[/arch[/variant]])' },
  { name: 'label', type: 'list', help: 'Label of the image (KEY=VALUE)' },
  { name: 'annotation', type: 'list', help: 'Annotation of the manifest ([LEVEL:]KEY=VALUE)' },
  {
    name: 'tag',
    short: 't',
    type: 'list',
    help: 'Name of the image (NAME[:TAG]); with several targets TARGET=NAME[:TAG]',
  },
  { name: 'squash', type: 'bool', help: 'Merge the layers that the build added into one' },
]

const outputs: readonly Flag[] = [
  { name: 'output', short: 'o', type: 'list', help: 'Output of the build ("type=local,dest=DIR", "DIR", "-")' },
  { name: 'push', type: 'bool', help: 'Push the image: --output type=registry' },
  { name: 'load', type: 'bool', help: 'Keep the image in the engine, which is the default: --output type=docker' },
  { name: 'attest', type: 'list', help: 'Attestation to add (type=provenance or sbom)' },
  { name: 'provenance', type: 'string', help: 'Short for --attest type=provenance (true, false, mode=min|max)' },
  { name: 'sbom', type: 'string', help: 'Short for --attest type=sbom (true, false)' },
  { name: 'iidfile', type: 'string', help: "File for the image's id" },
  { name: 'metadata-file', type: 'string', help: 'File for metadata of the result, as JSON' },
  { name: 'quiet', short: 'q', type: 'bool', help: "Print only the image's id" },
  {
    name: 'progress',
    type: 'string',
    help: 'Progress display (auto, plain, tty, rawjson, quiet)',
    shownDefault: 'auto',
    check: checkProgress,
  },
]

const cache: readonly Flag[] = [
  { name: 'no-cache', type: 'bool', help: 'Build every step' },
  { name: 'no-cache-filter', type: 'strings', help: 'Build every step of these stages without the cache' },
  { name: 'cache-from', type: 'list', help: 'External cache to use ("app:1", "type=local,src=DIR")' },
  { name: 'cache-to', type: 'list', help: 'Where to export the cache ("type=inline", "type=registry,ref=app:cache")' },
  { name: 'pull', type: 'bool', help: 'Pull newer base images' },
  { name: 'explain', type: 'bool', help: 'Print for each step that was built why it was not cached' },
]

const steps: readonly Flag[] = [
  { name: 'secret', type: 'list', help: 'Secret for steps that mount it ("id=NAME[,src=FILE|,env=VARIABLE]")' },
  { name: 'ssh', type: 'list', help: 'SSH agent or keys for steps that mount it ("default[=SOCKET|KEY,KEY]")' },
  {
    name: 'allow',
    type: 'strings',
    help: 'Extra rights of steps (network.host, security.insecure, device, device=NAME)',
  },
  { name: 'network', type: 'string', help: 'Network of RUN (default, none, host)', shownDefault: 'default' },
  { name: 'add-host', type: 'list', help: 'Entry in /etc/hosts of RUN (HOST:IP)' },
  { name: 'shm-size', type: 'bytes', help: 'Size of /dev/shm' },
  { name: 'ulimit', type: 'ulimit', help: 'Limits of processes (NAME=SOFT[:HARD])', shownDefault: '[]' },
  { name: 'memory', short: 'm', type: 'bytes', help: 'Memory that a RUN may use' },
  { name: 'memory-swap', type: 'bytes', help: 'Memory and swap together; -1 for no limit' },
  { name: 'cpus', type: 'decimal', help: 'CPUs that a RUN may use' },
  { name: 'cpu-shares', short: 'c', type: 'int', help: 'CPU shares (relative weight)' },
  { name: 'cpu-period', type: 'int', help: "Period of the scheduler's quota, microseconds" },
  { name: 'cpu-quota', type: 'int', help: 'Share of the period, microseconds' },
  { name: 'cpuset-cpus', type: 'string', help: 'CPUs to run on (0-3, 0,1)' },
  { name: 'cpuset-mems', type: 'string', help: 'Memory nodes to use (0-3, 0,1)' },
  { name: 'cgroup-parent', type: 'string', help: 'Parent cgroup of RUN' },
]

const questions: readonly Flag[] = [
  { name: 'check', type: 'bool', help: 'Check the Dockerfile and build nothing: --call=check' },
  { name: 'call', type: 'string', help: 'What to do (build, check, outline, targets)', shownDefault: 'build' },
]

/** Flags of the classic builder that have no effect, because this builder has no use for them. */
const classic: readonly Flag[] = [
  { name: 'compress', type: 'bool', help: 'Ignored: only needed files are sent' },
  { name: 'rm', type: 'bool', help: 'Ignored: builds leave no containers behind', defaultTrue: true },
  { name: 'force-rm', type: 'bool', help: 'Ignored: builds leave no containers behind' },
  {
    name: 'disable-content-trust',
    type: 'bool',
    help: 'Do not verify signatures (verification is not supported)',
    defaultTrue: true,
  },
  { name: 'isolation', type: 'string', help: 'Only of Windows', check: checkIsolation },
  { name: 'security-opt', type: 'strings', help: 'Not supported', check: refuseSecurityOption },
]

/** All flags of `build`. */
export const buildFlags: readonly Flag[] = [...what, ...outputs, ...cache, ...steps, ...questions, ...classic]

const progressModes = ['auto', 'plain', 'tty', 'rawjson', 'quiet', 'none']

function checkProgress(value: string): string {
  if (value === '' || progressModes.includes(value)) return value
  throw invalidArgument(`invalid progress mode ${value}: expected one of auto, plain, tty, rawjson, quiet`)
}

function checkIsolation(value: string): string {
  if (value === '' || value === 'default') return value
  throw invalidArgument(`isolation ${value} is not supported on Linux`)
}

function refuseSecurityOption(value: string): string {
  throw invalidArgument(`security options for builds are not supported: ${value}`)
}
