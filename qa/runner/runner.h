// A runner: the process that holds one model and answers for it over a private socket.
#pragma once

#include "engine/base/unique_fd.h"

namespace vade::qa {

/// Serves until the socket ends or says shutdown; returns the exit status. Lowers this process's
/// standing with the kernel's memory killer, and dies with the process that started it.
int RunRunner(UniqueFd socket);

}  // namespace vade::qa
