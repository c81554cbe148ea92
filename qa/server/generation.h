// What all routes that let a model write have in common: reading the sampling members, running the
// request, accounting for it.
#pragma once

#include <chrono>
#include <string>

#include "engine/base/result.h"
#include "engine/language_model.h"
#include "qa/server/json_fields.h"
#include "qa/server/models.h"
#include "qa/server/service.h"

namespace vade::qa::server {

/// temperature, top_p, top_k, min_p, typical_p, penalties, seed, stop, logit_bias: the names that
/// the APIs of OpenAI, Ollama and llama-server share. Wrong ones are `fields`' to report.
void ReadSampling(Fields& fields, engine::ModelRequest& out);

/// [{"role", "content", ...}]. Content may be a text or OpenAI's list of text parts; pictures are
/// refused.
[[nodiscard]] std::vector<engine::ChatMessage> ReadMessages(Fields& fields);

/// OpenAI's and Ollama's "tools".
[[nodiscard]] std::vector<engine::ToolSpec> ReadTools(Fields& fields);

/// Lets the model write and enters it into the accounts, whatever comes of it.
/// Errors: those of Generate; kUnavailable when the server stops meanwhile.
[[nodiscard]] Result<engine::ModelReply> Generate(Service& service, const Request& request,
                                                  const GeneratorUse& use,
                                                  const engine::ModelRequest& wanted,
                                                  const engine::TextSink& sink,
                                                  const CancelToken& cancel);

/// Tells the accounts of what a model did outside Generate: embedding, ranking, answering.
class UseRecorder {
 public:
  UseRecorder(Service& service, const Request& request, std::string model);

  void FirstToken();
  void Record(const engine::ModelReply& reply);
  void Record(size_t prompt_tokens, bool cached = false);

 private:
  [[nodiscard]] double SinceStart() const;

  Service& service_;
  ModelUse use_;
  const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

}  // namespace vade::qa::server
