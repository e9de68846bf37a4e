/** Worker thread that scans the root filesystem it is given, and answers with what it found. */
import { parentPort, workerData } from 'node:worker_threads'
import { scanPackages } from './scan-packages.ts'

parentPort?.postMessage(scanPackages(workerData as string))
