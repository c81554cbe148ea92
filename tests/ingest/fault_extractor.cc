// A stand-in for vade-extract that misbehaves as its input says. For tests only: it proves that the
// parent survives its children, and that the sandbox around them holds.
#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string>
#include <vector>

#include "ingest/document_builder.h"
#include "ingest/extractor_dispatch.h"

namespace vade::ingest {
namespace {

std::string Try(const char* what, bool refused) {
  return std::string(what) + (refused ? ": refused" : ": ALLOWED") + "\n";
}

// Everything a parser that was taken over would like to do.
std::string TryToEscape() {
  std::string report;
  report += Try("socket", socket(AF_INET, SOCK_STREAM, 0) < 0);
  report += Try("unix socket", socket(AF_UNIX, SOCK_STREAM, 0) < 0);
  report += Try("read file", open("/etc/passwd", O_RDONLY) < 0);
  report += Try("parent memory",
                open(("/proc/" + std::to_string(getppid()) + "/mem").c_str(), O_RDONLY) < 0);
  report += Try("write file", open("/tmp/vade-escape", O_WRONLY | O_CREAT, 0600) < 0);
  report += Try("fork", fork() < 0);
  char* const arguments[] = {nullptr};
  report += Try("exec", execve("/bin/true", arguments, arguments) < 0);
  report += Try("ptrace", ptrace(PTRACE_ATTACH, getppid(), nullptr, nullptr) < 0);
  report += Try("kill parent", kill(getppid(), 0) < 0);
  std::signal(SIGXFSZ, SIG_IGN);  // the limit on file sizes would kill us
  report += Try("write input", ftruncate(STDIN_FILENO, 0) < 0 && write(STDIN_FILENO, "x", 1) < 0);
  int open_fds = 0;
  for (int fd = 3; fd < 64; ++fd) open_fds += lseek(fd, 0, SEEK_CUR) >= 0 || errno == ESPIPE;
  report += Try("inherited descriptors", open_fds == 0);
  report += Try("environment", environ == nullptr || *environ == nullptr);
  return report;
}

[[noreturn]] void EatMemory() {
  static std::vector<std::vector<char>> hoard;
  while (true) hoard.emplace_back(std::vector<char>(16 << 20, 'x'));
}

}  // namespace

void PrepareExtractors() {}
std::span<const char* const> ReadableFolders() { return {}; }

Result<Document> Extract(FileType, const ExtractorInput& input) {
  const std::string_view order = input.bytes.substr(0, input.bytes.find('\n'));
  if (order == "segv") std::raise(SIGSEGV);
  if (order == "abort") std::abort();
  if (order == "spin") {
    while (true) __asm__ volatile("");
  }
  if (order == "memory") EatMemory();
  if (order == "garbage") {
    (void)!write(STDOUT_FILENO, "VDX1\1garbage", 12);
    _exit(0);
  }
  if (order == "silence") _exit(0);
  if (order == "status") _exit(9);
  if (order == "flood") {
    const std::string block(1 << 20, 'x');
    while (write(STDOUT_FILENO, block.data(), block.size()) > 0) {
    }
    _exit(0);
  }
  DocumentBuilder builder("text", input.max_text_bytes);
  builder.AddCode(order == "escape" ? TryToEscape() : std::string(input.bytes));
  return builder.Finish("fault");
}

}  // namespace vade::ingest
