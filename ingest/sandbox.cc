// rlimits, prctl, Landlock (raw system calls: glibc 2.36 has no wrappers) and libseccomp.
#include "ingest/sandbox.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>
#include <new>
#include <string>

#include "engine/base/unique_fd.h"

// Leak detection cannot work in here: it needs to trace the process.
extern "C" const char* __asan_default_options();  // NOLINT: the sanitizer's name
const char* __asan_default_options() { return "detect_leaks=0"; }

namespace vade::ingest {
namespace {

tl::unexpected<Error> SandboxError(const char* what, int error_number) {
  return Fail(ErrorCode::kInternal,
              std::string("extractor sandbox: ") + what + ": " + std::strerror(error_number));
}

Result<void> SetLimit(__rlimit_resource resource, rlim_t soft, rlim_t hard, const char* what) {
  rlimit current{};
  if (getrlimit(resource, &current) == 0 && current.rlim_max != RLIM_INFINITY) {
    soft = std::min(soft, current.rlim_max);
    hard = std::min(hard, current.rlim_max);
  }
  const rlimit limit{soft, hard};
  if (setrlimit(resource, &limit) != 0) return SandboxError(what, errno);
  return {};
}

Result<void> SetLimits(const SandboxOptions& options) {
  // Sanitizers reserve terabytes of shadow memory.
  if (!kSanitized) {
    VADE_CHECK_OK(
        SetLimit(RLIMIT_AS, options.max_memory_bytes, options.max_memory_bytes, "RLIMIT_AS"));
  }
  VADE_CHECK_OK(
      SetLimit(RLIMIT_CPU, options.max_cpu_seconds, options.max_cpu_seconds + 1, "RLIMIT_CPU"));
  VADE_CHECK_OK(SetLimit(RLIMIT_NOFILE, 16, 16, "RLIMIT_NOFILE"));
  VADE_CHECK_OK(SetLimit(RLIMIT_FSIZE, 0, 0, "RLIMIT_FSIZE"));
  VADE_CHECK_OK(SetLimit(RLIMIT_NPROC, 0, 0, "RLIMIT_NPROC"));
  VADE_CHECK_OK(SetLimit(RLIMIT_CORE, 0, 0, "RLIMIT_CORE"));
  return {};
}

// Only the given folders can be opened, for reading. An old kernel has no Landlock: fine.
Result<void> RestrictFiles(std::span<const char* const> folders) {
  landlock_ruleset_attr attr{};
  attr.handled_access_fs = (uint64_t{LANDLOCK_ACCESS_FS_MAKE_SYM} << 1) - 1;  // all of ABI 1
  const UniqueFd ruleset(
      static_cast<int>(syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0)));
  if (!ruleset) return {};
  for (const char* folder : folders) {
    const UniqueFd fd(open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!fd) continue;  // not installed: nothing to read there
    landlock_path_beneath_attr rule{};
    rule.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
    rule.parent_fd = fd.get();
    if (syscall(SYS_landlock_add_rule, ruleset.get(), LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0) {
      return SandboxError("landlock_add_rule", errno);
    }
  }
  if (syscall(SYS_landlock_restrict_self, ruleset.get(), 0) != 0) {
    return SandboxError("landlock_restrict_self", errno);
  }
  return {};
}

struct ReleaseFilter {
  using pointer = scmp_filter_ctx;
  void operator()(scmp_filter_ctx filter) const noexcept { seccomp_release(filter); }
};

// What a parser needs once it has its input: descriptors it already holds, memory, time, its end.
constexpr int kAllowed[] = {SCMP_SYS(read),          SCMP_SYS(readv),
                            SCMP_SYS(pread64),       SCMP_SYS(write),
                            SCMP_SYS(writev),        SCMP_SYS(close),
                            SCMP_SYS(lseek),         SCMP_SYS(fstat),
                            SCMP_SYS(newfstatat),    SCMP_SYS(brk),
                            SCMP_SYS(munmap),        SCMP_SYS(mremap),
                            SCMP_SYS(madvise),       SCMP_SYS(futex),
                            SCMP_SYS(rt_sigreturn),  SCMP_SYS(rt_sigprocmask),
                            SCMP_SYS(rt_sigaction),  SCMP_SYS(sigaltstack),
                            SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday),
                            SCMP_SYS(time),          SCMP_SYS(times),
                            SCMP_SYS(getrusage),     SCMP_SYS(getrandom),
                            SCMP_SYS(getpid),        SCMP_SYS(gettid),
                            SCMP_SYS(getuid),        SCMP_SYS(geteuid),
                            SCMP_SYS(sched_yield),   SCMP_SYS(sched_getaffinity),
                            SCMP_SYS(uname),         SCMP_SYS(exit),
                            SCMP_SYS(exit_group)};

// seccomp_rule_add with one condition: argument `index` `op` (a, b).
int AllowIf(scmp_filter_ctx filter, int call, unsigned index, scmp_compare op, scmp_datum_t a,
            scmp_datum_t b = 0) {
  const scmp_arg_cmp condition{index, op, a, b};
  return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, 1, &condition);
}

int AddRules(scmp_filter_ctx filter, bool may_open) {
  int status = 0;
  const auto allow = [&](int call) {
    if (status == 0) status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0);
  };
  for (const int call : kAllowed) allow(call);
  // Memory may be anonymous or a file, but never executable.
  for (const int call : {SCMP_SYS(mmap), SCMP_SYS(mprotect)}) {
    if (status == 0) status = AllowIf(filter, call, 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
  }
  // abort() signals itself, nobody else.
  if (status == 0) {
    status = AllowIf(filter, SCMP_SYS(tgkill), 0, SCMP_CMP_EQ, static_cast<scmp_datum_t>(getpid()));
  }
  if (!may_open) return status;
  for (const int call : {SCMP_SYS(getdents64), SCMP_SYS(access), SCMP_SYS(faccessat),
                         SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(statx)}) {
    allow(call);
  }
  constexpr scmp_datum_t kWriteFlags = O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND | O_PATH;
  if (status == 0) {
    status = AllowIf(filter, SCMP_SYS(openat), 2, SCMP_CMP_MASKED_EQ, kWriteFlags, O_RDONLY);
  }
  return status;
}

Result<void> FilterSystemCalls(bool may_open) {
  const std::unique_ptr<void, ReleaseFilter> filter(seccomp_init(SCMP_ACT_ERRNO(EPERM)));
  if (!filter) return SandboxError("seccomp_init", ENOMEM);
  if (const int status = AddRules(filter.get(), may_open); status != 0) {
    return SandboxError("seccomp_rule_add", -status);
  }
  if (const int status = seccomp_load(filter.get()); status != 0) {
    return SandboxError("seccomp_load", -status);
  }
  return {};
}

}  // namespace

Result<void> EnterSandbox(const SandboxOptions& options, int parent_pid) {
  std::set_new_handler([] { _exit(kExitOutOfMemory); });
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return SandboxError("PR_SET_PDEATHSIG", errno);
  // The parent may have died before the line above.
  if (getppid() != parent_pid) return SandboxError("parent", ESRCH);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return SandboxError("PR_SET_NO_NEW_PRIVS", errno);
  }
  // Also closes /proc/<pid>/mem and ptrace to other processes of the same user.
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return SandboxError("PR_SET_DUMPABLE", errno);
  VADE_CHECK_OK(SetLimits(options));
  if (!options.readable_folders.empty()) VADE_CHECK_OK(RestrictFiles(options.readable_folders));
  return FilterSystemCalls(!options.readable_folders.empty());
}

}  // namespace vade::ingest
