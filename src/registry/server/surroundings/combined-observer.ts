import type { RegistryObserver } from '../model/registry-observer.ts'

/** Makes one observer that passes every report to all of `observers`. */
export function combineObservers(observers: readonly RegistryObserver[]): RegistryObserver {
  return {
    requestStarted: () => observers.forEach((one) => void one.requestStarted?.()),
    requestFinished: (record) => observers.forEach((one) => void one.requestFinished?.(record)),
    uploadsChanged: (active) => observers.forEach((one) => void one.uploadsChanged?.(active)),
    manifestUsed: (use) => observers.forEach((one) => void one.manifestUsed?.(use)),
    garbageCollected: (report) => observers.forEach((one) => void one.garbageCollected?.(report)),
  }
}
