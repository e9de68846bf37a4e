import { withState } from '../record/container-record.ts'
import type { Uses } from '../record/dependencies.ts'
import { isUp } from '../record/state.ts'

/** Makes sure that no start is under way or planned for a container that does not run. Waits for what holds its lock;
 *  false when it runs then. */
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
