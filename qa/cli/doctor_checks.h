// What `vade doctor` looks at: each check tells what it found and what to do about it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "qa/cli/context.h"

namespace vade::qa {

enum class Health { kOk, kWarn, kFail };

[[nodiscard]] std::string_view HealthName(Health health);  // "ok", "warn", "fail"

struct Finding {
  Health health = Health::kOk;
  std::string group;    // "program", "store", ...
  std::string what;     // "library", "WAL"
  std::string found;    // one line
  std::string advice;   // what to do; empty when all is well
  int exit_code = kOk;  // of a failure
};

/// What else to look at: addresses and names as -m and --rerank take them.
struct DoctorScope {
  std::vector<std::string> models;
  std::vector<std::string> rerankers;
  uint16_t port = 11435;
};

/// Versions, instruction sets, memory, threads, extractors.
[[nodiscard]] std::vector<Finding> CheckProgram(const Context& context);
/// The configuration file, the folder of models, keys of servers.
[[nodiscard]] std::vector<Finding> CheckSettings(const Context& context);
/// The embedding model, and the store that was built with it.
[[nodiscard]] std::vector<Finding> CheckLibrary(const Context& context);
/// The models of the scope, wherever they are, and the servers of the environment.
[[nodiscard]] std::vector<Finding> CheckModels(const Context& context, const DoctorScope& scope);
/// Whether `vade serve` would find its port free.
[[nodiscard]] std::vector<Finding> CheckPort(const Context& context, const DoctorScope& scope);

}  // namespace vade::qa
