/** The wait for an unfinished start before a container is removed or ended. */
import { withState } from '../record/container-record.ts'
import type { Uses } from '../record/dependencies.ts'
import { isUp } from '../record/state.ts'

/** Cancels a planned restart of a container that does not run, and waits until a start that is under way has finished.
 *  Gives true if the container is down and stays down, and false if it runs after the wait. */
export async function stayDown(context: Uses<'containers' | 'live' | 'locks'>, id: string): Promise<boolean> {
  const live = context.live.of(id)
  live.cancelRestart()
  return context.locks.run(id, async () => {
    live.cancelRestart()
    const record = context.containers.find(id)
    if (record !== undefined && isUp(record.state.status)) return false
    if (record?.state.status === 'restarting') {
      context.containers.save(withState(record, { status: 'exited' }, { stoppedByUser: true }))
      live.tellStop({ exitCode: record.state.exitCode })
    }
    return true
  })
}
