/** The system calls that the default seccomp profile allows to every container, by topic.
 *  Calls that reach beyond the container are missing: mounting, kernel modules, keyrings, clocks, raw ports, tracing of
 *  the kernel. `name[suffix]` means both `name` and `namesuffix`, the variants that 32-bit programs need for wide ids,
 *  large files and times after 2038. */

const topics = {
  files: `
    close close_range copy_file_range dup dup2 dup3 fadvise64 fadvise64_64 fallocate fcntl[64] fdatasync flock fsync
    ioctl _llseek lseek pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readahead readv sendfile[64]
    sync_file_range write writev`,
  fileSystem: `
    chdir creat fchdir fstat[64] fstatat64 fstatfs[64] ftruncate[64] getcwd getdents[64] link linkat lstat[64] mkdir
    mkdirat mknod mknodat name_to_handle_at newfstatat open openat openat2 readlink readlinkat rename renameat
    renameat2 rmdir stat[64] statfs[64] statx symlink symlinkat sync syncfs truncate[64] unlink unlinkat`,
  attributes: `
    access chmod chown[32] faccessat faccessat2 fchmod fchmodat fchmodat2 fchown[32] fchownat fgetxattr flistxattr
    fremovexattr fsetxattr futimesat getxattr getxattrat lchown[32] lgetxattr listxattr listxattrat llistxattr
    lremovexattr lsetxattr removexattr removexattrat setxattr setxattrat umask utime utimensat[_time64] utimes`,
  memory: `
    brk cachestat madvise map_shadow_stack membarrier memfd_create memfd_secret mincore mlock mlock2 mlockall mmap
    mmap2 mprotect mremap mseal msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect process_mrelease
    remap_file_pages`,
  processes: `
    execve execveat exit exit_group fork getpgid getpgrp getpid getppid getrlimit getrusage getsid get_thread_area
    gettid landlock_add_rule landlock_create_ruleset landlock_restrict_self prctl prlimit64 riscv_hwprobe seccomp
    setpgid setrlimit setsid set_thread_area set_tid_address ugetrlimit uretprobe vfork wait4 waitid waitpid`,
  identity: `
    capget capset getegid[32] geteuid[32] getgid[32] getgroups[32] getresgid[32] getresuid[32] getuid[32]
    setfsgid[32] setfsuid[32] setgid[32] setgroups[32] setregid[32] setresgid[32] setresuid[32] setreuid[32]
    setuid[32]`,
  signals: `
    alarm kill pause pidfd_open pidfd_send_signal restart_syscall rseq rt_sigaction rt_sigpending rt_sigprocmask
    rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait[_time64] rt_tgsigqueueinfo sigaltstack sigprocmask
    sigreturn tgkill tkill`,
  scheduling: `
    getcpu getpriority sched_getaffinity sched_getattr sched_getparam sched_get_priority_max sched_get_priority_min
    sched_getscheduler sched_rr_get_interval[_time64] sched_setaffinity sched_setattr sched_setparam
    sched_setscheduler sched_yield setpriority`,
  time: `
    adjtimex clock_adjtime[64] clock_getres[_time64] clock_gettime[64] clock_nanosleep[_time64] getitimer
    gettimeofday nanosleep setitimer time timer_create timer_delete timer_getoverrun timer_gettime[64]
    timer_settime[64] times`,
  pollingAndEvents: `
    epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd
    eventfd2 fanotify_mark inotify_add_watch inotify_init inotify_init1 inotify_rm_watch _newselect poll
    ppoll[_time64] pselect6[_time64] select signalfd signalfd4 timerfd_create timerfd_gettime[64]
    timerfd_settime[64]`,
  sockets: `
    accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom recvmmsg[_time64] recvmsg
    send sendmmsg sendmsg sendto setsockopt shutdown socketcall socketpair`,
  ipc: `
    futex[_time64] futex_requeue futex_wait futex_waitv futex_wake get_robust_list ipc mq_getsetattr mq_notify
    mq_open mq_timedreceive[_time64] mq_timedsend[_time64] mq_unlink msgctl msgget msgrcv msgsnd pipe pipe2 semctl
    semget semop semtimedop[_time64] set_robust_list shmat shmctl shmdt shmget splice tee vmsplice`,
  aio: `
    io_cancel io_destroy io_getevents io_pgetevents[_time64] ioprio_get ioprio_set io_setup io_submit`,
  system: `
    getrandom listmount statmount sysinfo uname`,
} as const

/** Names allowed without any condition. */
export const commonSyscalls: readonly string[] = Object.values(topics).flatMap((text) => expandNames(text))

/** The names in a text: separated by white space, `name[suffix]` doubled. */
export function expandNames(text: string): string[] {
  return text
    .trim()
    .split(/\s+/)
    .flatMap((word) => {
      const [name = '', suffix] = word.replace(']', '').split('[')
      return suffix === undefined ? [name] : [name, name + suffix]
    })
}
