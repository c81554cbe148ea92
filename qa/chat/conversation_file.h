// A conversation as a file: JSON, versioned, read as hostile input, written whole or not at all.
//
// {"vade_conversation": 1, "turns": [{"question", "standalone", "answer", "refused",
//   "sources": [{"number", "path", "page", "heading", "quote"}]}]}
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "qa/chat/history.h"

namespace vade::qa {

inline constexpr size_t kMaxConversationTurns = 10'000;
inline constexpr uint64_t kMaxConversationBytes = uint64_t{64} << 20;

/// Replaces an existing file.
[[nodiscard]] Result<void> SaveConversation(const std::filesystem::path& path,
                                            const std::vector<ChatTurn>& turns);

/// Turns without passages: the next question finds its own.
/// Errors: kNotFound / kIo; kCorruptData naming the file, the turn and the field; kUnsupported for
/// a newer version; kResource for one that is too large.
[[nodiscard]] Result<std::vector<ChatTurn>> LoadConversation(const std::filesystem::path& path);

}  // namespace vade::qa
