/** Worker thread that scans a root filesystem and posts the result. */
import { parentPort, workerData } from 'node:worker_threads'
import { scanPackages } from './scan-packages.ts'

parentPort?.postMessage(scanPackages(workerData as string))
