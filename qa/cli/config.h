// Settings: $XDG_CONFIG_HOME/vade/config.toml, then VADE_* in the environment, then flags.
#pragma once

#include <filesystem>

#include "engine/base/result.h"
#include "qa/cli/context.h"

namespace vade::qa {

/// $XDG_CONFIG_HOME/vade/config.toml, or ~/.config/vade/config.toml; empty when HOME is unset too.
[[nodiscard]] std::filesystem::path ConfigPath();

/// $XDG_DATA_HOME/vade/library.db, or ~/.local/share/vade/library.db; empty when HOME is unset too.
[[nodiscard]] std::filesystem::path DefaultStorePath();

/// $XDG_CACHE_HOME/vade, or ~/.cache/vade; empty when HOME is unset too.
[[nodiscard]] std::filesystem::path CacheDirectory();

/// $XDG_STATE_HOME/vade, or ~/.local/state/vade; empty when HOME is unset too.
[[nodiscard]] std::filesystem::path StateDirectory();

/// $XDG_DATA_HOME/vade/models, or ~/.local/share/vade/models; empty when HOME is unset too.
[[nodiscard]] std::filesystem::path DefaultModelsFolder();

/// Fills `options` from the configuration file (keys store, embedder, threads, models,
/// hugging_face_url, ollama_url, the table tools; unknown keys are errors, so that a typing slip is
/// not silently ignored) and the environment (VADE_STORE, VADE_MODEL, VADE_THREADS, VADE_MODELS,
/// VADE_HUGGING_FACE_URL, VADE_OLLAMA_URL). A missing file is fine.
[[nodiscard]] Result<void> LoadConfig(GlobalOptions& options);

}  // namespace vade::qa
