/** SELinux: which labels a container gets and keeps. https://docs.docker.com/reference/cli/docker/container/run/#security-opt */
import type { HostConfig } from '../../api/index.ts'
import { conflict } from '../../base/index.ts'
import { type ContainerLabels, labelOptions } from '../../runtime/index.ts'
import { type ContainerRecord, withChanges } from '../record/container-record.ts'
import type { ContainerContext, Uses } from '../record/dependencies.ts'
import { parseSecurityOptions } from './security-options.ts'

/** What the modes of a container say of its labels, in the form of `--security-opt`: who shares the host's processes can't
 *  be confined, who shares another container's has its label. What the user says of labels counts instead. Throws
 *  `conflict` for two containers with different labels. */
export function impliedOptions(context: Uses<'containers' | 'labels'>, hostConfig: HostConfig): string[] {
  const { SecurityOpt: given, IpcMode: ipc = '', PidMode: pid = '', Privileged: privileged } = hostConfig
  if (given?.some((option) => option.split('=', 1)[0] === 'label') === true) return []
  if (ipc === 'host' || pid === 'host' || privileged === true) return ['label=disable']
  const donors = [ipc ?? '', pid ?? ''].filter((mode) => mode.startsWith('container:'))
  const [first = [], second = first] = donors.map((mode) => {
    const { labels } = context.containers.get(mode.slice('container:'.length))
    return labelOptions(labels?.process ?? '')
  })
  if (first.join() !== second.join()) throw conflict("--ipc and --pid containers SELinux labels aren't the same")
  return first.map((option) => `label=${option}`)
}

/** Labels for a new container; undefined where there are none. Throws `invalidArgument` for those that the policy does
 *  not have. */
export function allocateLabels({ labels }: Uses<'labels'>, hostConfig: HostConfig): ContainerLabels | undefined {
  return labels?.allocate(parseSecurityOptions(hostConfig.SecurityOpt ?? []).labels)
}

/** The record with its labels. One that was made while the daemon gave none gets them now, and keeps them. */
export function withLabels(context: Uses<'containers' | 'labels'>, record: ContainerRecord): ContainerRecord {
  if (context.labels === undefined || record.labels !== undefined) return record
  const labels = allocateLabels(context, record.hostConfig)
  if (labels === undefined) return record
  context.containers.save(withChanges(context.containers.get(record.id), { labels }))
  return withChanges(record, { labels })
}

/** What a container's processes and file systems are labelled with in this run; undefined: with nothing. */
export function labelsOf(context: Uses<'labels'>, record: ContainerRecord): ContainerLabels | undefined {
  if (context.labels === undefined || record.labels === undefined) return undefined
  return record.hostConfig.Privileged === true ? { ...record.labels, process: '' } : record.labels
}

/** `context="…"`, the mount option that shows all files of a file system under a label. A level has commas. */
export function mountContext(context: ContainerContext, record: ContainerRecord): string[] {
  const label = labelsOf(context, record)?.mount ?? ''
  return label === '' ? [] : [`context="${label}"`]
}

/** Keeps what the records have from being given to new containers. */
export function reserveLabels({ labels, containers }: Uses<'containers' | 'labels'>): void {
  for (const record of containers.all()) if (record.labels !== undefined) labels?.reserve(record.labels.process)
}
