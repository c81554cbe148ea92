// Where models come from: names like hf://org/repo/file.gguf@revision and ollama://name:tag, and
// what the registries say about the files behind them.
#pragma once

#include <string>
#include <vector>

#include "engine/base/cancel.h"
#include "engine/base/result.h"
#include "engine/remote/download.h"

namespace vade::remote {

struct Registries {
  std::string hugging_face = "https://huggingface.co";
  std::string hugging_face_token;  // may be empty
  std::string ollama = "https://registry.ollama.ai";
};

struct ModelFile {
  std::string name;  // of the local file: plain, ends with ".gguf"
  RemoteFile remote;
};

/// Asks the registry for size, hash and place of each file of the model; the parts of a split one
/// ("-00001-of-00003.gguf") in order.
/// Errors: kInvalidArgument for a name that is neither kind; kUnavailable for what the registry or
/// the network says, "not found" among it; kCancelled.
[[nodiscard]] Result<std::vector<ModelFile>> FindModelFiles(const std::string& source,
                                                            const Registries& registries,
                                                            const CancelToken* cancel);

}  // namespace vade::remote
