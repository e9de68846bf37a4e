import { setTimeout as sleep } from 'node:timers/promises'
import { hostClock } from '../../src/containers/ports/clock.ts'
import { clockSuite } from './clock.ts'

clockSuite('hostClock', () => {
  let waiting = 0
  return {
    clock: {
      nowNs: () => hostClock.nowNs(),
      after(ms, callback) {
        waiting += 1
        let isOver = false
        const end = (): void => {
          if (!isOver) waiting -= 1
          isOver = true
        }
        const cancel = hostClock.after(ms, () => {
          callback()
          end()
        })
        return () => {
          cancel()
          end()
        }
      },
    },
    async pass() {
      while (waiting > 0) await sleep(1)
    },
  }
})
