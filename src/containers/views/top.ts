/** `GET /containers/{id}/top`. */
import type { ContainerTopResponse } from '../../api/index.ts'
import { internal } from '../../base/index.ts'
import { readPids, runCommand } from '../../sys/index.ts'
import { cgroupPathOf } from '../isolation/cgroup-path.ts'
import type { Uses } from '../record/dependencies.ts'
import { publishContainer } from '../record/events.ts'
import { requireRunning } from '../record/state.ts'

const psTimeoutMs = 10_000

/** The processes of a running container, as the host's ps(1) shows them. `psArgs` are options of ps, whose output must
 *  have a PID column. Throws `notFound`, `conflict` if the container does not run, and `internal` if ps fails. */
export async function topContainer(
  context: Uses<'containers' | 'live' | 'events' | 'settings'>,
  idOrName: string,
  psArgs: string,
): Promise<ContainerTopResponse> {
  const record = context.containers.get(idOrName)
  requireRunning(record)
  const pids = new Set(readPids(cgroupPathOf(context, record.id)).map(String))
  const args = psArgs.trim() === '' ? ['-ef'] : psArgs.trim().split(/\s+/)
  const { code, stdout, stderr } = await ps(args, pids)
  if (code !== 0) throw internal(`ps: ${stderr.trim().split('\n', 1)[0]}`)
  const [header = '', ...lines] = stdout.toString('utf8').trimEnd().split('\n')
  const titles = header.trim().split(/\s+/)
  const column = titles.indexOf('PID')
  if (column < 0) throw internal("Couldn't find PID field in ps output")
  publishContainer(context.events, record, 'top')
  const rows = lines.map((line) => splitRow(line, titles.length)).filter((row) => pids.has(row[column] ?? ''))
  return { Titles: titles, Processes: rows }
}

/** Runs ps for these processes only. If that fails, because some options (`f`) exclude a list of processes, runs it for
 *  all. */
async function ps(args: readonly string[], pids: ReadonlySet<string>): ReturnType<typeof runCommand> {
  const options = { timeoutMs: psTimeoutMs }
  const chosen = await runCommand('ps', [...args, `-q${[...pids].join(',')}`], options)
  return chosen.code === 0 ? chosen : await runCommand('ps', args, options)
}

/** Splits a line into columns. The last one (the command) keeps its spaces. */
function splitRow(line: string, columns: number): string[] {
  const words = line.trim().split(/\s+/)
  return [...words.slice(0, columns - 1), words.slice(columns - 1).join(' ')]
}
