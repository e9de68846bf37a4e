/** Resources of a running container, as `GET /containers/{id}/stats` gives them. CPU times are nanoseconds. */

/** One counter of a block device. */
export interface BlkioEntry {
  readonly major: number
  readonly minor: number
  readonly op: string
  readonly value: number
}

/** Counters of block devices. Only those of the cgroup version in use are not null. */
export interface BlkioStats {
  readonly io_service_bytes_recursive: readonly BlkioEntry[] | null
  readonly io_serviced_recursive: readonly BlkioEntry[] | null
  readonly io_queue_recursive: readonly BlkioEntry[] | null
  readonly io_service_time_recursive: readonly BlkioEntry[] | null
  readonly io_wait_time_recursive: readonly BlkioEntry[] | null
  readonly io_merged_recursive: readonly BlkioEntry[] | null
  readonly io_time_recursive: readonly BlkioEntry[] | null
  readonly sectors_recursive: readonly BlkioEntry[] | null
}

/** CPU times since the start, in nanoseconds. */
export interface CpuStats {
  readonly cpu_usage: {
    readonly total_usage: number
    /** Only under cgroup v1. */
    readonly percpu_usage?: readonly number[]
    readonly usage_in_kernelmode: number
    readonly usage_in_usermode: number
  }
  /** CPU time of the whole host. */
  readonly system_cpu_usage?: number
  readonly online_cpus?: number
  readonly throttling_data: {
    readonly periods: number
    readonly throttled_periods: number
    readonly throttled_time: number
  }
}

/** Memory in bytes. */
export interface MemoryStats {
  readonly usage?: number
  readonly max_usage?: number
  readonly stats?: Readonly<Record<string, number>>
  readonly failcnt?: number
  readonly limit?: number
}

/** Counters of a network interface, as the container sees it. */
export interface InterfaceStats {
  readonly rx_bytes: number
  readonly rx_packets: number
  readonly rx_errors: number
  readonly rx_dropped: number
  readonly tx_bytes: number
  readonly tx_packets: number
  readonly tx_errors: number
  readonly tx_dropped: number
}

/** One reading of a container's resources. */
export interface ContainerStats {
  /** With its leading slash. */
  readonly name: string
  readonly id: string
  readonly read: string
  readonly preread: string
  readonly pids_stats: { readonly current?: number; readonly limit?: number }
  readonly blkio_stats: BlkioStats
  readonly num_procs: number
  readonly storage_stats: Readonly<Record<string, never>>
  readonly cpu_stats: CpuStats
  /** The previous reading; zeros in the first one. */
  readonly precpu_stats: CpuStats
  readonly memory_stats: MemoryStats
  readonly networks?: Readonly<Record<string, InterfaceStats>>
}
