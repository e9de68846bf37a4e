/** Worker thread that deletes the given trees. It reports a failure as a message and goes on. */
import { rmSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { messageOf } from '../base/index.ts'

for (const path of workerData as readonly string[]) {
  try {
    rmSync(path, { recursive: true, force: true })
  } catch (error) {
    parentPort?.postMessage({ path, error: messageOf(error) })
  }
}
