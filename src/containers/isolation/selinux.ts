/** SELinux labels of containers. https://docs.docker.com/reference/cli/docker/container/run/#security-opt */
import type { HostConfig } from '../../api/index.ts'
import { conflict } from '../../base/index.ts'
import { type ContainerLabels, labelOptions } from '../../runtime/index.ts'
import { type ContainerRecord, withChanges } from '../record/container-record.ts'
import type { ContainerContext, Uses } from '../record/dependencies.ts'
import { parseSecurityOptions } from './security-options.ts'

/** The labels that a container's modes imply, in the form of `--security-opt`. A container that shares the host's
 *  processes can't be confined; one that shares another container's namespaces gets that container's label. Labels that
 *  the user gives replace these. Throws `conflict` if two containers with different labels are joined. */
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

/** Labels for a new container; undefined if labels are off. Throws `invalidArgument` for labels that the policy does
 *  not know. */
export function allocateLabels({ labels }: Uses<'labels'>, hostConfig: HostConfig): ContainerLabels | undefined {
  return labels?.allocate(parseSecurityOptions(hostConfig.SecurityOpt ?? []).labels)
}

/** The record with its labels. A container that was created while labels were off gets them now, and keeps them. */
export function withLabels(context: Uses<'containers' | 'labels'>, record: ContainerRecord): ContainerRecord {
  if (context.labels === undefined || record.labels !== undefined) return record
  const labels = allocateLabels(context, record.hostConfig)
  if (labels === undefined) return record
  context.containers.save(withChanges(context.containers.get(record.id), { labels }))
  return withChanges(record, { labels })
}

/** The labels of the container's processes and file systems in this run; undefined for none. */
export function labelsOf(context: Uses<'labels'>, record: ContainerRecord): ContainerLabels | undefined {
  if (context.labels === undefined || record.labels === undefined) return undefined
  return record.hostConfig.Privileged === true ? { ...record.labels, process: '' } : record.labels
}

/** The mount option `context="…"`, which gives all files of a file system the same label. It is quoted because an
 *  SELinux level contains commas. */
export function mountContext(context: ContainerContext, record: ContainerRecord): string[] {
  const label = labelsOf(context, record)?.mount ?? ''
  return label === '' ? [] : [`context="${label}"`]
}

/** Reserves the labels of all records, so that no new container gets one of them. Call at boot before containers are
 *  created. Does nothing if labels are off. */
export function reserveLabels({ labels, containers }: Uses<'containers' | 'labels'>): void {
  for (const record of containers.all()) if (record.labels !== undefined) labels?.reserve(record.labels.process)
}
