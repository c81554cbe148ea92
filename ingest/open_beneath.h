// Opens files below a folder without ever following a symbolic link out of (or inside) it.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "engine/base/unique_fd.h"

namespace vade::ingest {

/// Opens `relative_path` ('/' separated) below `root_fd`. No component may be a symbolic link, ".."
/// or absolute; O_CLOEXEC, O_NOCTTY and O_NONBLOCK are added, so that devices cannot hang us.
/// Errors (message is the bare reason): kNotFound "vanished", kUnsupported "symlink", kIo.
/// Fails closed: any error of path resolution is an error here.   Threads: safe.
[[nodiscard]] Result<UniqueFd> OpenBeneath(int root_fd, const std::string& relative_path,
                                           int flags);

/// The reason why a path could not be opened or read, in plain words: "permission denied".
[[nodiscard]] Error PathError(int error_number);

}  // namespace vade::ingest
